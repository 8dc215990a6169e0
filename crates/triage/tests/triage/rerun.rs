//! Looking again says nothing twice.

use chaffinch_core::{ForgeError, VaultKind};
use chaffinch_egress::ModelError;
use chaffinch_triage::Done;

use crate::{
    double::{false_positive, needs_review, sha, true_positive},
    path::{DB, real, shop},
    reports::{Hit, hit, sarif, semgrep},
};

#[tokio::test]
async fn a_rerun_asks_nothing_and_writes_nothing() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["post 1"]);
    let done = world.run().await.unwrap();
    assert!(matches!(done, Done::Published { cached: 1, .. }), "{done:?}");
    assert_eq!(world.model.asked(), 1, "the answer is in the cache");
    assert!(world.forge.writes().is_empty());
}

#[tokio::test]
async fn a_rerun_edits_the_same_comment() {
    let mut world = shop();
    world.model.says(needs_review("Not sure."));
    world.run().await.unwrap();
    world.forge.writes();
    world.config.max_output_tokens += 1;
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["edit c-0"]);
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"]);
    assert!(world.forge.bodies()[0].starts_with("**Real: `python.sqli`"));
}

#[tokio::test]
async fn a_failure_does_not_undo_what_was_found_out_about_the_same_head() {
    let mut world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    world.config.max_output_tokens += 1;
    world.model.fails(ModelError::Refused);
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 2);
    assert!(world.forge.writes().is_empty());
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
}

#[tokio::test]
async fn a_failure_undoes_a_likely_false_positive() {
    let mut world = shop();
    world.forge.only_report(semgrep(&[hit("python.sqli", "app/db.py", 10)]));
    world.model.says(false_positive("A number.", &[("app/db.py", 9, "n = int(n)")]));
    world.run().await.unwrap();
    world.forge.writes();
    world.config.max_output_tokens += 1;
    world.model.fails(ModelError::Refused);
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["edit c-0"]);
    assert!(world.forge.bodies()[0].starts_with("**Not triaged"));
    assert_eq!(world.forge.check_line(), "Neutral: 1 finding could not be triaged");
}

#[tokio::test]
async fn a_crash_after_posting_posts_nothing_twice() {
    let world = shop();
    world.model.says(real());
    let away = ForgeError::Unavailable { why: "502".into() };
    world.forge.fails("check", Some(away));
    assert!(world.run().await.is_err());
    assert_eq!(world.forge.writes(), ["post 1"]);
    world.forge.fails("check", None);
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
    assert_eq!(world.model.asked(), 1);
}

#[tokio::test]
async fn a_later_report_only_adds_what_is_new() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    let before = world.forge.bodies();
    world.forge.writes();

    world.forge.only_report(sarif("Other", &[hit("other.rule", "app/db.py", 10)]));
    world.model.says(true_positive("Line 10 runs it.", &[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["post 1"]);
    assert_eq!(world.forge.bodies()[0], before[0]);
    assert_eq!(world.forge.threads_at(), ["app/db.py:5", "app/db.py:10"]);
    assert_eq!(world.forge.check_line(), "Failure: 2 findings are real", "both tools count");
    assert_eq!(world.forge.head_check().unwrap().annotations.len(), 2);
    assert_eq!(world.forge.summary_text(), None);
}

#[tokio::test]
async fn what_an_earlier_report_put_into_the_summary_stays_there() {
    let world = shop();
    world.forge.diff("app/db.py", "@@ -1,2 +1,2 @@\n-import db\n+import sqlite3\n ");
    world.model.says(real());
    world.run().await.unwrap();
    let before = world.forge.summary_text();
    world.forge.writes();
    world.forge.only_report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty(), "the record says the same");
    assert_eq!(world.forge.summary_text(), before);
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
}

#[tokio::test]
async fn a_finding_that_is_gone_is_resolved_by_its_own_tool_alone() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.somebody_replies();
    world.forge.push(sha('c'));
    world.forge.adds("app/db.py", &DB.replace("cursor.execute(query)", "pass"));
    world.forge.writes();

    world.forge.report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
    assert_eq!(world.forge.check_line(), "Neutral: waiting for the report of Semgrep OSS");

    world.forge.report(semgrep(&[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["resolve t-0"]);
    assert_eq!(world.forge.bodies().len(), 1, "never deleted");
    assert_eq!(world.forge.check_line(), "Success: no finding touches this change");

    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
}

#[tokio::test]
async fn nothing_is_resolved_while_a_report_cannot_be_read() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    world.forge.only_report(semgrep(&[]));
    world.forge.report(b"<html>".to_vec());
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
}

#[tokio::test]
async fn a_finding_that_moves_keeps_its_thread() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    world.forge.push(sha('c'));
    world.forge.adds("app/db.py", &format!("# one line more\n{DB}"));
    world.forge.report(semgrep(&[hit("python.sqli", "app/db.py", 6)]));
    world.model.says(true_positive("Line 6 runs it.", &[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["edit c-0"]);
}

#[tokio::test]
async fn one_of_two_on_a_line_may_go() {
    let world = shop();
    let both = [hit("python.sqli", "app/db.py", 5), hit("python.raw-query", "app/db.py", 5)];
    world.forge.only_report(semgrep(&both));
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    for left in both {
        world.forge.only_report(semgrep(&[left]));
        world.run().await.unwrap();
        let body = &world.forge.bodies()[0];
        assert_eq!(body.matches("<!-- chaffinch:1:finding:").count(), 1);
        world.forge.only_report(semgrep(&both));
        world.run().await.unwrap();
    }
    assert!(world.forge.threads_at().iter().all(|at| !at.contains("resolved")));
}

#[tokio::test]
async fn a_summary_with_nothing_left_to_say_says_so() {
    let world = shop();
    world.forge.diff("app/db.py", "@@ -1,2 +1,2 @@\n-import db\n+import sqlite3\n ");
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.writes(), ["summary"]);
    let summary = world.forge.summary_text().unwrap();
    assert!(summary.starts_with("No finding touches this change any more."), "{summary}");
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
}

#[tokio::test]
async fn a_comment_that_somebody_deleted_is_no_error() {
    let mut world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.config.policy_url = None;
    world.forge.fails("edit", Some(ForgeError::NotFound));
    world.run().await.unwrap();
}

#[tokio::test]
async fn a_finding_that_comes_back_opens_the_thread_that_we_closed() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5 resolved"]);
    world.forge.writes();
    for error in [
        Some(ForgeError::Denied { needs: "contents: write".into() }),
        Some(ForgeError::Refused { why: "no".into() }),
        None,
    ] {
        let allowed = error.is_none();
        world.forge.fails("reopen", error);
        world.forge.only_report(semgrep(&[hit("python.sqli", "app/db.py", 5)]));
        world.run().await.unwrap();
        assert_eq!(world.forge.writes().contains(&"reopen t-0".to_owned()), allowed);
        assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
    }
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"], "and no second one");
}

#[tokio::test]
async fn a_thread_that_a_person_closed_stays_closed() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.somebody_resolves();
    world.forge.writes();
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
    assert_eq!(world.forge.threads_at(), ["app/db.py:5 resolved"]);
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
}

#[tokio::test]
async fn an_open_thread_that_nothing_speaks_of_keeps_the_check_from_green() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    world.vault.damage(VaultKind::Record, |_| Vec::new());
    world.forge.only_report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty());
    assert_eq!(world.forge.check_line(), "Neutral: 1 earlier finding stands open");
    let summary = world.forge.head_check().unwrap().summary;
    assert!(summary.contains("no report says that it is gone"), "{summary}");

    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Success: no finding touches this change");
}

#[tokio::test]
async fn a_thread_of_two_tools_remembers_the_one_that_did_not_report() {
    let world = shop();
    world.forge.report(sarif("Other", &[hit("other.rule", "app/db.py", 5)]));
    world.model.says(real());
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"]);
    world.vault.damage(VaultKind::Record, |_| Vec::new());
    world.forge.only_report(sarif("Other", &[hit("other.rule", "app/db.py", 5)]));
    world.model.says(real());
    world.run().await.unwrap();
    let markers = world.forge.bodies()[0].matches("<!-- chaffinch:1:finding:").count();
    assert_eq!(markers, 2);
    world.vault.damage(VaultKind::Record, |_| Vec::new());
    world.forge.only_report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"], "not resolved");
    assert_eq!(world.forge.check_line(), "Neutral: 1 earlier finding stands open");
}

/// A report of Semgrep's whose scan failed, with these findings all the same.
fn failed(hits: &[Hit]) -> Vec<u8> {
    let mut report: serde_json::Value = serde_json::from_slice(&semgrep(hits)).unwrap();
    report["errors"] = serde_json::json!([{"level": "error", "type": "FatalError"}]);
    report.to_string().into_bytes()
}

#[tokio::test]
async fn a_scan_that_failed_is_not_green_and_its_findings_count() {
    let world = shop();
    for (report, want) in [
        (failed(&[]), "Neutral: the scan of Semgrep did not come to its end"),
        (
            br#"{"version": "2.1.0", "runs": []}"#.to_vec(),
            "Neutral: a report has no run of any tool",
        ),
    ] {
        world.forge.only_report(report);
        world.run().await.unwrap();
        assert_eq!(world.forge.check_line(), want);
    }
    world.forge.only_report(failed(&[hit("python.sqli", "app/db.py", 5)]));
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
    let summary = world.forge.head_check().unwrap().summary;
    assert!(summary.contains("the tool lists errors of its scan"), "{summary}");
}

#[tokio::test]
async fn a_scan_that_failed_closes_nothing_and_undoes_nothing() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    for report in [failed(&[]), br#"{"version": "2.1.0", "runs": []}"#.to_vec()] {
        world.forge.only_report(report);
        world.run().await.unwrap();
        assert!(world.forge.writes().is_empty());
        assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
    }
}

#[tokio::test]
async fn a_scan_that_failed_is_remembered_until_the_tool_reports_again() {
    let world = shop();
    world.forge.only_report(failed(&[]));
    world.run().await.unwrap();
    world.forge.only_report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Neutral: waiting for the report of Semgrep");
    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Success: no finding touches this change");
}

#[tokio::test]
async fn two_tools_that_say_the_same_of_a_line_have_two_findings() {
    let world = shop();
    world.forge.only_report(sarif("One", &[hit("a.rule", "app/db.py", 5)]));
    world.forge.report(sarif("Other", &[hit("a.rule", "app/db.py", 5)]));
    world.model.says(real());
    world.model.says(real());
    let done = world.run().await.unwrap();
    assert!(matches!(done, Done::Published { findings: 2, .. }), "{done:?}");
}

#[tokio::test]
async fn the_record_keeps_no_more_of_a_models_words_than_the_reason() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    let record = world.vault.all(VaultKind::Record).remove(0);
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let outcome = &record["outcomes"][0];
    assert!(!outcome["triage"]["reason"].as_str().unwrap().is_empty());
    assert!(outcome["triage"]["remediation"].is_null());
    assert_eq!(outcome["needs"], serde_json::json!([]));
}
