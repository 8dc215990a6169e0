//! A repository is enabled knowingly: who, when and under which policy is on record.

use chaffinch_core::{Enabling, ForgeKind};
use chaffinch_sandbox::needs_review;
use chaffinch_server::consent;

use super::{run, said};
use crate::harness::{Bot, HandClock, on_both_forges, sarif};

on_both_forges! {
    p17_nothing_is_read_before_consent,
    a_consent_names_who_gave_it,
}

async fn p17_nothing_is_read_before_consent(on: ForgeKind) {
    let folder = tempfile::tempdir().unwrap();
    let setup = Bot::with(on).set("STORE__URL", super::stored_in(folder.path()));
    let bot = setup.clock(HandClock::of_now()).unconsented().start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    let before = bot.forge.calls().len();
    assert_eq!(bot.forge.deliver("opened", 7).await.status, 204);
    assert_eq!(bot.work().await, [""; 0]);
    assert_eq!(bot.forge.calls().len(), before, "nothing is asked for");
    assert_eq!(bot.upload(&change, "{}").await, 403, "and nothing is taken");
    let mut kept = Vec::new();
    bot.app().audit().walk(&mut |stored| kept.push(stored.key)).await.unwrap();
    kept.retain(|key| !key.contains("ledger"));
    assert_eq!(kept, [""; 0], "nor kept");

    // Beside the server that runs.
    let enable = ["enable", "acme/shop", "--by", "Ada Lovelace"];
    let ended = run(&bot, &folder, &enable).await;
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    change.threads();

    let told = run(&bot, &folder, &["consents", "--format", "json"]).await;
    let told = said(&told);
    let act: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
    let act = &act["enabled"];
    assert_eq!(act["by"], "Ada Lovelace");
    assert_eq!(act["how"], "command");
    assert_eq!(act["repo"]["name"], "acme/shop");
    let receipts = bot.app().receipts().list(&bot.forge.repo_id("acme/shop"), None).await.unwrap();
    assert_eq!(act["policy_digest"], receipts[0].policy_digest.as_str());
}

async fn a_consent_names_who_gave_it(on: ForgeKind) {
    let folder = tempfile::tempdir().unwrap();
    let setup = Bot::with(on).set("STORE__URL", super::stored_in(folder.path()));
    let bot = setup.clock(HandClock::of_now()).unconsented().start().await;
    bot.forge.repo("acme/shop");
    for (by, what) in [("", "say who"), ("a\nb", "say who")] {
        let ended = run(&bot, &folder, &["enable", "acme/shop", "--by", by]).await;
        assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
        assert!(said(&ended).contains(what), "{}", said(&ended));
    }
    let ended = run(&bot, &folder, &["enable", "other/place", "--by", "Ada"]).await;
    assert!(said(&ended).contains("not in policy.repositories"), "{}", said(&ended));
    assert!(consent::all(bot.app().ledger()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_the_app_is_consent_where_the_operator_says_so() {
    for says in [false, true] {
        let setup = Bot::with(ForgeKind::GitHub).set("CONSENT__ON_INSTALLATION", says.to_string());
        let bot = setup.unconsented().start().await;
        bot.sqli_change(7);
        bot.forge.repo("elsewhere/unlisted").file("x", "y\n");
        let added = bot.forge.github().deliver("installation.created", 7).await;
        assert_eq!(added.status, 202, "{added:?}");
        let consents = consent::all(bot.app().ledger()).await.unwrap();
        let consents: Vec<_> = consents.into_iter().flatten().collect();
        assert_eq!(consents.len(), usize::from(says), "and not of what the policy does not list");
        if let Some(consent) = consents.first() {
            assert_eq!(consent.how, Enabling::Installation);
            assert!(!consent.by.is_empty());
        }
    }
}
