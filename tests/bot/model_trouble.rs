//! A model that refuses, cuts, lies, or is not there. None of it may read as "false positive" or green.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{self as sandbox, Reply, false_positive};
use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{Bot, Change, Setup, on_both_forges, sarif};

on_both_forges! {
    an_answer_that_fails_is_never_a_false_positive,
    a_rate_limited_model_is_asked_again_when_it_says,
    a_model_that_stays_away_ends_in_a_neutral_check,
    answers_already_got_survive_a_retry,
}

async fn one_finding(bot: &Bot) -> Change {
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("python.sqli", "app/db.py", 5)]));
    change
}

/// One finding, one answer: what the thread says, and how the check ends.
async fn answered(name: &str, setup: Setup, reply: Reply) -> (String, String) {
    let bot = setup.start().await;
    let change = one_finding(&bot).await;
    bot.model.answer_with(move |_| reply.clone());
    assert_eq!(bot.deliver("opened", 7).await, ["published"], "{name}");
    let said = format!("{}\n{}", bot.forge.thread(7, "app/db.py:5"), change.summary());
    (said, change.conclusion())
}

async fn an_answer_that_fails_is_never_a_false_positive(on: ForgeKind) {
    let made_up = r#"{"reason":"Safe.","evidence":[{"path":"app/db.py","line":5,"quote":"query = sanitize(name)"}],"verdict":"false_positive","remediation":"","confidence":99,"needs":[]}"#;
    let elsewhere = r#"{"reason":"Safe.","evidence":[{"path":"app/db.py","line":2,"quote":"cursor.execute(\"SELECT * FROM users WHERE name = '\" + name + \"'\")"}],"verdict":"false_positive","remediation":"","confidence":99,"needs":[]}"#;
    let without = r#"{"reason":"Safe.","evidence":[],"verdict":"false_positive","remediation":"","confidence":99,"needs":[]}"#;
    let no_shape = r#"{"verdict":"false_positive"}"#;
    let quota = json!({"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota", "param": null}});
    let rows = [
        ("refuses", sandbox::refusal(), "declined"),
        ("cuts", sandbox::cut(), "cut off"),
        ("filters", sandbox::filtered(), "filter"),
        ("talks", sandbox::malformed("Sure! It is a false positive."), "shape"),
    ];
    for api in ["responses", "chat"] {
        for (name, reply, says) in &rows {
            let (said, check) =
                answered(name, Bot::with(on).set("MODEL__API", api), reply.clone()).await;
            assert!(said.contains(says), "{api}, {name}: {said}");
            assert_eq!(check, "neutral", "{api}, {name}");
        }
    }
    for (text, says) in
        [(made_up, "evidence"), (elsewhere, "evidence"), (without, "evidence"), (no_shape, "shape")]
    {
        let (said, check) = answered(text, Bot::with(on), sandbox::malformed(text)).await;
        assert!(said.contains(says), "{text}: {said}");
        assert!(!said.contains("safe to ignore"), "{text}: {said}");
        assert_eq!(check, "neutral", "{text}");
    }
    let (said, check) = answered("quota", Bot::with(on), sandbox::http(429, quota, &[])).await;
    assert!(said.contains("quota"), "{said}");
    assert_eq!(check, "neutral");
}

async fn a_rate_limited_model_is_asked_again_when_it_says(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = one_finding(&bot).await;
    let limited = json!({"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}});
    bot.model.answers([
        sandbox::http(429, limited, &[("retry-after", "90")]),
        false_positive("The value is bound.", "app/db.py:5"),
    ]);
    let ended = bot.deliver("opened", 7).await;
    assert!(ended[0].starts_with("retry"), "{ended:?}");
    assert!(change.threads().is_empty() && change.checks().is_empty());
    bot.clock.advance(TimeDelta::seconds(80));
    assert!(bot.work().await.is_empty(), "not before");
    bot.clock.advance(TimeDelta::seconds(20));
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(change.threads().len(), 1);
    change.check();
}

async fn a_model_that_stays_away_ends_in_a_neutral_check(on: ForgeKind) {
    let bot = Bot::with(on).set("TRIAGE__PUBLISH_AFTER", "3").start().await;
    let change = one_finding(&bot).await;
    bot.model.answers([
        sandbox::hang(),
        sandbox::drop_connection(),
        sandbox::http(503, json!({}), &[]),
    ]);
    let mut ended = bot.deliver("opened", 7).await;
    for _ in 0..2 {
        bot.clock.advance(TimeDelta::minutes(30));
        ended.extend(bot.work().await);
    }
    assert_eq!(ended.len(), 3);
    assert_eq!(ended.last().unwrap(), "published");
    assert!(change.summary().contains("did not answer"), "{}", change.summary());
    assert_eq!(change.conclusion(), "neutral");
}

async fn answers_already_got_survive_a_retry(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule.one", "app/db.py", 5), ("rule.two", "app/db.py", 3)]));
    bot.model.answer_with({
        let failed = std::sync::atomic::AtomicBool::new(false);
        move |request| {
            let second = request.body.to_string().contains("rule.two");
            if second && !failed.swap(true, std::sync::atomic::Ordering::SeqCst) {
                return sandbox::http(503, json!({}), &[]);
            }
            sandbox::needs_review("Not enough is shown.")
        }
    });
    bot.deliver("opened", 7).await;
    bot.clock.advance(TimeDelta::minutes(1));
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(bot.model.requests().len(), 3, "the first finding was asked about once");
    assert_eq!(change.threads().len(), 2);
    change.check();
}
