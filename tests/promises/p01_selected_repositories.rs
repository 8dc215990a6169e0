//! Only repositories that were selected are worked on.

use chaffinch_core::ForgeKind;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p01_an_unlisted_repository_is_refused_and_recorded,
    a_repository_that_is_added_is_listed_once_its_notice_is_over,
}

async fn p01_an_unlisted_repository_is_refused_and_recorded(on: ForgeKind) {
    let bot = Bot::with(on).set("POLICY__REPOSITORIES", r#"["acme/other"]"#).start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.consent().await;
    let before = bot.forge.calls().len();
    assert_eq!(bot.forge.deliver("opened", 7).await.status, 204);
    assert_eq!(bot.work().await, [""; 0]);
    assert_eq!(bot.forge.calls().len(), before, "the forge is not asked for anything");
    assert!(bot.model.requests().is_empty());
    let (_, metrics) = bot.get("/metrics").await;
    let counted = metrics.lines().find(|line| line.contains(r#"outcome="unlisted""#));
    assert!(counted.is_some_and(|line| line.ends_with(" 1")), "{metrics}");
}

async fn a_repository_that_is_added_is_listed_once_its_notice_is_over(on: ForgeKind) {
    let folder = tempfile::tempdir().unwrap();
    let start = |repositories: &str, clock| {
        let setup = Bot::with(on).set("STORE__URL", super::stored_in(folder.path()));
        setup.set("POLICY__REPOSITORIES", repositories).clock(clock).start()
    };
    let bot = start(r#"["acme/api"]"#, Default::default()).await;
    bot.forge.repo("acme/shop").file("x", "y\n");
    bot.consent().await;
    let clock = bot.clock.clone();
    drop(bot);
    let bot = start(r#"["acme/api", "acme/shop"]"#, clock).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.consent().await;
    for day in 0..30 {
        assert_eq!(bot.forge.deliver("opened", 7).await.status, 204, "on day {day}");
        bot.pass_days(1).await;
    }
    bot.model.answers([chaffinch_sandbox::needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    change.threads();
}
