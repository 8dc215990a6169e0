//! Code does leave, and each comment says so.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::true_positive;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p11_the_receipt_line_equals_what_the_model_received,
}

async fn p11_the_receipt_line_equals_what_the_model_received(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([true_positive("It is.", "app/db.py:5")]);
    bot.deliver("opened", 7).await;
    let lines = bot.model.requests()[0].lines().len();
    let said = bot.forge.thread(7, "app/db.py:5");
    assert!(said.contains(&format!("{lines} lines of")), "{lines}: {said}");
    assert!(
        said.contains("test-model") && said.contains("https://chaffinch.example/policy"),
        "{said}"
    );
}
