//! The evaluation log of a real triage, gone through once more on the command line.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{needs_review, true_positive};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Bot, HandClock, REPOSITORY, Step, chaffinch, on_both_forges, sarif, settings,
};

on_both_forges! {
    a_replay_sends_the_same_bytes_again_and_a_changed_mind_shows,
    a_repository_that_is_not_enabled_is_not_replayed,
}

/// A bot that has triaged change 7, in a store beside which the command line can work.
async fn triaged(on: ForgeKind) -> (Bot, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chaffinch.db").display());
    let setup = Bot::with(on).set("STORE__URL", store).clock(HandClock::of_now());
    let bot = setup.start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([true_positive("The name reaches the query.", "app/db.py:5")]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    assert_eq!(change.threads().len(), 1);
    (bot, folder)
}

async fn run(bot: &Bot, folder: &TempDir, arguments: &[&str]) -> (i32, String) {
    let mut command = chaffinch();
    command.args(arguments).envs(settings(&bot.forge, &bot.model, folder));
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [ended.stdout, ended.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
    (ended.status.code().unwrap(), said)
}

async fn a_replay_sends_the_same_bytes_again_and_a_changed_mind_shows(on: ForgeKind) {
    let (bot, folder) = triaged(on).await;
    let (code, said) = run(&bot, &folder, &["replay", REPOSITORY, "--dry-run"]).await;
    assert!(code == 0 && said.contains("1 of 1 prompts were rebuilt"), "{said}");
    assert!(!said.contains("SELECT"), "no source is shown: {said}");
    assert_eq!(bot.model.requests().len(), 1, "nothing was sent");

    bot.model.answers([true_positive("The name reaches the query.", "app/db.py:5")]);
    let (code, said) = run(&bot, &folder, &["replay", REPOSITORY]).await;
    assert!(code == 0 && said.contains("1 of 1 verdicts agree"), "{said}");
    bot.model.answers([needs_review("Not enough is shown.")]);
    let arguments = ["replay", REPOSITORY, "--change", "7", "--format", "json"];
    let (code, said) = run(&bot, &folder, &arguments).await;
    assert_eq!(code, 0, "{said}");
    let line: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((&line["rebuilt"], &line["agrees"]), (&true.into(), &false.into()), "{said}");
    assert_eq!(line["before"]["verdict"], "true_positive");
    assert_eq!(line["now"]["verdict"], "needs_review");

    let bodies: Vec<_> = bot.model.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| body == &bodies[0]), "{bodies:?}");
    let (code, said) = run(&bot, &folder, &["receipts", REPOSITORY]).await;
    assert!(code == 0 && said.ends_with("3 disclosures.\n"), "{said}");
    assert_eq!(said.matches("  answered").count(), 3, "{said}");
    let (code, said) = run(&bot, &folder, &["receipts", "verify"]).await;
    assert!(code == 0 && said.contains("whole"), "{said}");
    let (code, said) = run(&bot, &folder, &["replay", REPOSITORY, "--receipt", "00"]).await;
    assert!(code == 2 && said.contains("no such entry"), "{said}");
}

async fn a_repository_that_is_not_enabled_is_not_replayed(on: ForgeKind) {
    let (bot, folder) = triaged(on).await;
    let (code, said) = run(&bot, &folder, &["disable", REPOSITORY, "--by", "Ada"]).await;
    assert_eq!(code, 0, "{said}");
    let read = bot.forge.requests(Step::ReadFile).len();
    let (code, said) = run(&bot, &folder, &["replay", REPOSITORY]).await;
    assert!(code == 2 && said.contains("is not enabled"), "{said}");
    assert_eq!(bot.forge.requests(Step::ReadFile).len(), read);
    assert_eq!(bot.model.requests().len(), 1);
}
