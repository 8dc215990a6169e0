use chaffinch_core::{Subject, Trigger};
use http::HeaderValue;
use serde_json::{Value, json};

use super::*;

const OURS: u64 = 29310;
const SECRET: &str = "0123456789abcdef";

fn webhook() -> Webhook {
    Webhook::new(vec![SECRET.into()], OURS).unwrap()
}

fn sign(secret: &str, body: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(aws_lc_rs::hmac::sign(&key, body)))
}

fn headers(event: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-hub-signature-256", signature),
    ] {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn receive_bytes(event: &str, body: &[u8]) -> Result<Received, Rejected> {
    webhook().receive(&headers(event, &sign(SECRET, body)), body)
}

fn receive(event: &str, body: Value) -> Result<Received, Rejected> {
    receive_bytes(event, body.to_string().as_bytes())
}

fn shown(outcome: Result<Received, Rejected>) -> String {
    match outcome {
        Ok(Received::Job(job)) => job.key(),
        Ok(Received::Installation(Installation { id, by, what })) => {
            let names = |repos: &[RepoId]| {
                repos
                    .iter()
                    .map(|r| format!("{}={}", r.key(), r.name))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            match what {
                Moved::Added(repos) => format!("installation {id} by {by}: with {}", names(&repos)),
                Moved::Removed(repos) => {
                    format!("installation {id} by {by}: without {}", names(&repos))
                }
                Moved::Uninstalled => format!("installation {id} by {by}: gone"),
            }
        }
        Ok(Received::NotOurs(why)) => format!("not ours: {why}"),
        Err(rejected) => format!("REJECTED {rejected}"),
    }
}

fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn moved(action: &str, list: &str) -> Value {
    json!({
        "action": action,
        "installation": { "id": 5 },
        "sender": { "login": "ada" },
        list: [{ "id": 9, "full_name": "acme/shop", "private": true }],
    })
}

fn pull(action: &str, draft: bool, state: &str) -> Value {
    json!({
        "action": action,
        "installation": { "id": 5 },
        "repository": { "id": 9, "full_name": "acme/shop" },
        "pull_request": { "number": 7, "draft": draft, "state": state, "head": { "sha": sha('a') } },
    })
}

fn suite(action: &str, app: Value, pulls: Value) -> Value {
    json!({
        "action": action,
        "installation": { "id": 5 },
        "repository": { "id": 9, "full_name": "acme/shop" },
        "check_suite": {
            "id": 11, "head_sha": sha('a'), "app": app, "pull_requests": pulls,
            "updated_at": "2026-05-15T15:21:14Z",
        },
    })
}

fn alert(action: &str, reference: &str, commit: &str) -> Value {
    json!({
        "action": action,
        "installation": { "id": 5 },
        "repository": { "id": 9, "full_name": "acme/shop" },
        "ref": reference, "commit_oid": commit,
        "alert": { "number": 3, "tool": { "name": "Semgrep OSS" } },
    })
}

#[test]
fn what_means_work_becomes_a_job_and_the_rest_says_why_not() {
    let one = json!([{ "number": 7, "base": { "repo": { "id": 9 } } }]);
    let two = json!([{ "number": 7 }, { "number": 8 }]);
    let upstream = json!([{ "number": 7, "base": { "repo": { "id": 10 } } }]);
    let other = json!({ "id": 1 });
    let ours = json!({ "id": OURS });
    let run = |action, app: &Value| {
        let mut body = suite(action, app.clone(), json!([]));
        body["check_run"] = body["check_suite"].take();
        body
    };
    let mut repository_hook = pull("opened", false, "open");
    repository_hook["installation"].take();
    let rows = [
        ("pull_request", pull("opened", false, "open")),
        ("pull_request", pull("reopened", false, "open")),
        ("pull_request", pull("ready_for_review", false, "open")),
        ("pull_request", pull("synchronize", false, "open")),
        ("pull_request", pull("opened", true, "open")),
        ("pull_request", pull("synchronize", true, "open")),
        ("pull_request", pull("synchronize", false, "closed")),
        ("pull_request", pull("closed", false, "closed")),
        ("pull_request", pull("invented_tomorrow", false, "open")),
        ("pull_request", repository_hook),
        ("check_suite", suite("completed", other.clone(), one.clone())),
        ("check_suite", suite("completed", other.clone(), two)),
        ("check_suite", suite("completed", other.clone(), json!([]))),
        ("check_suite", suite("completed", other.clone(), upstream)),
        ("check_suite", suite("completed", Value::Null, one.clone())),
        ("check_suite", suite("completed", ours.clone(), one.clone())),
        ("check_suite", suite("rerequested", ours.clone(), one.clone())),
        ("check_suite", suite("rerequested", other.clone(), one)),
        ("check_suite", suite("requested", ours.clone(), json!([]))),
        ("check_run", run("rerequested", &ours)),
        ("check_run", run("rerequested", &other)),
        ("check_run", run("completed", &other)),
        ("code_scanning_alert", alert("created", "refs/pull/7/merge", &sha('c'))),
        ("code_scanning_alert", alert("fixed", "refs/pull/7/head", &sha('a'))),
        ("code_scanning_alert", alert("appeared_in_branch", "refs/heads/main", &sha('a'))),
        ("code_scanning_alert", alert("reopened_by_user", "", "")),
        ("code_scanning_alert", alert("created", "refs/heads/main", "")),
        ("installation", moved("created", "repositories")),
        ("installation", moved("deleted", "repositories")),
        ("installation", json!({ "action": "suspend" })),
        ("installation", json!({ "action": "deleted" })),
        ("installation_repositories", moved("added", "repositories_added")),
        ("installation_repositories", moved("removed", "repositories_removed")),
        ("ping", json!({})),
    ];
    let table = rows.map(|(event, body)| {
        let action = body["action"].as_str().unwrap_or_default().to_owned();
        format!("{event} {action} → {}", shown(receive(event, body)))
    });
    insta::assert_snapshot!(table.join("\n"), @"
    pull_request opened → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    pull_request reopened → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    pull_request ready_for_review → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    pull_request synchronize → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    pull_request opened → not ours: a draft
    pull_request synchronize → not ours: a draft
    pull_request synchronize → not ours: closed
    pull_request closed → not ours: an action that means no work
    pull_request invented_tomorrow → not ours: an action that means no work
    pull_request opened → not ours: no installation: a webhook of a repository, not of the App
    check_suite completed → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:check_suite:11:2026-05-15T15-21-14Z
    check_suite completed → github:5:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:check_suite:11:2026-05-15T15-21-14Z
    check_suite completed → github:5:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:check_suite:11:2026-05-15T15-21-14Z
    check_suite completed → github:5:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:check_suite:11:2026-05-15T15-21-14Z
    check_suite completed → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:check_suite:11:2026-05-15T15-21-14Z
    check_suite completed → not ours: our own check suite
    check_suite rerequested → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:rerun:72d3162e-cc78-11e3-81ab-4c9367dc0958
    check_suite rerequested → not ours: another App's check suite
    check_suite requested → not ours: an action that means no work
    check_run rerequested → github:5:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:rerun:72d3162e-cc78-11e3-81ab-4c9367dc0958
    check_run rerequested → not ours: another App's check run
    check_run completed → not ours: an action that means no work
    code_scanning_alert created → github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS
    code_scanning_alert fixed → github:5:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:code_scanning:Semgrep-OSS
    code_scanning_alert appeared_in_branch → github:5:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:code_scanning:Semgrep-OSS
    code_scanning_alert reopened_by_user → not ours: an action that means no work
    code_scanning_alert created → not ours: an alert without a commit
    installation created → installation 5 by ada: with github:5:9=acme/shop
    installation deleted → installation 5 by ada: gone
    installation suspend → not ours: an action that means no work
    installation deleted → REJECTED malformed: installation: unexpected JSON at line 1, column 20
    installation_repositories added → installation 5 by ada: with github:5:9=acme/shop
    installation_repositories removed → installation 5 by ada: without github:5:9=acme/shop
    ping  → not ours: an event that means no work
    ");
}

#[test]
fn each_category_of_a_tool_is_a_job_of_its_own_and_all_its_alerts_are_one() {
    let key = |number: u64, instance: Value| {
        let mut body = alert("created", "refs/pull/7/merge", &sha('c'));
        body["alert"]["number"] = json!(number);
        body["alert"]["most_recent_instance"] = instance;
        shown(receive("code_scanning_alert", body))
    };
    let java = json!({ "category": "/language:java", "analysis_key": "ci.yml:scan" });
    let go = json!({ "category": "/language:go", "analysis_key": "ci.yml:scan" });
    let keyed = |category: Value| json!({ "category": category, "analysis_key": "ci.yml:scan" });
    let keys = [
        key(1, java.clone()),
        key(2, java),
        key(3, go),
        key(4, keyed(Value::Null)),
        key(5, keyed(json!(""))),
        key(6, Value::Null),
    ];
    insta::assert_snapshot!(keys.join("\n"), @"
    github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS:-language-java
    github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS:-language-java
    github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS:-language-go
    github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS:ci.yml-scan
    github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS:ci.yml-scan
    github:5:9:7:cccccccccccccccccccccccccccccccccccccccc:scan:code_scanning:Semgrep-OSS
    ");
}

#[test]
fn a_rerun_is_told_from_the_next_one_by_its_delivery() {
    let body = suite("rerequested", json!({ "id": OURS }), json!([]));
    let Ok(Received::Job(job)) = receive("check_suite", body) else { panic!("no job") };
    assert_eq!(job.source, Trigger::Rerun(job.delivery.clone()));
    assert_eq!(job.subject, Subject::Head);
}

#[test]
fn nothing_is_parsed_before_the_signature_fits() {
    for signature in ["", "sha256=00", &sign("another-secret-of-16", b"not json")] {
        let outcome = webhook().receive(&headers("pull_request", signature), b"not json");
        assert_eq!(outcome, Err(Rejected::BadSignature));
    }
    let mut none = headers("pull_request", "");
    none.remove("x-hub-signature-256");
    assert_eq!(webhook().receive(&none, b""), Err(Rejected::BadSignature));
}

#[test]
fn while_a_secret_is_rotated_both_are_accepted() {
    let both = vec!["the-secret-in-force".into(), "the-secret-before-it".into()];
    let webhook = Webhook::new(both, OURS).unwrap();
    for secret in ["the-secret-in-force", "the-secret-before-it"] {
        assert!(webhook.receive(&headers("ping", &sign(secret, b"{}")), b"{}").is_ok());
    }
    let stranger = headers("ping", &sign("the-secret-before-that", b"{}"));
    assert_eq!(webhook.receive(&stranger, b"{}"), Err(Rejected::BadSignature));
}

#[test]
fn no_webhook_starts_without_a_proper_secret() {
    let new = |secrets: &[&str]| {
        Webhook::new(secrets.iter().map(|s| SecretString::from(*s)).collect(), OURS).err()
    };
    assert_eq!(new(&[]), Some(ConfigError::NoSecret));
    assert_eq!(new(&[""]), Some(ConfigError::ShortSecret(16)));
    assert_eq!(new(&[SECRET, "short"]), Some(ConfigError::ShortSecret(16)));
    assert_eq!(new(&[SECRET, SECRET, SECRET]), Some(ConfigError::TooManySecrets));
    assert_eq!(new(&[SECRET]), None);
}

#[test]
fn a_form_is_unsupported_and_damaged_json_is_malformed() {
    let body = b"payload=%7B%7D";
    let mut form = headers("pull_request", &sign(SECRET, body));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    form.insert("content-type", kind);
    assert!(matches!(webhook().receive(&form, body), Err(Rejected::Unsupported(_))));

    let sentinel = br#"{"action": "opened", "repository": "sentinel"}"#;
    let Err(Rejected::Malformed(why)) = receive_bytes("pull_request", sentinel) else {
        panic!("accepted")
    };
    assert!(!why.contains("sentinel"), "{why}");
    let deep = "[".repeat(100_000);
    assert!(matches!(receive_bytes("check_run", deep.as_bytes()), Err(Rejected::Malformed(_))));

    for header in ["x-github-event", "x-github-delivery"] {
        let mut headers = headers("ping", &sign(SECRET, b"{}"));
        headers.remove(header);
        assert!(matches!(webhook().receive(&headers, b"{}"), Err(Rejected::Malformed(_))));
    }
}

#[test]
fn testdata_every_published_delivery_is_read() {
    let Some(folder) = crate::testdata::folder("protocol/github/webhooks") else { return };
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: Vec<Value> = serde_json::from_slice(&index).unwrap();
    assert!(index.len() >= 88);
    let mut table = std::collections::BTreeMap::<String, usize>::new();
    for entry in index {
        let body = std::fs::read(folder.join(entry["file"].as_str().unwrap())).unwrap();
        let event = entry["event"].as_str().unwrap();
        let outcome = match receive_bytes(event, &body) {
            Ok(Received::Job(job)) => format!("{:?} {:?}", job.subject, job.source),
            outcome => shown(outcome),
        };
        assert!(!outcome.contains("REJECTED"), "{}: {outcome}", entry["file"]);
        let action = entry["action"].as_str().unwrap_or("-");
        *table.entry(format!("{event} {action} → {outcome}")).or_default() += 1;
    }
    let table: Vec<_> = table.into_iter().map(|(row, n)| format!("{n} × {row}")).collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    3 × check_run completed → not ours: an action that means no work
    2 × check_run created → not ours: an action that means no work
    1 × check_run requested_action → not ours: an action that means no work
    1 × check_run rerequested → not ours: another App's check run
    3 × check_suite completed → not ours: our own check suite
    2 × check_suite requested → not ours: an action that means no work
    1 × check_suite rerequested → Change(2) Rerun(DeliveryId("72d3162e-cc78-11e3-81ab-4c9367dc0958"))
    1 × code_scanning_alert closed_by_user → not ours: an action that means no work
    1 × code_scanning_alert created → Head Scan("code_scanning:CodeQL")
    1 × code_scanning_alert reopened → Head Scan("code_scanning:Rubocop")
    1 × code_scanning_alert reopened → not ours: no installation: a webhook of a repository, not of the App
    1 × code_scanning_alert reopened_by_user → not ours: an action that means no work
    1 × github_app_authorization revoked → not ours: an event that means no work
    1 × installation created → installation 39593433 by gagbo: with github:39593433:29128586=gagbo/ViscoElRebound github:39593433:51965720=gagbo/Sizr github:39593433:665086759=gagbo/octocrab
    1 × installation created → installation 957387 by Codertocat: with github:957387:186853002=Codertocat/Hello-World
    1 × installation deleted → installation 2 by octocat: gone
    2 × installation new_permissions_accepted → not ours: an action that means no work
    1 × installation suspend → not ours: an action that means no work
    1 × installation_repositories added → installation 957387 by Codertocat: with github:957387:186853007=Codertocat/Space
    1 × installation_repositories removed → installation 2 by octocat: without github:2:1296269=octocat/Hello-World
    1 × installation_repositories removed → installation 7777777 by gagbo: without github:7777777:455581571=gagbo/otp
    4 × issue_comment created → not ours: an event that means no work
    1 × issue_comment deleted → not ours: an event that means no work
    2 × issue_comment edited → not ours: an event that means no work
    4 × ping - → not ours: an event that means no work
    1 × pull_request assigned → not ours: an action that means no work
    2 × pull_request closed → not ours: an action that means no work
    2 × pull_request converted_to_draft → not ours: an action that means no work
    1 × pull_request edited → not ours: an action that means no work
    2 × pull_request labeled → not ours: an action that means no work
    1 × pull_request locked → not ours: an action that means no work
    2 × pull_request opened → Change(2) Change
    2 × pull_request opened → not ours: no installation: a webhook of a repository, not of the App
    2 × pull_request ready_for_review → not ours: no installation: a webhook of a repository, not of the App
    1 × pull_request reopened → Change(2) Change
    1 × pull_request reopened → not ours: no installation: a webhook of a repository, not of the App
    1 × pull_request review_requested → not ours: an action that means no work
    1 × pull_request synchronize → Change(2) Change
    1 × pull_request synchronize → Change(5) Change
    1 × pull_request unassigned → not ours: an action that means no work
    1 × pull_request unlabeled → not ours: an action that means no work
    1 × pull_request unlocked → not ours: an action that means no work
    1 × pull_request_review edited → not ours: an event that means no work
    2 × pull_request_review submitted → not ours: an event that means no work
    3 × pull_request_review_comment created → not ours: an event that means no work
    1 × pull_request_review_comment deleted → not ours: an event that means no work
    1 × pull_request_review_comment edited → not ours: an event that means no work
    1 × pull_request_review_thread resolved → not ours: an event that means no work
    5 × push - → not ours: an event that means no work
    1 × repository created → not ours: an event that means no work
    1 × repository deleted → not ours: an event that means no work
    1 × repository edited → not ours: an event that means no work
    1 × repository privatized → not ours: an event that means no work
    2 × repository publicized → not ours: an event that means no work
    1 × repository renamed → not ours: an event that means no work
    2 × repository transferred → not ours: an event that means no work
    2 × workflow_run completed → not ours: an event that means no work
    1 × workflow_run requested → not ours: an event that means no work
    "#);
}
