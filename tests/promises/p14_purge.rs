//! Access is as needed: what is kept goes when the App or the repository does.

use chaffinch_core::{Book, DeletionReason, ForgeKind};
use chaffinch_sandbox::needs_review;
use chaffinch_server::deletion;

use super::{run, said, with_store};
use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p14_nothing_is_left_where_a_repository_is_disabled,
    what_a_purge_destroys_is_on_record_and_the_repository_stays_enabled,
    what_a_job_writes_after_a_deletion_goes_with_it,
}

async fn triaged(bot: &Bot) {
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    change.threads();
}

/// Of everything that is kept, what is not the ledger's own.
async fn left(bot: &Bot) -> Vec<String> {
    let mut left = Vec::new();
    bot.app().audit().walk(&mut |stored| left.push(stored.key)).await.unwrap();
    left.retain(|key| !key.contains("ledger") && !key.starts_with("seen:"));
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_nothing_is_left_after_the_app_is_uninstalled() {
    let mut bot = Bot::start(ForgeKind::GitHub).await;
    triaged(&bot).await;
    assert!(!left(&bot).await.is_empty());
    let gone = bot.forge.github().deliver("installation.deleted", 7).await;
    assert_eq!(gone.status, 202, "{gone:?}");
    assert_eq!(left(&bot).await, [""; 0]);
    assert!(bot.app().ledger().pages(Book::Consent).await.unwrap().is_empty());
    let deletions = deletion::recorded(bot.app().ledger()).await.unwrap();
    assert_eq!(deletions.len(), 1);
    assert_eq!(deletions[0].reason, DeletionReason::Uninstalled);
    assert!(deletions[0].destroyed["receipt"] == 1 && deletions[0].receipts_head.is_some());
    assert_eq!(deletions[0].consent.as_ref().unwrap().by, crate::harness::WHO);
    // Nobody has consented any more.
    bot.withdraws();
    assert_eq!(bot.forge.deliver("opened", 7).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_leaves_the_installation_leaves_nothing() {
    let mut bot = Bot::start(ForgeKind::GitHub).await;
    triaged(&bot).await;
    let removed = bot.forge.github().deliver("installation_repositories.removed", 7).await;
    assert_eq!(removed.status, 202, "{removed:?}");
    assert_eq!(left(&bot).await, [""; 0]);
    let deletions = deletion::recorded(bot.app().ledger()).await.unwrap();
    assert_eq!(deletions[0].reason, DeletionReason::Removed);
    bot.withdraws();
}

async fn p14_nothing_is_left_where_a_repository_is_disabled(on: ForgeKind) {
    let (mut bot, folder) = with_store(on).await;
    triaged(&bot).await;
    let who = ["--by", "Ada"];
    let ended = run(&bot, &folder, &[&["disable", "acme/shop"], &who[..]].concat()).await;
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert!(said(&ended).contains("1 answer, "), "{}", said(&ended));
    assert_eq!(left(&bot).await, [""; 0]);
    bot.withdraws();
    assert_eq!(bot.forge.deliver("opened", 7).await.status, 204);
    let told = run(&bot, &folder, &["consents"]).await;
    assert!(said(&told).contains("by Ada: destroyed"), "{}", said(&told));
    let again = run(&bot, &folder, &[&["disable", "acme/shop"], &who[..]].concat()).await;
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
}

async fn what_a_purge_destroys_is_on_record_and_the_repository_stays_enabled(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    triaged(&bot).await;
    let ended = run(&bot, &folder, &["purge", "acme/shop", "--by", "Ada"]).await;
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert_eq!(left(&bot).await, [""; 0]);
    let told = run(&bot, &folder, &["consents", "--format", "json"]).await;
    let lines: Vec<_> = said(&told).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains(r#""reason":"purged""#), "{lines:?}");
}

async fn what_a_job_writes_after_a_deletion_goes_with_it(on: ForgeKind) {
    let (mut bot, _folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.consent().await;
    let repo = bot.forge.repo_id("acme/shop");
    assert_eq!(bot.forge.deliver("opened", 7).await.status, 202);
    bot.forge.deliver("reported", 7).await;
    bot.app().shredder().destroy(&repo, DeletionReason::Disabled, "Ada").await.unwrap();
    bot.withdraws();
    bot.work().await;
    assert_eq!(left(&bot).await, [""; 0], "the job is not done: nobody wants it any more");
    assert!(bot.model.requests().is_empty());
    // As a job would that had begun before.
    let value = chaffinch_core::SourceBytes::new(b"late".to_vec());
    let (kind, day) =
        (chaffinch_core::VaultKind::Answer, std::time::Duration::from_secs(2 * 86_400));
    bot.app().vault().put(&repo, kind, "k", &value, day).await.unwrap();
    bot.pass_days(1).await;
    assert_eq!(left(&bot).await, [""; 0]);
}
