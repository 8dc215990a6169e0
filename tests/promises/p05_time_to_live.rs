//! What is kept is kept for at most 180 days.

use std::time::Duration;

use chaffinch_core::{Book, ForgeKind};
use chaffinch_sandbox::needs_review;
use chrono::TimeDelta;

use super::{said, with_store};
use crate::harness::{Bot, chaffinch, on_both_forges, sarif, settings};

on_both_forges! {
    p05_nothing_outlives_its_ttl,
    a_configuration_that_asks_for_more_is_refused,
    consents_and_the_policy_last_for_as_long_as_the_server_runs,
}

async fn p05_nothing_outlives_its_ttl(on: ForgeKind) {
    let (bot, _folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    change.threads();
    let (mut seen, mut longest) = (0, Duration::ZERO);
    let mut look = |stored: chaffinch_core::Stored| {
        seen += 1;
        longest = longest.max(stored.ttl.expect("each has a time to live"));
        assert_eq!(stored.fault(), None, "{}", stored.key);
    };
    bot.app().audit().walk(&mut look).await.unwrap();
    assert!(seen > 5, "{seen}");
    let day = Duration::from_secs(24 * 60 * 60);
    assert!(longest <= 180 * day, "{longest:?}");

    let repo = bot.forge.repo_id("acme/shop");
    assert_eq!(bot.app().receipts().list(&repo, None).await.unwrap().len(), 1);
    bot.clock.advance(TimeDelta::days(181));
    assert!(bot.app().receipts().list(&repo, None).await.unwrap().is_empty());
    let mut left = Vec::new();
    bot.app().audit().walk(&mut |stored| left.push(stored.key)).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

async fn a_configuration_that_asks_for_more_is_refused(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let folder = tempfile::tempdir().unwrap();
    for name in ["answer", "record", "receipt", "evaluation"] {
        let mut settings = settings(&bot.forge, &bot.model, &folder);
        let name = format!("{name}_ttl_days");
        let key = format!("CHAFFINCH__POLICY__{}", name.to_uppercase());
        settings.push((key, "181".to_owned()));
        let ended = chaffinch().arg("serve").envs(settings).output().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        assert!(said(&ended).contains(&format!("policy.{name} is 181")), "{}", said(&ended));
    }
}

async fn consents_and_the_policy_last_for_as_long_as_the_server_runs(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/shop");
    bot.consent().await;
    bot.pass_days(200).await;
    assert_eq!(bot.app().ledger().pages(Book::Consent).await.unwrap().len(), 1);
    assert_eq!(bot.app().ledger().pages(Book::Policy).await.unwrap().len(), 1);
}
