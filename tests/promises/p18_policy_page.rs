//! One page says all this.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p18_the_policy_page_says_what_the_configuration_says,
    p18_the_policy_page_says_what_the_ceiling_lets_out,
}

async fn p18_the_policy_page_says_what_the_ceiling_lets_out(on: ForgeKind) {
    for (ceiling, sends_others) in [("function", false), ("related", true), ("file", true)] {
        let bot = Bot::with(on).set("POLICY__CEILING", ceiling).start().await;
        let (_, page) = bot.get("/policy").await;
        assert_eq!(page.contains("of other files what"), sends_others, "{page}");
        assert_eq!(page.contains("commit messages, lines of other files."), !sends_others);
        let change = match on {
            ForgeKind::GitHub => "said on a pull request (",
            ForgeKind::GitLab => "said on a merge request (",
        };
        assert!(page.contains(&format!("Records of what the last run {change}")), "{page}");
    }
}

async fn p18_the_policy_page_says_what_the_configuration_says(on: ForgeKind) {
    let setup = Bot::with(on)
        .set("POLICY__EXCERPT_TOKENS", "811")
        .set("POLICY__CONTENT_REQUESTS", "5")
        .set("POLICY__ANSWER_TTL_DAYS", "17")
        .set("POLICY__RECORD_TTL_DAYS", "18")
        .set("POLICY__RECEIPT_TTL_DAYS", "119")
        .set("POLICY__EVALUATION_TTL_DAYS", "21")
        .set("POLICY__MAX_VENDOR_RETENTION_DAYS", "13")
        .set("POLICY__NOTICE_DAYS", "45");
    let bot = setup.start().await;
    let (status, page) = bot.get("/policy").await;
    assert_eq!(status, 200);
    for number in [
        "at most 811 tokens",
        "at most 5 for a finding",
        "their numbers): 17 days",
        "models' reasons): 18 days",
        "no code): 119 days",
        "without code): 21 days",
        "more than 13 days",
        "acts 45 days",
        "acme/*",
        "test-model",
    ] {
        assert!(page.contains(number), "{number}: {page}");
    }
    assert!(page.contains(&bot.model.url()), "{page}");
    // Each comment leads there.
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let body = change.threads()[0].comments[0].body.clone();
    assert!(body.contains("https://chaffinch.example/policy"), "{body}");
    let receipts = bot.app().receipts().list(&bot.forge.repo_id("acme/shop"), None).await.unwrap();
    assert!(page.contains(&receipts[0].policy_digest), "the page is of that very policy");
}
