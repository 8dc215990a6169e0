mod authentic;

use std::collections::HashSet;

use chaffinch_core::{Subject, Trigger};
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "0123456789abcdef";
const NOW: i64 = 1_790_000_000;

struct Still(i64);

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap()
    }
}

fn secret(projects: Option<&str>, secret: &str) -> HookSecret {
    HookSecret { projects: projects.map(|p| p.parse().unwrap()), secret: secret.into() }
}

fn config(secrets: Vec<HookSecret>) -> WebhookConfig {
    let url = Url::parse("https://git.example.com/gitlab/").unwrap();
    WebhookConfig { url, secrets, jobs: vec!["semgrep".into()] }
}

fn webhook(secrets: Vec<HookSecret>) -> Webhook {
    Webhook::new(config(secrets), Arc::new(Still(NOW))).unwrap()
}

fn headers(all: &[(&str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    all.iter().map(header).collect()
}

fn receive_bytes(body: &[u8]) -> Result<Received, Rejected> {
    webhook(vec![secret(None, SECRET)]).receive(&headers(&[("x-gitlab-token", SECRET)]), body)
}

fn receive(body: &Value) -> Result<Received, Rejected> {
    receive_bytes(body.to_string().as_bytes())
}

fn shown(outcome: Result<Received, Rejected>) -> String {
    match outcome {
        Ok(Received::Job(job)) => format!("{} {}", job.repo.name, job.key()),
        Ok(Received::NotOurs(why)) => format!("not ours: {why}"),
        Err(rejected) => format!("REJECTED {rejected}"),
    }
}

fn job(body: &Value) -> Job {
    match receive(body) {
        Ok(Received::Job(job)) => job,
        other => panic!("{}", shown(other)),
    }
}

fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn project() -> Value {
    json!({ "id": 9, "path_with_namespace": "acme/team/shop", "name": "not read" })
}

fn merge_request(more: Value, changes: Value) -> Value {
    let mut attributes = json!({
        "iid": 7, "state": "opened", "draft": false, "work_in_progress": false,
        "last_commit": { "id": sha('a') }, "title": "not read",
    });
    attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "object_kind": "merge_request", "project": project(), "object_attributes": attributes,
        "changes": changes,
    })
}

#[test]
fn new_commits_and_new_merge_requests_mean_work_and_the_rest_says_why_not() {
    let ready = json!({ "draft": { "previous": true, "current": false } });
    let ready_once = json!({ "work_in_progress": { "previous": true, "current": false } });
    let title = json!({ "title": { "previous": "a", "current": "b" } });
    let update = || json!({ "action": "update" });
    let rows = [
        merge_request(json!({ "action": "open" }), json!({})),
        merge_request(json!({ "action": "reopen" }), json!({})),
        merge_request(json!({ "action": "update", "oldrev": sha('b') }), json!({})),
        merge_request(json!({ "action": "update", "oldrev": null }), title.clone()),
        merge_request(update(), title),
        merge_request(update(), ready),
        merge_request(update(), ready_once),
        merge_request(update(), json!({ "draft": { "previous": false, "current": true } })),
        merge_request(json!({}), json!({})),
        merge_request(json!({ "action": null }), json!([])),
        merge_request(json!({ "action": "open", "draft": null, "state": null }), Value::Null),
        merge_request(json!({ "action": "open", "draft": true }), json!({})),
        merge_request(
            json!({ "action": "open", "draft": null, "work_in_progress": true }),
            json!({}),
        ),
        merge_request(
            json!({ "action": "update", "oldrev": sha('b'), "state": "merged" }),
            json!({}),
        ),
        merge_request(json!({ "action": "approved" }), json!({})),
        merge_request(json!({ "action": "invented_tomorrow" }), json!({})),
        merge_request(json!({ "action": "open", "last_commit": null }), json!({})),
        merge_request(json!({ "action": "open", "last_commit": { "id": "HEAD" } }), json!({})),
        json!({ "object_kind": "merge_request" }),
        json!({ "object_kind": "note", "object_attributes": 3 }),
        json!({ "object_kind": "push" }),
        json!({ "template": "of the hook's owner" }),
    ];
    let table = rows.map(|body| {
        let (action, oldrev) =
            (&body["object_attributes"]["action"], &body["object_attributes"]["oldrev"]);
        let oldrev = if oldrev.is_string() { "oldrev" } else { "" };
        format!("{} {action} {oldrev} → {}", body["object_kind"], shown(receive(&body)))
    });
    insta::assert_snapshot!(table.join("\n"), @r#"
    "merge_request" "open"  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "reopen"  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "update" oldrev → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "update"  → not ours: an update without new commits
    "merge_request" "update"  → not ours: an update without new commits
    "merge_request" "update"  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "update"  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "update"  → not ours: an update without new commits
    "merge_request" null  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" null  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "open"  → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:change
    "merge_request" "open"  → not ours: a draft
    "merge_request" "open"  → not ours: a draft
    "merge_request" "update" oldrev → not ours: closed
    "merge_request" "approved"  → not ours: an action that means no work
    "merge_request" "invented_tomorrow"  → not ours: an action that means no work
    "merge_request" "open"  → not ours: a merge request without a commit
    "merge_request" "open"  → not ours: a commit whose id we cannot hold
    "merge_request" null  → not ours: an event without what we read of it
    "note" null  → not ours: a comment
    "push" null  → not ours: an event that means no work
    null null  → not ours: an event that means no work
    "#);
}

fn pipeline(status: &str, more: Value, request: Value, builds: Value) -> Value {
    let mut attributes = json!({
        "id": 31, "sha": sha('a'), "ref": "topic", "tag": false, "status": status,
        "source": "push", "finished_at": "2026-05-15 15:26:29 UTC",
    });
    attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "object_kind": "pipeline", "project": project(), "object_attributes": attributes,
        "merge_request": request, "builds": builds,
    })
}

#[test]
fn a_pipeline_that_is_done_means_work() {
    let named = |target: Value| json!({ "iid": 7, "target_project_id": target });
    let none = || json!([]);
    let own_ref = json!({ "ref": "refs/merge-requests/8/merge" });
    let rows = [
        pipeline("success", json!({}), Value::Null, none()),
        pipeline("failed", json!({}), named(json!(9)), none()),
        pipeline("canceled", json!({}), named(Value::Null), none()),
        pipeline("manual", json!({ "finished_at": null }), named(json!(9)), none()),
        pipeline("success", json!({}), named(json!(10)), none()),
        pipeline("success", own_ref, Value::Null, none()),
        pipeline("success", json!({ "tag": null, "source": null }), Value::Null, Value::Null),
        pipeline("running", json!({}), Value::Null, none()),
        pipeline("skipped", json!({}), Value::Null, none()),
        pipeline("success", json!({ "tag": true }), Value::Null, none()),
        pipeline("success", json!({ "source": "external" }), Value::Null, none()),
    ];
    let table = rows
        .map(|body| format!("{} → {}", body["object_attributes"]["status"], shown(receive(&body))));
    insta::assert_snapshot!(table.join("\n"), @r#"
    "success" → acme/team/shop gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:2026-05-15-15-26-29-UTC
    "failed" → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:2026-05-15-15-26-29-UTC
    "canceled" → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:2026-05-15-15-26-29-UTC
    "manual" → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:manual
    "success" → acme/team/shop gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:2026-05-15-15-26-29-UTC
    "success" → acme/team/shop gitlab:9:9:8:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:2026-05-15-15-26-29-UTC
    "success" → acme/team/shop gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:pipeline:31:2026-05-15-15-26-29-UTC
    "running" → not ours: a pipeline that is not done
    "skipped" → not ours: a pipeline that is not done
    "success" → not ours: a pipeline of a tag
    "success" → not ours: a pipeline without jobs
    "#);
}

#[test]
fn a_pipeline_that_ends_anew_is_new_work_only_if_its_jobs_are_others() {
    let build = |id: u64, status: &str| json!({ "id": id, "status": status, "name": "not read" });
    let of = |status: &str, at: &str, builds: Value| {
        job(&pipeline(status, json!({ "finished_at": at }), Value::Null, builds)).key()
    };
    let first = of("success", "1", json!([build(1, "success"), build(2, "failed")]));
    // Our own status ends it once more, with another outcome, at another time.
    let ours = of("canceled", "2", json!([build(2, "failed"), build(1, "success")]));
    assert_eq!(first, ours);
    let again = of("success", "3", json!([build(1, "success"), build(3, "success")]));
    assert_ne!(first, again);
    let by_hand = of("success", "3", json!([build(1, "success"), build(2, "success")]));
    assert_ne!(first, by_hand);
    assert_ne!(of("success", "1", json!([])), of("success", "2", json!([])));
}

fn build(more: Value) -> Value {
    let mut body = json!({
        "object_kind": "build", "ref": "topic", "tag": false, "sha": sha('a'), "build_id": 55,
        "build_name": "semgrep", "build_status": "success", "project_id": 9, "pipeline_id": 31,
        "repository": { "homepage": "https://git.example.com/gitlab/acme/team/shop" },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_job_that_is_named_and_done_means_work() {
    let elsewhere = "https://git.example.com/gitlabhq/shop";
    let rows = [
        build(json!({})),
        build(json!({ "build_name": "semgrep: [a]", "build_status": "failed" })),
        build(json!({ "ref": "refs/merge-requests/7/head" })),
        build(json!({ "project": { "path_with_namespace": "acme/renamed" } })),
        build(json!({ "repository": { "homepage": elsewhere } })),
        build(json!({ "repository": null })),
        build(json!({ "build_name": "test" })),
        build(json!({ "build_status": "running" })),
        build(json!({ "build_status": "canceled" })),
        build(json!({ "tag": true })),
        build(json!({ "sha": 3 })),
    ];
    let table = rows.map(|body| {
        format!("{} {} → {}", body["build_name"], body["build_status"], shown(receive(&body)))
    });
    insta::assert_snapshot!(table.join("\n"), @r#"
    "semgrep" "success" → acme/team/shop gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:job:55
    "semgrep: [a]" "failed" → acme/team/shop gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:job:55
    "semgrep" "success" → acme/team/shop gitlab:9:9:7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:job:55
    "semgrep" "success" → acme/renamed gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:job:55
    "semgrep" "success" → gitlabhq/shop gitlab:9:9:head:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:scan:job:55
    "semgrep" "success" → not ours: a project without a path
    "test" "success" → not ours: a job that means no work
    "semgrep" "running" → not ours: a job that is not done
    "semgrep" "canceled" → not ours: a job that is not done
    "semgrep" "success" → not ours: a job of a tag
    "semgrep" "success" → not ours: an event without what we read of it
    "#);
}

#[test]
fn a_job_names_the_event_and_holds_nothing_else_of_it() {
    let job = job(&merge_request(json!({ "action": "open" }), json!({})));
    assert_eq!((job.repo.installation, job.repo.id), (9, 9));
    assert_eq!(job.repo.name.as_str(), "acme/team/shop");
    assert_eq!((job.subject, job.source), (Subject::Change(7), Trigger::Change));
    assert_eq!(job.head.as_str(), sha('a'));
}

#[test]
fn a_delivery_that_is_not_json_or_cut_is_no_error_since_it_is_authentic() {
    for body in [&b""[..], b"{", b"[]", b"<html>", b"\xff", b"{\"object_kind\": 3}"] {
        assert!(matches!(receive_bytes(body), Ok(Received::NotOurs(_))), "{body:?}");
    }
}

#[test]
fn testdata_every_shared_delivery_is_read_without_an_error() {
    let Some(folder) = crate::testdata::folder("protocol/gitlab/webhooks") else { return };
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: Vec<Value> = serde_json::from_slice(&index).unwrap();
    let known: HashSet<_> = index.iter().map(|entry| entry["file"].as_str().unwrap()).collect();
    for file in std::fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(name == "index.json" || known.contains(name.as_str()), "{name} is not listed");
    }
    assert!(known.len() >= 24);
    let mut table = Vec::new();
    for entry in &index {
        let file = entry["file"].as_str().unwrap();
        let body = std::fs::read(folder.join(file)).unwrap();
        let mut hook = config(vec![secret(None, SECRET)]);
        hook.jobs = vec!["auto_deploy:start".into()];
        let hook = Webhook::new(hook, Arc::new(Still(NOW))).unwrap();
        let received = hook.receive(&headers(&[("x-gitlab-token", SECRET)]), &body);
        let unread = Ok(Received::NotOurs("an event without what we read of it"));
        assert_ne!(received, unread, "{file}");
        let came_to = match received.unwrap() {
            Received::Job(Job { subject: Subject::Head, .. }) => "a job for a head".to_owned(),
            Received::Job(Job { subject, source: Trigger::Change, .. }) => format!("{subject:?}"),
            Received::Job(Job { subject, .. }) => format!("a scan of {subject:?}"),
            Received::NotOurs(why) => why.to_owned(),
        };
        table.push(format!("{} → {came_to}", file.trim_end_matches(".json")));
    }
    insta::assert_snapshot!(table.join("\n"), @"
    gitlab4j-merge-request-event → Change(1)
    gitlab4j-note-merge-request-event → a comment
    gitlab4j-pipeline-event → a scan of Change(1)
    gitlab4j-job-event → an event that means no work
    gitlab4j-push-event → an event that means no work
    gitlab4j-note-commit-event → a comment
    gitlab4j-build-event → a job that means no work
    go-gitlab-merge_request → Change(1)
    go-gitlab-note_merge_request → a comment
    go-gitlab-note_commit → a comment
    go-gitlab-job → a job for a head
    go-gitlab-pipeline → a scan of Change(1)
    go-gitlab-group_merge_request → an action that means no work
    go-gitlab-service_merge_request → Change(2)
    go-gitlab-push → an event that means no work
    go-playground-confidential-comment-event → a comment
    go-scm-merge_request_comment_create → a comment
    go-scm-pipeline_hook → a job for a head
    go-scm-pipeline_subgroup → a job for a head
    go-scm-pull_request_close → closed
    go-scm-pull_request_create → Change(1)
    go-scm-pull_request_reopen → Change(1)
    go-scm-pull_request_review_ready → a draft
    go-scm-review_comment_create → a comment
    ");
}
