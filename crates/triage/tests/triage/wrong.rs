//! Whatever goes wrong, nothing reads as "false positive" and nothing is green.

use std::time::Duration;

use chaffinch_core::{Conclusion, ForgeError, Trigger, VaultKind};
use chaffinch_egress::ModelError;
use chaffinch_triage::JobError;
use chrono::{TimeZone, Utc};
use insta::assert_snapshot;

use crate::{
    double::{World, false_positive, sha},
    path::{real, shop},
    reports::{Hit, hit, semgrep},
};

fn assert_not_cleared(world: &World, what: &str) {
    let check = world.forge.head_check().unwrap();
    assert_eq!(check.conclusion, Conclusion::Neutral, "{what}: {}", check.title);
    let said = world.forge.bodies().concat() + &world.forge.summary_text().unwrap_or_default();
    assert!(!said.contains("false positive:"), "{what}: {said}");
    assert!(!said.contains("safe to ignore"), "{what}: {said}");
    assert!(!said.is_empty(), "{what}: nobody was told");
}

/// A model that would say "false positive" if it could.
fn tempted() -> World {
    let world = shop();
    world.forge.only_report(semgrep(&[hit("python.sqli", "app/db.py", 10)]));
    world.model.says(good());
    world
}

fn good() -> String {
    false_positive("A number.", &[("app/db.py", 9, "n = int(n)")])
}

#[tokio::test]
async fn a_failure_of_the_model_is_never_a_verdict() {
    for error in [
        ModelError::Refused,
        ModelError::Cut,
        ModelError::Filtered,
        ModelError::TooLarge,
        ModelError::Quota,
        ModelError::Denied,
        ModelError::Malformed("x".into()),
        ModelError::Other("x".into()),
        ModelError::Unavailable("timed out".into()),
        ModelError::RateLimited { after: None },
    ] {
        let world = tempted();
        world.model.fails(error.clone());
        world.run_last().await.unwrap();
        assert_not_cleared(&world, &error.to_string());
        assert!(world.vault.all(VaultKind::Answer).is_empty(), "{error}: nothing is kept");
        let summary = world.forge.summary_text().unwrap();
        let said =
            summary.contains("went to `tiny-1`") || summary.contains("may have gone to `tiny-1`");
        assert!(said, "what left is said: {summary}");
    }
}

#[tokio::test]
async fn what_would_not_be_sent_has_no_receipt() {
    let world = tempted();
    world.model.closes(ModelError::Quota);
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 0);
    assert!(world.receipts.written.lock().unwrap().is_empty());
    let summary = world.forge.summary_text().unwrap();
    assert!(summary.contains("Nothing was sent to a model."), "{summary}");
    assert_not_cleared(&world, "quota");
}

#[tokio::test]
async fn what_never_left_is_not_said_to_have_gone() {
    let world = tempted();
    world.model.fails(ModelError::Unreachable("cannot connect".into()));
    world.run_last().await.unwrap();
    assert_not_cleared(&world, "unreachable");
    let summary = world.forge.summary_text().unwrap();
    assert!(summary.contains("which was not reached: nothing was sent"), "{summary}");
    assert!(!summary.contains("gone to") && !summary.contains("went to"), "{summary}");
}

#[tokio::test]
async fn a_lie_of_the_model_is_never_a_verdict() {
    for (what, text) in [
        ("no evidence", false_positive("Safe.", &[])),
        ("made-up evidence", false_positive("Safe.", &[("app/db.py", 9, "n = escape(n)")])),
        ("evidence of lines not sent", false_positive("Safe.", &[("app/x.py", 9, "n = int(n)")])),
        ("half an answer", good()[..40].to_owned()),
        ("prose", "This is a false positive.".into()),
    ] {
        let world = tempted();
        world.model.says(text);
        world.run().await.unwrap();
        assert_not_cleared(&world, what);
        assert!(world.vault.all(VaultKind::Answer).is_empty(), "{what}: nothing is kept");
    }
}

#[tokio::test]
async fn a_damaged_cache_is_asked_again() {
    type Damage = fn(&str) -> String;
    let damages: [(&str, Damage); 9] = [
        ("emptied", |_| String::new()),
        ("cut", |text| text[..text.len() / 2].into()),
        ("another version", |text| text.replace("\"version\":2", "\"version\":3")),
        ("another verdict", |text| text.replace("needs_review", "false_positive")),
        ("another line", |text| text.replace("\"line\":9", "\"line\":10")),
        ("another digest", |text| text.replace("\"sha256\":\"", "\"sha256\":\"00")),
        ("another place", |text| text.replace("\"start\":", "\"start\":9")),
        ("no receipt", |text| {
            let at = text.find("\"receipts\":").unwrap();
            format!("{}\"receipts\":[]}}", &text[..at])
        }),
        ("another key", |text| text.replacen('{', "{\"x\":1,", 1)),
    ];
    for (what, damage) in damages {
        let world = tempted();
        let review = what == "another verdict";
        if review {
            world.model.says(crate::double::needs_review("Unclear."));
        }
        world.run().await.unwrap();
        world.vault.damage(VaultKind::Answer, |bytes| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let damaged = damage(&text);
            assert_ne!(text, damaged, "{what}");
            damaged.into_bytes()
        });
        world.model.fails(ModelError::Refused);
        world.run().await.unwrap();
        assert_eq!(world.model.asked(), 2, "{what}: asked again");
        assert_not_cleared(&world, what);
    }
}

#[tokio::test]
async fn a_missing_huge_or_forbidden_file_is_never_a_verdict() {
    for error in [
        ForgeError::NotFound,
        ForgeError::Truncated { limit: 100 },
        ForgeError::Denied { needs: "contents: read".into() },
        ForgeError::Other("odd".into()),
    ] {
        let world = tempted();
        world.forge.no_file("app/db.py", error.clone());
        world.run().await.unwrap();
        assert_not_cleared(&world, &error.to_string());
        assert_eq!(world.model.asked(), 0);
    }
}

#[tokio::test]
async fn a_failed_finding_is_told_in_the_summary() {
    let world = tempted();
    world.model.fails(ModelError::Refused);
    world.run().await.unwrap();
    assert_snapshot!(world.forge.summary_text().unwrap(), @"
    **Triage of this change: 1 not triaged**

    Not triaged (1):

    - **`python.sqli` (high severity)** at `app/db.py:10`: The model declined to answer. <sub>3 lines of `app/db.py` (a prompt of 605 tokens) went to `tiny-1` at `http://127.0.0.1:9` · receipt `00000000f00d0001`</sub>

    <sub>[what may be sent](https://bot.example/policy)</sub>

    <!-- chaffinch:1:summary -->
    ");
    assert_snapshot!(world.forge.check_line(), @"Neutral: 1 finding could not be triaged");
}

#[tokio::test]
async fn trouble_that_may_pass_makes_the_job_come_again() {
    let at = Utc.with_ymd_and_hms(2026, 11, 22, 13, 0, 0).unwrap();
    for method in ["change", "reports", "changed_lines", "file", "threads", "post", "check"] {
        let world = shop();
        world.model.says(real());
        world.forge.fails(method, Some(ForgeError::RateLimited { until: at }));
        let error = world.run().await.unwrap_err();
        assert!(
            matches!(error, JobError::Retry { at: Some(when), .. } if when == at),
            "{method}: {error}"
        );
        world.forge.fails(method, None);
        world.run().await.unwrap();
        assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
    }
    for error in [
        ModelError::RateLimited { after: Some(Duration::from_secs(30)) },
        ModelError::Unavailable("502".into()),
    ] {
        let world = shop();
        let limited = matches!(error, ModelError::RateLimited { .. });
        world.model.fails(error);
        let retry = world.run().await.unwrap_err();
        assert!(matches!(retry, JobError::Retry { at, .. } if at.is_some() == limited), "{retry}");
        assert!(world.forge.writes().is_empty());
    }
    let world = shop();
    world.vault.goes_away(true);
    assert!(matches!(world.run().await, Err(JobError::Retry { .. })));
    world.vault.goes_away(false);
    *world.receipts.away.lock().unwrap() = true;
    assert!(matches!(world.run().await, Err(JobError::Retry { .. })));
    assert_eq!(world.model.asked(), 0, "without a receipt nothing leaves");
    assert!(world.forge.writes().is_empty());
}

#[tokio::test]
async fn answers_that_were_got_before_the_trouble_are_not_asked_for_again() {
    let world = shop();
    world.forge.only_report(semgrep(&[
        hit("python.sqli", "app/db.py", 5),
        hit("python.count", "app/db.py", 10),
    ]));
    world.model.does(|prompt| match prompt.question.expose().contains("python.count") {
        true => Err(ModelError::Unavailable("502".into())),
        false => Ok(real()),
    });
    assert!(world.run().await.is_err());
    assert_eq!(world.vault.all(VaultKind::Answer).len(), 1);
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 3);
}

#[tokio::test]
async fn without_a_receipt_the_last_attempt_says_so_too() {
    let world = tempted();
    *world.receipts.away.lock().unwrap() = true;
    world.run_last().await.unwrap();
    assert_not_cleared(&world, "no receipt");
    assert_eq!(world.model.asked(), 0);
}

#[tokio::test]
async fn a_dead_endpoint_is_not_shown_the_rest() {
    for (error, asked) in [
        (ModelError::Quota, 1),
        (ModelError::Denied, 1),
        (ModelError::Unavailable("down".into()), 3),
    ] {
        let mut world = World::new();
        world.config.concurrency = 1;
        let source = "def f(c, q):\n".to_owned() + &"    c.execute(q)\n".repeat(8);
        world.forge.adds("app/db.py", &source);
        let hits: Vec<Hit> = (2..10).map(|line| hit("python.sqli", "app/db.py", line)).collect();
        world.forge.report(semgrep(&hits));
        world.model.fails(error.clone());
        world.run_last().await.unwrap();
        assert_eq!(world.model.asked(), asked, "{error}");
        assert_eq!(world.forge.check_line(), "Neutral: 8 findings could not be triaged");
    }
}

#[tokio::test]
async fn a_malformed_answer_is_asked_for_once_more() {
    let world = shop();
    let answers = std::sync::Mutex::new(vec![real(), "{}".to_owned()]);
    world.model.does(move |_| Ok(answers.lock().unwrap().pop().unwrap()));
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 2);
    assert_eq!(world.forge.check_line(), "Failure: 1 finding is real");
    let body = &world.forge.bodies()[0];
    assert_eq!(body.matches("went to `tiny-1`").count(), 2, "both disclosures are said: {body}");
}

#[tokio::test]
async fn a_run_asks_no_more_than_it_may() {
    let mut world = shop();
    world.config.max_findings = 1;
    world.forge.only_report(semgrep(&[
        hit("python.sqli", "app/db.py", 5),
        hit("python.count", "app/db.py", 10),
    ]));
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 1);
    let summary = world.forge.summary_text().unwrap();
    assert!(summary.contains("more findings than it may ask about"), "{summary}");
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 2, "answers from the cache do not count");
    assert_eq!(world.forge.check_line(), "Failure: 2 findings are real");
}

#[tokio::test]
async fn a_repository_that_the_policy_does_not_list_is_not_sent() {
    let mut world = tempted();
    world.policy.repositories = vec!["other/*".parse().unwrap()];
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 0);
    assert_not_cleared(&world, "unlisted");
}

#[tokio::test]
async fn what_cannot_pass_is_given_up() {
    let world = shop();
    world.forge.fails("change", Some(ForgeError::NotFound));
    assert!(matches!(world.run().await, Err(JobError::Fail { .. })));
    let needs = "pull_requests: write".to_owned();
    world.forge.fails("change", Some(ForgeError::Denied { needs: needs.clone() }));
    let error = world.run().await.unwrap_err();
    assert!(matches!(&error, JobError::Fail { why } if why.contains(&needs)), "{error}");
    world.forge.fails("change", None);
    let job = chaffinch_core::Job {
        subject: chaffinch_core::Subject::Head,
        head: sha('a'),
        ..world.job(Trigger::Change)
    };
    assert!(matches!(world.try_job(&job, false, vec![]).await, Err(JobError::Fail { .. })));
}

#[tokio::test]
async fn a_result_that_names_no_place_is_not_green() {
    let world = shop();
    let report = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},
        "results":[{"ruleId":"r","level":"error","message":{"text":"m"}}]}]}"#;
    world.forge.only_report(report.as_bytes().to_vec());
    world.run().await.unwrap();
    assert_eq!(world.forge.check_line(), "Neutral: 1 result could not be read");
}
