//! Who may do what.

use chrono::TimeDelta;
use serde_json::json;

use super::client::{SHOP, Scene};

#[tokio::test]
async fn a_token_without_the_scope_is_told_which_it_needs() {
    let scene = Scene::new().await;
    let head = scene.change().head();
    let narrow = scene.shop.token("files", &["read_repository"], 30).value();
    let ask = async |path: &str| scene.ask("GET", &format!("{SHOP}{path}"), &narrow, None).await;
    assert_eq!(ask(&format!("/repository/files/app.py/raw?ref={head}")).await.status, 200);
    let refused = ask("/merge_requests/7").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"], "insufficient_scope");
    assert_eq!(refused.json()["scope"], "api read_api");
    let notes = format!("{SHOP}/merge_requests/7/notes");
    let body = json!({ "body": "x" });
    let refused = scene.ask("POST", &notes, &scene.read.value(), Some(body)).await;
    assert_eq!(refused.json()["scope"], "api");
}

#[tokio::test]
async fn a_role_that_is_too_low_is_forbidden() {
    let scene = Scene::new().await;
    let head = scene.change().head();
    let status = format!("/statuses/{head}");
    scene.write.role(20);
    assert_eq!(scene.post("/merge_requests/7/notes", json!({ "body": "x" })).await.status, 201);
    assert_eq!(
        scene.post(&status, json!({ "state": "success" })).await.message(),
        "403 403 Forbidden"
    );
    scene.write.role(30);
    assert_eq!(scene.post(&status, json!({ "state": "success" })).await.status, 201);
    assert_eq!(scene.post("/hooks", json!({ "url": "http://127.0.0.1:9" })).await.status, 403);
    scene.read.role(10);
    assert_eq!(scene.get(&format!("/repository/files/app.py/raw?ref={head}")).await.status, 403);
}

#[tokio::test]
async fn a_project_that_a_token_does_not_reach_is_not_there() {
    let scene = Scene::new().await;
    let other = scene.gitlab.project("acme/other");
    let ask = async || scene.ask("GET", "/projects/acme%2Fother", &scene.read.value(), None).await;
    assert_eq!(ask().await.message(), "404 404 Project Not Found");
    scene.read.reach(&other);
    assert_eq!(ask().await.status, 200);
    let never = scene.ask("GET", "/projects/acme%2Fnever", &scene.read.value(), None).await;
    assert_eq!(never.message(), "404 404 Project Not Found");
}

#[tokio::test]
async fn a_token_ends_on_its_day_or_when_it_is_revoked() {
    let scene = Scene::new().await;
    scene.read.expires("2026-11-03");
    let own =
        scene.ask("GET", "/personal_access_tokens/self", &scene.read.value(), None).await.json();
    assert_eq!((&own["scopes"], &own["expires_at"]), (&json!(["read_api"]), &json!("2026-11-03")));
    assert_eq!(own["user_id"], scene.read.user_id());
    let member = scene.get(&format!("/members/all/{}", scene.read.user_id())).await.json();
    assert_eq!(
        (&member["access_level"], &member["username"]),
        (&json!(20), &json!(scene.read.username()))
    );
    scene.clock.pass(TimeDelta::days(2));
    let late = scene.get("").await;
    assert_eq!((late.status, &late.json()["error"]), (401, &json!("invalid_token")));
    scene.write.revoke();
    let revoked = scene.post("/merge_requests/7/notes", json!({ "body": "x" })).await;
    assert!(revoked.json()["error_description"].as_str().unwrap().contains("revoked"));
    assert_eq!(scene.ask("GET", SHOP, "", None).await.message(), "401 401 Unauthorized");
    assert_eq!(scene.ask("GET", SHOP, "guess", None).await.message(), "401 401 Unauthorized");
}

#[tokio::test]
async fn a_token_can_put_another_in_its_place() {
    let scene = Scene::new().await;
    let path = "/access_tokens/self/rotate";
    let old = scene.write.value();
    let new = scene.post(path, json!({ "expires_at": "2026-12-31" })).await.json();
    assert_eq!(new["expires_at"], "2026-12-31");
    let text = new["token"].as_str().unwrap();
    assert_ne!(text, old);
    assert_eq!(scene.ask("GET", "/user", text, None).await.json()["id"], scene.write.user_id());
    assert_eq!(scene.ask("GET", "/user", &old, None).await.status, 401);
    let owner = scene.shop.token("owner", &["api"], 50).value();
    let body = json!({ "name": "third", "scopes": ["read_api"], "access_level": 20, "expires_at": "2026-11-30" });
    let made = scene.ask("POST", &format!("{SHOP}/access_tokens"), &owner, Some(body)).await.json();
    assert!(made["token"].as_str().unwrap().starts_with("glpat-"));
    let listed = scene.ask("GET", &format!("{SHOP}/access_tokens"), &owner, None).await.text;
    assert!(listed.contains("third") && !listed.contains("glpat-"));
    let gone = format!("{SHOP}/access_tokens/{}", made["id"]);
    assert_eq!(scene.ask("DELETE", &gone, &owner, None).await.status, 204);
    assert_eq!(scene.ask("GET", &gone, &owner, None).await.json()["active"], false);
}

#[tokio::test]
async fn roles_come_from_the_project_and_the_groups_above_it() {
    let scene = Scene::new().await;
    scene.shop.person("alice", 20);
    scene.gitlab.group_member("acme", "alice", 30);
    scene.gitlab.group_member("acme/platform2", "bob", 40);
    let role = async |name: &str| {
        let got = scene.get(&format!("/members/all/{}", scene.gitlab.user_id(name))).await;
        (got.status, got.json()["access_level"].clone())
    };
    assert_eq!(role("alice").await, (200, json!(30)));
    assert_eq!(role("bob").await.0, 404);
}

#[tokio::test]
async fn a_token_in_an_address_is_a_problem() {
    let scene = Scene::new().await;
    let path = format!("{SHOP}?private_token={}", scene.read.value());
    assert_eq!(scene.ask("GET", &path, "", None).await.status, 401);
    assert_eq!(scene.gitlab.problems().len(), 1);
}
