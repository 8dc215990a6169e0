//! Deliveries.

use chaffinch_sandbox::{Signature, sign};
use serde_json::{Value, json};

use crate::client::{Scene, receiver};

#[tokio::test]
async fn a_delivery_is_signed_and_can_be_repeated() {
    let scene = Scene::new().await;
    let (url, kept) = receiver(202).await;
    scene.github.set_webhook_url(&url);
    scene.github.repo("acme/shop").file("a", "x\n").change(7);
    let sent = scene.github.deliver("pull_request.opened", 7).await;
    assert_eq!((sent.status, sent.body.as_str()), (202, "queued"));
    let again = scene.github.redeliver(&sent.delivery).await.unwrap();
    assert_eq!(again.delivery, sent.delivery);
    let other = scene.github.deliver("pull_request.opened", 7).await;
    assert_ne!(other.delivery, sent.delivery);
    let kept = kept.lock().unwrap();
    let (headers, body) = &kept[0];
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-hub-signature-256"), sign("it is a secret to everybody", body));
    assert_eq!(header("x-github-event"), "pull_request");
    assert_eq!(header("x-github-delivery"), sent.delivery);
    assert_eq!(kept[1].1, *body);
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["pull_request"]["head"]["sha"], scene.github.change(7).head());
    assert_eq!(body["installation"]["id"], 54_321);
}

#[tokio::test]
async fn a_signature_can_be_wrong() {
    let scene = Scene::new().await;
    let (url, kept) = receiver(202).await;
    scene.github.set_webhook_url(&url);
    for signature in
        [Signature::Missing, Signature::With("guess".into()), Signature::Text("sha1=00".into())]
    {
        scene.github.deliver_raw("ping", "{}", signature).await;
    }
    let kept = kept.lock().unwrap();
    let seen: Vec<_> = kept
        .iter()
        .map(|(h, _)| h.get("x-hub-signature-256").map(|v| v.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(seen, [None, Some(sign("guess", b"{}")), Some("sha1=00".into())]);
}

#[tokio::test]
async fn a_failed_delivery_is_listed_and_sent_again() {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop").change(7);
    let lost = scene.github.deliver("pull_request.opened", 7).await;
    assert_eq!((lost.status, lost.body.as_str()), (0, "no webhook address is set"));
    let (url, kept) = receiver(202).await;
    scene.github.set_webhook_url(&url);
    scene.github.deliver("ping", 0).await;
    let failed = scene.get("/app/hook/deliveries?status=failure", &scene.app()).await.json();
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(failed[0]["guid"], lost.delivery);
    let path = format!("/app/hook/deliveries/{}/attempts", failed[0]["id"]);
    assert_eq!(scene.post(&path, &scene.app(), json!({})).await.status, 202);
    // It is sent after the answer.
    for _ in 0..200 {
        if kept.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(kept.lock().unwrap()[1].0["x-github-delivery"].to_str().unwrap(), lost.delivery);
}

#[tokio::test]
async fn an_event_that_cannot_be_is_a_problem() {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop").change(7);
    scene.github.deliver("pull_request.unheard_of", 7).await;
    assert_eq!(
        scene.github.take_problems(),
        ["sandbox: there is no pull_request.unheard_of about change 7"]
    );
}
