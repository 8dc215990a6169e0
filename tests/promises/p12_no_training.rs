//! Every request forbids that it is stored.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p12_every_request_forbids_storage,
}

async fn p12_every_request_forbids_storage(on: ForgeKind) {
    for api in ["chat", "responses"] {
        let bot = Bot::with(on).set("MODEL__API", api).start().await;
        let change = bot.sqli_change(7);
        change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
        bot.model.answers([needs_review("Not enough is shown.")]);
        bot.deliver("opened", 7).await;
        assert_eq!(bot.model.requests()[0].body["store"], false);
        change.threads();
    }
}
