//! The page.

use serde_json::json;

use crate::client::Scene;

#[tokio::test]
async fn a_reviewer_sees_threads_under_their_lines() {
    let scene =
        Scene::with(|o| o.banner = Some("Scripted answers: no model was asked".into())).await;
    let change =
        scene.github.repo("acme/shop").file("app.py", "a\n<b>\n").change(7).title("Find <users>");
    let token = scene.token();
    let comment = json!({ "path": "app.py", "line": 2, "body": "**Real.** See `b`. <!-- chaffinch:1:summary -->" });
    let body = json!({ "event": "COMMENT", "comments": [comment] });
    scene.post("/repos/acme/shop/pulls/7/reviews", &token, body).await;
    let page = scene.client.get(change.page()).send().await.unwrap().text().await.unwrap();
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not there"));
    assert!(at("Scripted answers: no model was asked") < at("<h1>Find &lt;users&gt;"));
    assert!(at("+&lt;b&gt;") < at("<strong>Real.</strong>"));
    assert!(!page.contains("chaffinch:1:"));
    assert!(!page.contains("<script") && !page.contains("src="));
    let index =
        scene.client.get(scene.github.web_url()).send().await.unwrap().text().await.unwrap();
    assert!(index.contains("/acme/shop/pull/7"));
    assert!(scene.github.problems().is_empty());
}
