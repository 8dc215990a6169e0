//! The promises, one file each; what each says, and how a customer checks it, stands in
//! `docs/privacy.md`.

mod p01_selected_repositories;
mod p02_evaluation;
mod p03_least_context;
mod p04_ladder;
mod p05_time_to_live;
mod p06_notice;
mod p07_attested_vendor;
mod p08_each_finding;
mod p09_file_by_file;
mod p10_narrow_tokens;
mod p11_receipt_line;
mod p12_no_training;
mod p13_no_personal_information;
mod p14_purge;
mod p15_deleted_once_returned;
mod p16_vendor_retention;
mod p17_consent;
mod p18_policy_page;

use std::{path::Path, process::Output};

use chaffinch_core::ForgeKind;
use tempfile::TempDir;

use crate::harness::{Bot, HandClock, chaffinch, settings};

/// In the file, but no line of any excerpt.
const SENTINEL: &str = "sentinel_outside_of_every_excerpt";

/// A function of its own for the finding, far from the sentinel.
fn source() -> String {
    format!("{}\n\n\ndef other():\n    return \"{SENTINEL}\"\n", crate::harness::SQLI)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A bot whose store outlives it.
async fn with_store(on: ForgeKind) -> (Bot, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chaffinch.db").display());
    let setup = Bot::with(on).set("STORE__URL", store).clock(HandClock::of_now());
    (setup.start().await, folder)
}

/// The setting of a store in this folder.
fn stored_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("chaffinch.db").display())
}

/// Runs `chaffinch` with these arguments over the bot's configuration, beside the bot.
async fn run(bot: &Bot, folder: &TempDir, args: &[&str]) -> Output {
    let settings = settings(&bot.forge, &bot.model, folder);
    let mut command = chaffinch();
    command.args(args).envs(settings);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    text(&output.stdout) + &text(&output.stderr)
}
