//! Who may do what.

use chaffinch_sandbox::TokenForm;
use chrono::TimeDelta;
use serde_json::json;

use crate::client::Scene;

const MINT: &str = "/app/installations/54321/access_tokens";

#[tokio::test]
async fn a_token_holds_what_was_asked_for_and_no_more() {
    let scene = Scene::new().await;
    let shop = scene.github.repo("acme/shop").file("a.py", "x\n");
    shop.change(7);
    scene.github.repo("acme/other").file("b.py", "y\n").change(1);
    let body = json!({ "repository_ids": [shop.id()], "permissions": { "contents": "read" } });
    let minted = scene.post(MINT, &scene.app(), body).await;
    assert_eq!(minted.status, 201);
    let minted = minted.json();
    assert_eq!(minted["permissions"], json!({ "contents": "read", "metadata": "read" }));
    assert_eq!(minted["expires_at"], "2026-11-01T13:00:00Z");
    assert_eq!(minted["repositories"][0]["full_name"], "acme/shop");
    let token = minted["token"].as_str().unwrap();

    let head = scene.github.change(7).head();
    let file = scene.get(&format!("/repos/acme/shop/contents/a.py?ref={head}"), token).await;
    assert_eq!(file.status, 200);
    let pulls = scene.get("/repos/acme/shop/pulls/7", token).await;
    assert_eq!(pulls.message(), "403 Resource not accessible by integration");
    assert_eq!(pulls.header("x-accepted-github-permissions"), "pull_requests=read");
    let comment =
        scene.post("/repos/acme/shop/issues/7/comments", token, json!({ "body": "x" })).await;
    assert_eq!(comment.message(), "403 Resource not accessible by integration");
    assert_eq!(
        comment.header("x-accepted-github-permissions"),
        "issues=write; pull_requests=write"
    );
    let other = scene.get("/repos/acme/other/contents/b.py", token).await;
    assert_eq!(other.message(), "404 Not Found");
    assert_eq!(scene.github.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_granted_that_the_installation_does_not_have() {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop");
    scene.github.repo("acme/private").not_installed();
    let app = scene.app();
    let wider = json!({ "permissions": { "contents": "write" } });
    assert_eq!(
        scene.post(MINT, &app, wider).await.message(),
        "422 The permissions requested are not granted to this installation."
    );
    for body in [json!({ "repositories": ["private"] }), json!({ "repository_ids": [1] })] {
        let refused = scene.post(MINT, &app, body).await;
        assert!(refused.message().starts_with("422 There is at least one repository"));
    }
    let elsewhere = "/app/installations/1/access_tokens";
    assert_eq!(scene.post(elsewhere, &app, json!({})).await.message(), "404 Not Found");
    scene.github.set_permissions(&[("contents", "read")]);
    let wider = json!({ "permissions": { "checks": "write" } });
    assert_eq!(scene.post(MINT, &app, wider).await.status, 422);
}

#[tokio::test]
async fn a_token_dies_after_an_hour_or_when_it_is_revoked() {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop").change(7);
    let token = scene.token();
    assert_eq!(scene.get("/repos/acme/shop", &token).await.status, 200);
    scene.clock.pass(TimeDelta::minutes(59));
    assert_eq!(scene.get("/repos/acme/shop", &token).await.status, 200);
    scene.clock.pass(TimeDelta::minutes(1));
    assert_eq!(scene.get("/repos/acme/shop", &token).await.message(), "401 Bad credentials");

    let minted = scene.post(MINT, &scene.app(), json!({})).await.json();
    let token = minted["token"].as_str().unwrap().to_owned();
    assert_eq!(scene.github.live_tokens(), 1);
    assert_eq!(scene.ask("DELETE", "/installation/token", &token, &[], None).await.status, 204);
    assert_eq!(scene.github.live_tokens(), 0);
    assert_eq!(scene.get("/repos/acme/shop", &token).await.status, 401);
}

#[tokio::test]
async fn tokens_come_in_both_forms() {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop");
    let mint = async |headers: &[(&str, &str)]| {
        let got = scene.ask("POST", MINT, &scene.app(), headers, None).await.json();
        got["token"].as_str().unwrap().to_owned()
    };
    assert_eq!(mint(&[]).await.len(), 40);
    scene.github.set_token_form(TokenForm::Stateless);
    let long = mint(&[]).await;
    assert_eq!(long.len(), 520);
    assert!(long.starts_with("ghs_12345_") && long.contains('.') && long.contains('-'));
    assert_eq!(scene.get("/installation/repositories", &long).await.status, 200);
    assert_eq!(mint(&[("x-github-stateless-s2s-token", "disabled")]).await.len(), 40);
}

#[tokio::test]
async fn a_jwt_is_judged_as_github_judges_it() {
    let scene = Scene::new().await;
    let now = chaffinch_core::Clock::now(&*scene.clock).timestamp();
    let ask = async |claims: serde_json::Value| scene.get("/app", &scene.jwt(&claims)).await;
    assert_eq!(ask(json!({ "iss": "12345", "iat": now, "exp": now + 600 })).await.status, 200);
    let cases = [
        (json!({ "iss": 12345, "iat": now, "exp": now }), "must be a numeric value"),
        (json!({ "iss": 12345, "iat": now, "exp": now + 601 }), "too far in the future"),
        (json!({ "iss": 12345, "iat": now + 5, "exp": now + 60 }), "'Issued at' claim"),
        (json!({ "iss": 1, "iat": now, "exp": now + 60 }), "Integration not found"),
        (json!({ "iat": now, "exp": now + 60 }), "'issuer' claim"),
    ];
    for (claims, why) in cases {
        let got = ask(claims).await.message();
        assert!(got.starts_with("401") && got.contains(why), "{got}");
    }
    let forged = format!("{}x", scene.app().trim_end_matches(char::is_alphanumeric));
    assert_eq!(
        scene.get("/app", &forged).await.message(),
        "401 A JSON web token could not be decoded"
    );
    assert_eq!(scene.get("/app", "").await.message(), "401 Requires authentication");
    let token = scene.token();
    assert_eq!(
        scene.get("/app", &token).await.message(),
        "401 A JSON web token could not be decoded"
    );
}

#[tokio::test]
async fn an_unknown_route_is_a_failure_that_names_itself() {
    let scene = Scene::new().await;
    scene.github.repo("acme/shop");
    let token = scene.token();
    for path in [
        "/repos/acme/shop/stargazers",
        "/repos/acme/shop/git/trees/main?recursive=1",
        "/repos/acme/shop/tarball/main",
        "/search/code?q=x",
        "/acme/shop.git/info/refs?service=git-upload-pack",
    ] {
        assert_eq!(scene.get(path, &token).await.status, 501);
    }
    insta::assert_snapshot!(scene.github.problems().join("\n"), @r"
    fake github: unexpected GET /repos/acme/shop/stargazers
    fake github: GET /repos/acme/shop/git/trees/main would show more than one file
    fake github: GET /repos/acme/shop/tarball/main would show more than one file
    fake github: GET /search/code would show more than one file
    fake github: GET /acme/shop.git/info/refs would show more than one file
    ");
}
