//! The pages that people see.

use serde_json::json;

use super::client::{Scene, position};
use crate::client::ask;

#[tokio::test]
async fn a_reviewer_sees_threads_under_their_lines() {
    let scene = Scene::with(|o| {
        (o.base_path, o.banner) = ("/gitlab".into(), Some("no model answers here".into()));
    });
    let scene = scene.await;
    let change = scene.change().title("Faster orders").from_fork();
    let body = json!({ "body": "**Real**: look", "position": position(&change, None, Some(7)) });
    scene.post("/merge_requests/7/discussions", body).await;
    scene.post("/merge_requests/7/notes", json!({ "body": "the summary" })).await;
    let status =
        json!({ "state": "failed", "name": "Chaffinch", "description": "1 finding stands" });
    scene.post(&format!("/statuses/{}", change.head()), status).await;
    let get = async |url: &str| ask(&scene.client, "GET", url, &[], None).await.text;
    assert!(change.page().ends_with("/gitlab/acme/platform/shop/-/merge_requests/7"));
    let page = get(&change.page()).await;
    for text in [
        "Faster orders",
        "!7",
        "<strong>Real</strong>: look",
        "the summary",
        "1 finding stands",
        "card check failure",
        "no model answers here",
        "a fake GitLab",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let (line, thread) = (page.find("+new").unwrap(), page.find("<strong>Real").unwrap());
    assert!(line < thread && thread < page.find(" seven").unwrap());
    let index = get(&format!("{}/", scene.gitlab.url())).await;
    assert!(index.contains(&change.page()) && index.contains("Chaffinch: failed"));
    change.threads();
    change.summary();
}
