//! Trouble on demand.

use chaffinch_core::Clock;
use chaffinch_sandbox::Trouble;
use serde_json::json;

use super::client::{SHOP, Scene};

const NOTES: &str = "/projects/{id}/merge_requests/{iid}/notes";
const DISCUSSIONS: &str = "/projects/{id}/merge_requests/{iid}/discussions";
const PATH: &str = "/merge_requests/7/notes";

#[tokio::test]
async fn the_rate_limit_is_plain_text_with_the_time_to_wait() {
    let scene = Scene::with(|o| o.rate_limit = Some(600)).await;
    scene.change();
    assert_eq!(scene.get("").await.header("ratelimit-remaining"), "599");
    assert_eq!(scene.get("").await.header("ratelimit-observed"), "2");
    scene.gitlab.faults().rate_limited("POST", NOTES, 30);
    let limited = scene.post(PATH, json!({ "body": "x" })).await;
    assert_eq!((limited.status, limited.text.as_str()), (429, "Retry later\n"));
    let reset = (scene.clock.now().timestamp() + 30).to_string();
    assert_eq!(
        (limited.header("retry-after"), limited.header("ratelimit-reset")),
        ("30", reset.as_str())
    );
    assert_eq!(scene.post(PATH, json!({ "body": "x" })).await.status, 201);
}

#[tokio::test]
async fn a_right_line_can_be_refused_in_both_shapes() {
    let scene = Scene::new().await;
    let change = scene.change();
    let faults = scene.gitlab.faults();
    faults.line_refused("POST", DISCUSSIONS).position_refused("POST", DISCUSSIONS);
    faults.no_fine_grained_tokens("POST", DISCUSSIONS);
    let body = json!({ "body": "x", "position": super::client::position(&change, None, Some(2)) });
    let post = async || scene.post("/merge_requests/7/discussions", body.clone()).await;
    assert!(post().await.json()["message"].is_string());
    assert!(post().await.json()["message"]["position"].is_array());
    assert_eq!(post().await.status, 403);
    assert_eq!((post().await.status, faults.left()), (201, 0));
}

#[tokio::test]
async fn an_answer_can_be_lost_or_belied_and_the_world_can_move_before_it() {
    let scene = Scene::new().await;
    let change = scene.change();
    scene.gitlab.faults().next("POST", NOTES, Trouble::LoseAnswer).next(
        "POST",
        NOTES,
        Trouble::Belie(502),
    );
    let url = format!("{}{SHOP}{PATH}", scene.gitlab.api_url());
    let lost =
        scene.client.post(url).header("private-token", scene.write.value()).body("body=lost");
    assert!(lost.header("content-type", "application/x-www-form-urlencoded").send().await.is_err());
    assert_eq!(scene.post(PATH, json!({ "body": "belied" })).await.status, 502);
    let summary = change.summary();
    assert!(summary.contains("lost") && summary.contains("belied"));
    let (head, other) = (change.head(), change.clone());
    let place = super::client::position(&change, None, Some(2));
    scene.gitlab.faults().meanwhile("POST", DISCUSSIONS, move || {
        other.push(&[("app.py", "other\n")]);
    });
    let body = json!({ "body": "x", "position": place });
    assert_eq!(scene.post("/merge_requests/7/discussions", body).await.status, 201);
    assert_ne!(change.head(), head);
    assert!(change.threads()[0].outdated);
}

#[tokio::test]
async fn an_unknown_route_is_a_failure_that_names_itself() {
    let scene = Scene::new().await;
    assert_eq!(scene.get("/wikis").await.status, 501);
    assert_eq!(scene.gitlab.problems(), [format!("fake gitlab: unexpected GET {SHOP}/wikis")]);
}
