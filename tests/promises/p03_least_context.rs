//! Only the lines that are needed are sent.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;

use super::{SENTINEL, source};
use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p03_only_the_excerpt_is_sent,
}

async fn p03_only_the_excerpt_is_sent(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/shop").base_file("README", "x\n").file("app/db.py", source());
    let change = bot.forge.repo("acme/shop").change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let requests = bot.model.requests();
    let sent = requests[0].body.to_string();
    assert!(sent.contains("cursor.execute") && !sent.contains(SENTINEL));
    let lines = requests[0].lines();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.number <= 6));
    change.threads();
}
