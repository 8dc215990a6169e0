//! Looking again says nothing twice.

use chaffinch_core::{
    DeliveryId, ForgeError, RawReport, ReportId, SourceBytes, Trigger, VaultKind,
};
use chaffinch_egress::ModelError;
use chaffinch_triage::{Done, JobError};

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
    world.forge.push(sha('c'));
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
    world.forge.push(sha('c'));
    world.forge.adds("app/db.py", DB);
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

    // Nor is another scan of the same lines proof that it is.
    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Neutral: 1 earlier finding stands open");

    world.forge.push(sha('c'));
    world.forge.adds("app/db.py", DB);
    world.forge.only_report(semgrep(&[]));
    world.forge.report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Success: no finding touches this change");
}

#[tokio::test]
async fn a_second_scan_of_the_same_lines_takes_nothing_back() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.writes();
    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    assert!(world.forge.writes().is_empty(), "the thread stays as it is");
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"]);
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
}

#[tokio::test]
async fn of_a_tool_with_two_scans_both_are_waited_for() {
    let world = shop();
    let front = || semgrep(&[hit("python.sqli", "app/db.py", 5)]);
    world.model.says(real());
    world.run().await.unwrap();
    world.forge.only_report(semgrep(&[]));
    world.run().await.unwrap();
    world.forge.writes();

    // The head after it: first the scan that never found anything, then the other.
    world.forge.push(sha('c'));
    world.forge.adds("app/db.py", DB);
    let report = |id: &str, bytes: Vec<u8>| RawReport {
        id: ReportId::new(id).unwrap(),
        bytes: SourceBytes::new(bytes),
        to_come: false,
    };
    let job = world.job(Trigger::Change);
    world.try_job(&job, false, vec![report("back", semgrep(&[]))]).await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"], "not resolved yet");
    assert_eq!(world.forge.check_line(), "Neutral: waiting for the report of Semgrep");
    world.try_job(&job, false, vec![report("front", front())]).await.unwrap();
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");

    // Mended: both say so, and only then it is gone.
    world.forge.push(sha('d'));
    world.forge.adds("app/db.py", &DB.replace("cursor.execute(query)", "pass"));
    let job = world.job(Trigger::Change);
    world.try_job(&job, false, vec![report("front-2", semgrep(&[]))]).await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"]);
    world.try_job(&job, false, vec![report("back-2", semgrep(&[]))]).await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5 resolved"]);
    assert_eq!(world.forge.check_line(), "Success: no finding touches this change");
}

#[tokio::test]
async fn a_summary_that_nobody_remembers_is_left_alone_and_not_green() {
    let world = shop();
    world.forge.diff("app/db.py", "@@ -1,2 +1,2 @@\n-import db\n+import sqlite3\n ");
    world.model.says(real());
    world.run().await.unwrap();
    let before = world.forge.summary_text();
    world.forge.writes();
    world.vault.damage(VaultKind::Record, |_| Vec::new());
    world.forge.only_report(sarif("Other", &[]));
    for _ in 0..2 {
        world.run().await.unwrap();
        assert!(world.forge.writes().is_empty());
        assert_eq!(world.forge.summary_text(), before);
        let said = "Neutral: what was said of this commit before is no longer known";
        assert_eq!(world.forge.check_line(), said);
    }
}

#[tokio::test]
async fn a_job_that_is_given_up_on_leaves_no_earlier_green() {
    let world = shop();
    world.forge.only_report(sarif("Other", &[]));
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Success: no finding touches this change");
    let job = world.job(Trigger::Change);
    world.give_up(&job, "the forge is away").await.unwrap();
    assert_eq!(world.forge.check_line(), "Neutral: the triage was given up on: the forge is away");

    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.give_up(&world.job(Trigger::Change), "the forge is away").await.unwrap();
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
}

#[tokio::test]
async fn asking_again_where_no_report_is_left_is_answered() {
    let world = shop();
    world.forge.clear_reports();
    let job = world.job(Trigger::Rerun(DeliveryId::new("d-2").unwrap()));
    assert_eq!(world.try_job(&job, false, vec![]).await.unwrap(), Done::NotYet);
    assert_eq!(world.forge.check_line(), "Neutral: 1 report could not be read");
    let summary = world.forge.head_check().unwrap().summary;
    assert!(summary.contains("let CI upload it again"), "{summary}");
}

#[tokio::test]
async fn a_head_that_the_forge_does_not_show_yet_is_asked_for_again() {
    let world = shop();
    let job = world.job(Trigger::Change);
    world.forge.set(|change| change.head = sha('c'));
    let first = world.try_again(&job, 1, false, vec![]).await;
    assert!(matches!(first, Err(JobError::Retry { .. })), "{first:?}");
    let second = world.try_again(&job, 2, false, vec![]).await.unwrap();
    assert_eq!(second, Done::Superseded { head: sha('c') });
}

#[tokio::test]
async fn threads_stay_few_over_many_runs() {
    let world = shop();
    let lines: Vec<String> = (1..=120).map(|n| format!("run_{n}(request.args['{n}'])")).collect();
    world.forge.adds("app/many.py", &lines.join("\n"));
    let rule = |n: u32| -> &'static str { Box::leak(format!("rule.{n}").into_boxed_str()) };
    let hits: Vec<Hit> = (1..=120).map(|n| hit(rule(n), "app/many.py", n)).collect();
    world.forge.only_report(semgrep(&hits));
    world.model.says(needs_review("Not sure."));
    for _ in 0..3 {
        world.run().await.unwrap();
    }
    assert_eq!(world.forge.threads_at().len(), 50);
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
    assert_eq!(world.forge.check_line(), "Neutral: 2 earlier findings stand open");
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
