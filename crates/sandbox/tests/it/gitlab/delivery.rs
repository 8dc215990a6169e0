//! Deliveries.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use chaffinch_core::Clock;
use chaffinch_sandbox::{Signature, sign_delivery};
use serde_json::{Value, json};

use super::client::Scene;
use crate::{client::receiver, conformance::protocol};

const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn a_delivery_carries_what_gitlab_sends_and_can_be_repeated() {
    let scene = Scene::new().await;
    let (url, kept) = receiver(202).await;
    scene.shop.hook(&url).token("plain").signing_token(SIGNING);
    scene.change();
    let sent = scene.gitlab.deliver("merge_request.open", 7).await;
    assert_eq!((sent.status, sent.action.as_deref()), (202, Some("open")));
    let again = scene.gitlab.redeliver(&sent.delivery).await.unwrap();
    assert_eq!(again.delivery, sent.delivery);
    let kept = kept.lock().unwrap();
    let (headers, body) = &kept[0];
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-gitlab-event"), "Merge Request Hook");
    assert_eq!(header("x-gitlab-instance"), scene.gitlab.url());
    assert_eq!(header("x-gitlab-token"), "plain");
    assert_eq!(
        (header("idempotency-key"), header("webhook-id")),
        (sent.delivery.clone(), sent.delivery.clone())
    );
    let at = scene.clock.now().timestamp();
    assert_eq!(header("webhook-timestamp"), at.to_string());
    assert_eq!(header("webhook-signature"), sign_delivery(SIGNING, &sent.delivery, at, body));
    assert_eq!(kept[1].0["idempotency-key"], header("idempotency-key"));
    assert_ne!(kept[1].0["x-gitlab-event-uuid"], header("x-gitlab-event-uuid"));
    assert_eq!(kept[1].0["x-gitlab-webhook-uuid"], header("x-gitlab-webhook-uuid"));
    assert_eq!(kept[1].1, *body);
}

#[tokio::test]
async fn without_a_signing_token_there_is_an_id_and_a_time_but_no_signature() {
    let scene = Scene::new().await;
    let (url, kept) = receiver(202).await;
    let hook = scene.shop.hook(&url).token("plain");
    scene.change();
    scene.gitlab.deliver("merge_request.open", 7).await;
    hook.token("");
    for signature in [Signature::Right, Signature::With("guess".into()), Signature::Missing] {
        scene.gitlab.deliver_raw("Note Hook", "{}", signature).await;
    }
    hook.signing_token(SIGNING);
    scene.gitlab.deliver_raw("Note Hook", "{}", Signature::Text("v1,AAAA".into())).await;
    let kept = kept.lock().unwrap();
    let seen: Vec<_> = kept
        .iter()
        .map(|(h, _)| {
            assert!(h.contains_key("webhook-id") && h.contains_key("webhook-timestamp"));
            let text = |name: &str| h.get(name).map(|v| v.to_str().unwrap().to_owned());
            (text("x-gitlab-token"), text("webhook-signature"))
        })
        .collect();
    let one = |t: &str| Some(t.to_owned());
    assert_eq!(
        seen,
        [
            (one("plain"), None),
            (None, None),
            (one("guess"), None),
            (None, None),
            (None, one("v1,AAAA"))
        ]
    );
}

#[tokio::test]
async fn new_commits_are_told_from_a_new_title_by_the_old_head() {
    let scene = Scene::new().await;
    let change = scene.change();
    let before = change.head();
    change.push(&[("b.py", "b\n")]);
    let body = |event: &str| scene.gitlab.payload(event, 7).unwrap();
    let update = body("merge_request.update");
    assert_eq!(update["object_attributes"]["action"], "update");
    assert_eq!(update["object_attributes"]["oldrev"], before);
    assert_eq!(update["object_attributes"]["last_commit"]["id"], change.head());
    let edit = body("merge_request.edit");
    assert_eq!(edit["object_attributes"]["action"], "update");
    assert!(
        edit["object_attributes"].get("oldrev").is_none() && edit["changes"]["title"].is_object()
    );
    assert!(body("merge_request")["object_attributes"].get("action").is_none());
    assert_eq!(edit["project"]["path_with_namespace"], "acme/platform/shop");
}

#[tokio::test]
async fn notes_pipelines_and_jobs_are_told_of_by_those_who_made_them() {
    let scene = Scene::new().await;
    let change = scene.change();
    let job = change.job("semgrep-sast").report("sast", "gl-sast-report.json", "{}");
    let place = super::client::position(&change, None, Some(2));
    scene.post("/merge_requests/7/discussions", json!({ "body": "ours", "position": place })).await;
    change.reply("app.py:2", "alice", "/fp no");
    scene.post("/merge_requests/7/notes", json!({ "body": "later" })).await;
    let note = scene.gitlab.payload("note.create", 7).unwrap();
    let attributes = &note["object_attributes"];
    assert_eq!(
        (&attributes["note"], &note["user"]["username"]),
        (&json!("/fp no"), &json!("alice"))
    );
    assert_eq!(
        (&attributes["type"], &attributes["position"]["new_line"]),
        (&json!("DiffNote"), &json!(2))
    );
    assert_eq!(note["merge_request"]["iid"], 7);
    let inside = change.comment_internally("alice", "between us");
    assert!(change.edit_note(inside, "between the two of us"));
    let update = scene.gitlab.payload("note.update", 7).unwrap();
    assert_eq!(update["event_type"], "confidential_note");
    assert_eq!(update["object_attributes"]["note"], "between the two of us");
    assert!(change.delete_note(inside) && !change.edit_note(inside, "gone"));
    let pipeline = scene.gitlab.payload("pipeline.success", 7).unwrap();
    assert_eq!(
        (&pipeline["object_attributes"]["id"], &pipeline["merge_request"]["iid"]),
        (&json!(job.pipeline()), &json!(7))
    );
    let build = scene.gitlab.payload("build.failed", 7).unwrap();
    assert_eq!((&build["build_id"], &build["build_status"]), (&json!(job.id()), &json!("failed")));
    assert_eq!(build["ref"], "refs/merge-requests/7/head");
    change.summary();
    change.threads();
}

#[tokio::test]
async fn an_event_that_no_hook_wants_is_not_sent_and_one_that_cannot_be_is_a_problem() {
    let scene = Scene::new().await;
    let (url, kept) = receiver(202).await;
    scene.shop.hook(&url).set_events(&["note_events"]);
    scene.change();
    let sent = scene.gitlab.deliver("merge_request.open", 7).await;
    assert_eq!((sent.status, sent.body.as_str()), (0, "no hook is told of it"));
    assert!(kept.lock().unwrap().is_empty());
    scene.gitlab.deliver("merge_request.unheard_of", 7).await;
    scene.gitlab.deliver("merge_request.open", 99).await;
    assert_eq!(
        scene.gitlab.take_problems(),
        [
            "sandbox: there is no merge_request.unheard_of about merge request 7",
            "sandbox: there is no merge_request.open about merge request 99",
        ]
    );
}

fn vectors(folder: PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("gitlab/signature-vectors.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all["vectors"].as_array().unwrap().clone()
}

#[test]
fn testdata_signatures_are_those_of_standard_webhooks() {
    let Some(folder) = protocol() else { return };
    let mut seen = 0;
    for vector in vectors(folder) {
        let headers = &vector["headers"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let Ok(at) = text(&headers["webhook-timestamp"]).parse::<i64>() else { continue };
        if vector["valid"] != true
            || vector["signing_token"].is_null()
            || headers["webhook-signature"].is_null()
        {
            continue;
        }
        let made = sign_delivery(
            &text(&vector["signing_token"]),
            &text(&headers["webhook-id"]),
            at,
            text(&vector["body"]).as_bytes(),
        );
        assert!(text(&headers["webhook-signature"]).contains(&made), "{}", vector["name"]);
        seen += 1;
    }
    assert!(seen >= 2, "{seen}");
}

/// Every name that our body has, GitLab's own example has too, where it is an object.
fn same_shape(ours: &Value, theirs: &[Value], at: &str, out: &mut Vec<String>) {
    let Some(object) = ours.as_object() else { return };
    for (name, inner) in object {
        let known: Vec<Value> = theirs.iter().filter_map(|t| t.get(name).cloned()).collect();
        match known.is_empty() {
            true => out.push(format!("{at}/{name}")),
            false => same_shape(inner, &known, &format!("{at}/{name}"), out),
        }
    }
}

#[tokio::test]
async fn testdata_bodies_have_the_fields_that_gitlab_has() {
    let Some(folder) = protocol() else { return };
    let scene = Scene::new().await;
    let change = scene.change();
    change.job("sast").report("sast", "gl-sast-report.json", "{}");
    change.comment("alice", "hello");
    let mut examples: Vec<Value> = Vec::new();
    for file in std::fs::read_dir(folder.join("gitlab/webhooks")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(path).unwrap();
        examples.push(serde_json::from_str(&text).unwrap());
    }
    for event in ["merge_request.open", "note.create", "pipeline.success", "build.success"] {
        let body = scene.gitlab.payload(event, 7).unwrap();
        let mut like: Vec<Value> =
            examples.iter().filter(|e| e["object_kind"] == body["object_kind"]).cloned().collect();
        assert!(like.len() >= 2, "{event}");
        // A merge request looks the same wherever it is told of; some fields are younger.
        let whole = examples.iter().filter(|e| e["object_kind"] == "merge_request");
        like.extend(whole.map(|e| json!({ "merge_request": e["object_attributes"] })));
        like.push(json!({
            "object_attributes": { "internal": false },
            "project": { "ci_config_path": "", "avatar_url": "" },
            "commit": { "title": "" },
        }));
        let mut unknown = Vec::new();
        same_shape(&body, &like, "", &mut unknown);
        assert_eq!(unknown, Vec::<String>::new(), "{event}");
    }
}
