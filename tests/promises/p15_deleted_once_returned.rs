//! Code is in memory while its job runs, and nowhere afterwards.

use std::sync::Arc;

use chaffinch_core::{ForgeKind, VaultKind};
use chaffinch_sandbox::needs_review;
use chaffinch_server::{App, Config, SystemEntropy};
use tempfile::TempDir;

use super::{SENTINEL, contains, with_store};
use crate::harness::{Bot, Change, UPLOAD_TOKEN, on_both_forges, sarif};

on_both_forges! {
    p15_nothing_of_the_code_is_left_after_a_job,
    p15_an_uploaded_report_is_deleted_once_it_was_used,
    p15_a_report_that_names_no_change_is_deleted_once_it_was_used,
    p15_a_report_that_came_before_its_change_is_deleted_once_it_was_used,
    a_report_waits_in_the_vault_until_its_job_is_done,
}

async fn p15_nothing_of_the_code_is_left_after_a_job(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.upload(&change, &report()).await, 202);
    bot.work().await;
    let stored = bot.stored_bytes();
    for code in [SENTINEL, "cursor.execute", "SELECT * FROM", "app/db.py"] {
        assert!(!contains(&stored, code), "{code} is on disk");
    }
    assert!(contains(&stored, "SQLite format 3"), "this test looks at the right files");
    change.threads();
}

async fn p15_an_uploaded_report_is_deleted_once_it_was_used(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.upload(&change, &report()).await, 202);
    assert_eq!(bot.work().await, ["published"]);
    change.threads();
    assert_eq!(reports_left(bot, &folder).await, 0);
}

async fn p15_a_report_that_names_no_change_is_deleted_once_it_was_used(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([needs_review("Not enough is shown.")]);
    upload_for_no_change(&bot, &change).await;
    assert_eq!(bot.work().await, ["spread", "published"]);
    change.threads();
    assert_eq!(reports_left(bot, &folder).await, 0);
}

async fn p15_a_report_that_came_before_its_change_is_deleted_once_it_was_used(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7).close();
    upload_for_no_change(&bot, &change).await;
    assert_eq!(bot.work().await, ["spread"]);
    change.reopen();
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("reopened", 7).await, ["published"]);
    change.threads();
    assert_eq!(reports_left(bot, &folder).await, 0);
}

async fn a_report_waits_in_the_vault_until_its_job_is_done(on: ForgeKind) {
    let (mut bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    assert_eq!(bot.upload(&change, &report()).await, 202);
    upload_for_no_change(&bot, &change).await;
    bot.leaves_jobs();
    assert_eq!(reports_left(bot, &folder).await, 2);
}

fn report() -> String {
    sarif("CodeQL", &[("rule", "app/db.py", 5)]).replace("was found here", SENTINEL)
}

async fn upload_for_no_change(bot: &Bot, change: &Change) {
    let (head, report) = (change.head(), report());
    assert_eq!(bot.upload_as(UPLOAD_TOKEN, "acme/shop", &head, None, &report).await, 202);
}

/// How many reports the store keeps for the repository once the bot has stopped. They are sealed:
/// no search of the disk finds them, only who has the key.
async fn reports_left(bot: Bot, folder: &TempDir) -> usize {
    let repo = bot.forge.repo_id("acme/shop");
    let settings = crate::harness::settings(&bot.forge, &bot.model, folder);
    let clock = bot.clock.clone();
    drop(bot);
    let config = Config::load(None, settings).unwrap();
    let app = App::build(&config, clock, Arc::new(SystemEntropy)).await.unwrap();
    app.vault().keys(&repo, VaultKind::Report, "").await.unwrap().len()
}
