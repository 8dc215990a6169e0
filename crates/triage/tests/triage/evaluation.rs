//! What the evaluation log keeps of a call.

use chaffinch_core::{Rung, VaultKind};
use chaffinch_egress::{EvaluationLog, ModelError};
use chaffinch_triage::evaluation;
use serde_json::{Value, json};

use crate::{
    double::{World, repo},
    path::{real, shop},
    reports::{hit, semgrep},
};

/// Every line has a sentinel.
const CODE: &str = "\
def find(cursor, sentinel_alpha):
    query = \"SELECT sentinel_beta WHERE name = '\" + sentinel_alpha + \"'\"
    cursor.execute(query)  # sentinel_gamma
    return cursor.fetchall()  # sentinel_delta
";

/// A scanner that quotes the line in its message.
fn sentinels(mode: EvaluationLog) -> World {
    let mut world = World::new();
    world.policy.evaluation = mode;
    world.forge.adds("app/find.py", CODE);
    let report = String::from_utf8(semgrep(&[hit("python.sqli", "app/find.py", 3)])).unwrap();
    let quoting = "Found in `cursor.execute(query)  # sentinel_gamma`: mind sentinel_alpha.";
    world.forge.report(report.replace("User input reaches a query.", quoting).into_bytes());
    world
}

/// An answer that quotes code wherever it can.
fn quoting() -> String {
    json!({
        "reason": "Line 2 has SELECT sentinel_beta WHERE, and line 3 cursor.execute(query)  # sentinel_gamma.",
        "evidence": [
            {"path": "app/find.py", "line": 3, "quote": "cursor.execute(query)"},
            {"path": "app/find.py", "line": 4, "quote": "is not there, sentinel_delta"},
        ],
        "verdict": "true_positive",
        "remediation": "Do not write `+ sentinel_alpha +`.",
        "fix": "    cursor.execute(query, [sentinel_alpha])  # sentinel_gamma",
        "confidence": 90,
        "needs": ["sentinel_alpha"],
    })
    .to_string()
}

fn entries(world: &World) -> Vec<Value> {
    let all = world.vault.all(VaultKind::Evaluation);
    all.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect()
}

#[tokio::test]
async fn off_keeps_nothing() {
    let world = sentinels(EvaluationLog::Off);
    world.model.says(quoting());
    world.run().await.unwrap();
    assert_eq!(entries(&world).len(), 0);
    assert_eq!(world.model.asked(), 1);
}

#[tokio::test]
async fn references_hold_no_line_of_the_code() {
    let world = sentinels(EvaluationLog::References);
    world.model.says(quoting());
    world.run().await.unwrap();
    let seen = world.model.seen.lock().unwrap()[0].clone();
    for sentinel in ["alpha", "beta", "gamma", "delta"] {
        assert!(seen.contains(&format!("sentinel_{sentinel}")), "it was sent: {seen}");
    }
    let entries = entries(&world);
    assert_eq!(entries.len(), 1, "one a call");
    let text = entries[0].to_string();
    assert!(!text.contains("sentinel"), "{text}");
    for code in ["cursor.execute", "SELECT", "fetchall", "WHERE"] {
        assert!(!text.contains(code), "{code}: {text}");
    }
    let receipt = world.receipts.written.lock().unwrap()[0].clone();
    let entry = &entries[0];
    assert_eq!(entry["receipt"], receipt.id);
    assert_eq!(entry["prompt"]["digest"], receipt.prompt_digest);
    assert_eq!(entry["outcome"], "answered");
    assert_eq!(entry["answer"]["verdict"], "true_positive");
    assert_eq!(entry["answer"]["evidence_held"], false);
    assert_eq!(entry["answer"]["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(entry["answer_digest"], json!(receipt.settled.unwrap().answer_digest));
    assert_eq!(entry["usage"], json!({"input": 100, "cached": 0, "output": 50}));
    assert!(entry.get("full").is_none(), "{text}");
}

#[tokio::test]
async fn a_message_that_quotes_a_line_that_was_not_sent_is_kept_without_it() {
    let mut world = World::new();
    world.policy.ceiling = Rung::Finding;
    world.forge.adds("app/find.py", CODE);
    let report = String::from_utf8(semgrep(&[hit("python.sqli", "app/find.py", 3)])).unwrap();
    let quoting = "It comes back by `return cursor.fetchall()  # sentinel_delta`.";
    world.forge.report(report.replace("User input reaches a query.", quoting).into_bytes());
    world.model.says(real());
    world.run().await.unwrap();
    let seen = world.model.seen.lock().unwrap()[0].clone();
    assert!(!seen.contains("|     4| "), "only the message holds the line: {seen}");
    let entry = entries(&world)[0].to_string();
    assert!(!entry.contains("sentinel") && !entry.contains("fetchall"), "{entry}");
    let records = evaluation::records(&*world.vault, &repo(), None).await.unwrap();
    let all = world.engine().replay(&repo(), &records, &*world.forge, false, &mut |_| ()).await;
    assert!(all[0].rebuilt, "{all:?}");
}

#[tokio::test]
async fn full_keeps_the_prompt_and_the_answer_once_a_call() {
    let world = sentinels(EvaluationLog::Full);
    world.model.says(quoting());
    world.run().await.unwrap();
    let entries = entries(&world);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["full"]["prompt"], world.model.seen.lock().unwrap()[0].as_str());
    assert_eq!(entries[0]["full"]["answer"], quoting());
    // An answer from the cache is no call.
    world.run().await.unwrap();
    assert_eq!(self::entries(&world).len(), 1);
}

#[tokio::test]
async fn neither_mode_holds_what_was_redacted() {
    let secret = format!("ghp_{}", "aZ3bY9cX1dW7eV5fU2gT8hS4iR6jQ0kPLmNo");
    for mode in [EvaluationLog::References, EvaluationLog::Full] {
        let mut world = World::new();
        world.policy.evaluation = mode;
        let code = CODE.replace("sentinel_beta", &secret);
        world.forge.adds("app/find.py", &code);
        world.forge.report(semgrep(&[hit("python.sqli", "app/find.py", 3)]));
        world.model.says(real());
        world.run().await.unwrap();
        assert!(world.model.seen.lock().unwrap()[0].contains("‹secret:"), "it was redacted");
        let text = entries(&world)[0].to_string();
        assert!(!text.contains(&secret) && !text.contains("ghp_"), "{text}");
    }
}

#[tokio::test]
async fn malformed_answers_and_failures_have_an_entry_each() {
    for (mode, kept) in [(EvaluationLog::References, false), (EvaluationLog::Full, true)] {
        let world = sentinels(mode);
        let malformed = "cursor.execute(query)  # sentinel_gamma";
        world.model.says_in_turn([Ok(malformed.into()), Err(ModelError::Refused)]);
        world.run().await.unwrap();
        let mut entries = entries(&world);
        entries.sort_by_key(|entry| entry["receipt"].to_string());
        let words: Vec<_> = entries.iter().map(|entry| entry["outcome"].clone()).collect();
        assert_eq!(words, ["malformed", "refused"]);
        assert!(entries[0]["answer"].is_null() && entries[0]["answer_digest"].is_string());
        assert!(entries[1]["answer"].is_null() && entries[1]["answer_digest"].is_null());
        assert_eq!(entries[0].to_string().contains("sentinel_gamma"), kept);
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_fails_no_triage() {
    let mut world = shop();
    world.vault.refuses(VaultKind::Evaluation);
    world.policy.evaluation = EvaluationLog::Full;
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"]);
    assert_eq!(entries(&world).len(), 0);
}
