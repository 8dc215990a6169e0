//! Webhooks: made over the API, switched off by failures.

use chrono::TimeDelta;
use serde_json::json;

use super::client::{SHOP, Scene};
use crate::client::receiver;

#[tokio::test]
async fn a_hook_is_made_tested_changed_and_removed_without_ever_telling_its_secrets() {
    let scene = Scene::new().await;
    scene.write.role(40);
    let (url, kept) = receiver(200).await;
    let signing = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let body = json!({ "url": url, "merge_requests_events": true, "push_events": false, "signing_token": signing, "token": "plain" });
    let made = scene.post("/hooks", body).await;
    assert_eq!(made.status, 201);
    assert!(!made.text.contains(signing) && !made.text.contains("plain\""));
    let made = made.json();
    assert_eq!(
        (&made["signing_token_present"], &made["token_present"], &made["push_events"]),
        (&json!(true), &json!(true), &json!(false))
    );
    let test = format!("/hooks/{}/test/merge_requests_events", made["id"]);
    assert_eq!(
        scene.post(&test, json!(null)).await.message(),
        "422 Ensure the project has merge requests."
    );
    scene.change();
    assert_eq!(scene.post(&test, json!(null)).await.message(), "201 201 Created");
    assert!(kept.lock().unwrap()[0].0.contains_key("webhook-signature"));
    let one = format!("/hooks/{}", made["id"]);
    let log =
        scene.ask("GET", &format!("{SHOP}{one}/events"), &scene.write.value(), None).await.json();
    assert_eq!(
        (&log[0]["trigger"], &log[0]["response_status"]),
        (&json!("Merge Request Hook"), &json!("200"))
    );
    let edited =
        scene.put(&one, json!({ "url": "http://127.0.0.1:9/", "note_events": true })).await.json();
    assert_eq!(
        (&edited["note_events"], &edited["merge_requests_events"]),
        (&json!(true), &json!(true))
    );
    assert!(
        scene.post(&test, json!(null)).await.message().starts_with("422 Hook execution failed")
    );
    assert_eq!(scene.delete(&one).await.status, 204);
    assert!(scene.shop.hooks().is_empty());
}

#[tokio::test]
async fn a_hook_that_cannot_be_is_refused() {
    let scene = Scene::new().await;
    scene.write.role(40);
    let post = async |body| scene.post("/hooks", body).await;
    assert_eq!(post(json!({})).await.json()["error"], "url is missing");
    assert_eq!(post(json!({ "url": "ftp://x" })).await.status, 422);
    let short = json!({ "url": "http://127.0.0.1:9", "signing_token": "whsec_AAAA" });
    assert_eq!(post(short).await.json()["message"]["signing_token"][0], "is invalid");
    let made = post(json!({ "url": "http://127.0.0.1:9" })).await.json();
    assert_eq!(
        (&made["push_events"], &made["merge_requests_events"]),
        (&json!(true), &json!(false)),
        "as GitLab has it"
    );
}

#[tokio::test]
async fn four_failures_switch_a_hook_off_for_a_while_and_forty_for_good() {
    let scene = Scene::new().await;
    let (url, kept) = receiver(500).await;
    let hook = scene.shop.hook(&url);
    scene.change();
    let send = async || scene.gitlab.deliver("merge_request.open", 7).await;
    for _ in 0..3 {
        send().await;
    }
    assert_eq!(hook.alert_status(), "executable");
    send().await;
    assert_eq!(hook.alert_status(), "temporarily_disabled");
    assert_eq!(send().await.body, "the hook is disabled until 2026-11-01T12:01:00Z");
    assert_eq!(kept.lock().unwrap().len(), 4);
    scene.clock.pass(TimeDelta::minutes(1));
    assert_eq!(send().await.status, 500);
    scene.clock.pass(TimeDelta::minutes(1));
    assert_eq!(send().await.status, 0, "the second time it is off for two minutes");
    let (good, _) = receiver(204).await;
    hook.set_url(&good);
    scene.clock.pass(TimeDelta::minutes(1));
    assert_eq!(send().await.status, 204);
    assert_eq!(hook.alert_status(), "executable");
    hook.set_url(&url);
    for _ in 0..40 {
        scene.clock.pass(TimeDelta::days(2));
        assert_eq!(send().await.status, 500);
    }
    assert_eq!(
        (hook.alert_status(), send().await.body.as_str()),
        ("disabled", "the hook is disabled")
    );
    assert_eq!(hook.events().len(), 4);
}
