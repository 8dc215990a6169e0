//! Trouble on demand.

use std::time::Duration;

use chaffinch_sandbox::Trouble;
use serde_json::json;

use crate::client::Scene;

const COMMENTS: &str = "/repos/{owner}/{repo}/issues/{number}/comments";
const PATH: &str = "/repos/acme/shop/issues/7/comments";

async fn scene() -> (Scene, String) {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop").file("a", "x\n").change(7);
    let token = scene.token();
    (scene, token)
}

#[tokio::test]
async fn limits_are_worded_as_github_words_them() {
    let (scene, token) = scene().await;
    let faults = scene.github.faults();
    faults.secondary_limit("POST", COMMENTS, Some(7)).secondary_limit("*", COMMENTS, None);
    faults.primary_limit("POST", "/repos/*", 90).answer("POST", PATH, 502, "Server Error");
    let post = async || scene.post(PATH, &token, json!({ "body": "x" })).await;
    let with = post().await;
    assert!(with.message().starts_with("403 You have exceeded a secondary rate limit"));
    assert_eq!(with.header("retry-after"), "7");
    let without = post().await;
    assert_eq!((without.status, without.header("retry-after")), (403, ""));
    assert_ne!(without.header("x-ratelimit-remaining"), "0");
    let primary = post().await;
    assert_eq!(primary.header("x-ratelimit-remaining"), "0");
    let now = chaffinch_core::Clock::now(&*scene.clock).timestamp();
    assert_eq!(primary.header("x-ratelimit-reset"), (now + 90).to_string());
    assert_eq!(post().await.message(), "502 Server Error");
    assert_eq!(scene.github.summary(7), "no summary");
    assert_eq!(post().await.status, 201);
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn an_answer_can_be_lost_cut_or_belied_after_the_work_is_done() {
    let (scene, token) = scene().await;
    let send = async |body: &str| {
        let url = format!("{}{PATH}", scene.github.url());
        let request =
            scene.client.post(url).bearer_auth(&token).body(json!({ "body": body }).to_string());
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        answer.text().await.map(|_| status)
    };
    scene.github.faults().next("POST", COMMENTS, Trouble::Drop);
    assert!(send("dropped").await.is_err());
    assert_eq!(scene.github.summary(7), "no summary");
    scene.github.faults().next("POST", COMMENTS, Trouble::LoseAnswer);
    assert!(send("lost").await.is_err());
    scene.github.faults().next("POST", COMMENTS, Trouble::Truncate);
    let error = send("cut").await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    scene.github.faults().next("POST", COMMENTS, Trouble::Belie(502));
    assert_eq!(send("belied").await.unwrap(), 502);
    let summary = scene.github.summary(7);
    assert!(["lost", "cut", "belied"].iter().all(|w| summary.contains(w)), "{summary}");
    let statuses: Vec<u16> =
        scene.github.requests_matching("POST", COMMENTS).iter().map(|c| c.status).collect();
    assert_eq!(statuses, [0, 0, 201, 502]);
}

#[tokio::test]
async fn an_answer_can_be_late_or_never_come() {
    let (scene, token) = scene().await;
    scene.github.faults().next("GET", PATH, Trouble::Hang);
    let url = format!("{}{PATH}", scene.github.url());
    let get =
        || scene.client.get(&url).bearer_auth(&token).timeout(Duration::from_millis(200)).send();
    assert!(get().await.unwrap_err().is_timeout());
    scene.github.faults().next("GET", PATH, Trouble::Late(Duration::from_secs(5)));
    assert!(get().await.unwrap_err().is_timeout());
    assert_eq!(get().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_world_can_move_just_before_a_write() {
    let (scene, token) = scene().await;
    let change = scene.github.change(7);
    let (before, route) = (change.head(), "/repos/{owner}/{repo}/pulls/{number}/reviews");
    scene.github.faults().meanwhile("POST", route, move || {
        change.push(&[("a", "other\n")]);
    });
    let comment = json!({ "path": "a", "line": 1, "side": "RIGHT", "body": "b" });
    let body = json!({ "event": "COMMENT", "commit_id": before, "comments": [comment] });
    assert_eq!(
        scene.post("/repos/acme/shop/pulls/7/reviews", &token, body.clone()).await.status,
        200
    );
    assert!(scene.github.thread(7, "a:1").contains("outdated"));
    scene.github.faults().review_refused();
    assert_eq!(
        scene.post("/repos/acme/shop/pulls/7/reviews", &token, body).await.message(),
        "422 Unprocessable Entity"
    );
}

#[tokio::test]
async fn an_installation_can_go_away() {
    let (scene, token) = scene().await;
    scene.github.set_suspended(true);
    assert_eq!(
        scene.get("/repos/acme/shop", &token).await.message(),
        "403 This installation has been suspended"
    );
    scene.github.set_suspended(false);
    scene.github.expire_tokens();
    assert_eq!(scene.get("/repos/acme/shop", &token).await.status, 401);
    scene.github.uninstall();
    assert_eq!(scene.get("/repos/acme/shop/installation", &scene.app()).await.status, 404);
}
