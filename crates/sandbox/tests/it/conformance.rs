//! The fake against GitHub's published schemas.

#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]
#![expect(
    clippy::disallowed_methods,
    reason = "the folder of test data is named by the environment"
)]

use std::path::PathBuf;

use serde_json::json;

use crate::client::Scene;

pub(crate) fn protocol() -> Option<PathBuf> {
    let named = std::env::var_os("CHAFFINCH_TESTDATA").map(PathBuf::from);
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = named.unwrap_or_else(|| usual.into()).join("protocol");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no test data at {}", folder.display());
    None
}

const SARIF: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Semgrep OSS","version":"1.1"}},"results":[{"ruleId":"r","message":{"text":"m"}}]}]}"#;

#[tokio::test]
async fn testdata_every_request_and_answer_of_a_round_is_in_the_published_document() {
    let Some(folder) = protocol() else { return };
    let traffic = tempfile::NamedTempFile::new().unwrap();
    let record = traffic.path().to_owned();
    let scene = Scene::with(|o| (o.schemas, o.record) = (Some(folder), Some(record))).await;
    let repo =
        scene.github.repo("acme/shop").base_file("app.py", "a\nb\n").file("app.py", "a\nB\nc\n");
    let repo =
        repo.file("bin", vec![0u8; 9]).symlink("link", "nowhere").person("alice", "maintain");
    let change = repo.change(7).report(SARIF);
    let (app, head) = (scene.app(), change.head());
    let mint = json!({ "repository_ids": [repo.id()], "permissions": { "contents": "read", "pull_requests": "write", "checks": "write", "security_events": "read" } });
    let minted = scene.post("/app/installations/54321/access_tokens", &app, mint).await;
    let token = minted.json()["token"].as_str().unwrap().to_owned();
    let repo = "/repos/acme/shop";
    for path in ["/app", "/app/installations/54321", "/repos/acme/shop/installation"] {
        assert_eq!(scene.get(path, &app).await.status, 200, "{path}");
    }
    let inline = json!([{ "path": "app.py", "line": 2, "side": "RIGHT", "body": "x" }, { "path": "app.py", "start_line": 1, "start_side": "RIGHT", "line": 3, "side": "RIGHT", "body": "y" }]);
    let review = json!({ "commit_id": head, "event": "COMMENT", "body": "b", "comments": inline });
    assert_eq!(scene.post(&format!("{repo}/pulls/7/reviews"), &token, review).await.status, 200);
    let single =
        json!({ "commit_id": head, "path": "app.py", "subject_type": "file", "body": "z" });
    let single =
        scene.post(&format!("{repo}/pulls/7/comments"), &token, single).await.json()["id"].clone();
    let reply = format!("{repo}/pulls/7/comments/{single}/replies");
    assert_eq!(scene.post(&reply, &token, json!({ "body": "r" })).await.status, 201);
    assert_eq!(
        scene
            .patch(&format!("{repo}/pulls/comments/{single}"), &token, json!({ "body": "z2" }))
            .await
            .status,
        200
    );
    let summary = scene
        .post(&format!("{repo}/issues/7/comments"), &token, json!({ "body": "s" }))
        .await
        .json()["id"]
        .clone();
    assert_eq!(
        scene
            .patch(&format!("{repo}/issues/comments/{summary}"), &token, json!({ "body": "s2" }))
            .await
            .status,
        200
    );
    let note = json!({ "path": "app.py", "start_line": 2, "end_line": 2, "annotation_level": "failure", "message": "m", "title": "t" });
    let check = json!({ "name": "Chaffinch", "head_sha": head, "status": "completed", "conclusion": "failure", "details_url": "https://example.com/x", "external_id": "e", "output": { "title": "t", "summary": "s", "annotations": [note] } });
    let check = scene.post(&format!("{repo}/check-runs"), &token, check).await.json()["id"].clone();
    assert_eq!(
        scene
            .patch(
                &format!("{repo}/check-runs/{check}"),
                &token,
                json!({ "output": { "title": "t", "summary": "s2" } })
            )
            .await
            .status,
        200
    );
    let analysis = scene
        .get(&format!("{repo}/code-scanning/analyses?ref=refs/pull/7/head&per_page=100"), &token)
        .await
        .json()[0]["id"]
        .clone();
    for path in [
        String::new(),
        "/pulls?state=all&per_page=100&page=1".into(),
        "/pulls/7".into(),
        "/pulls/7/files?per_page=100&page=1".into(),
        "/pulls/7/comments?per_page=100".into(),
        format!("/pulls/comments/{single}"),
        "/issues/7/comments?per_page=100".into(),
        format!("/issues/comments/{summary}"),
        format!("/commits/{head}/pulls"),
        format!("/commits/{head}/check-runs?check_name=Chaffinch&filter=latest"),
        format!("/check-runs/{check}"),
        format!("/check-runs/{check}/annotations"),
        format!("/contents/app.py?ref={head}"),
        format!("/contents/link?ref={head}"),
        format!("/code-scanning/analyses/{analysis}"),
        "/collaborators/alice/permission".into(),
    ] {
        let got = scene.get(&format!("{repo}{path}"), &token).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text);
    }
    for (path, accept) in [
        (format!("{repo}/contents/app.py?ref={head}"), "application/vnd.github.raw+json"),
        (format!("{repo}/contents/app.py?ref={head}"), "application/vnd.github.object"),
        (format!("{repo}/code-scanning/analyses/{analysis}"), "application/sarif+json"),
    ] {
        assert_eq!(scene.ask("GET", &path, &token, &[("accept", accept)], None).await.status, 200);
    }
    let onlooker = scene.token();
    assert_eq!(scene.get(&format!("{repo}/commits/{head}"), &onlooker).await.status, 200);
    scene.github.deliver("ping", 0).await;
    let listed = scene.get("/app/hook/deliveries?per_page=10", &app).await.json()[0]["id"].clone();
    assert_eq!(scene.get(&format!("/app/hook/deliveries/{listed}"), &app).await.status, 200);
    assert_eq!(
        scene
            .ask("POST", &format!("/app/hook/deliveries/{listed}/attempts"), &app, &[], None)
            .await
            .status,
        202
    );
    for path in ["/installation/repositories", "/rate_limit"] {
        assert_eq!(scene.get(path, &token).await.status, 200);
    }
    assert_eq!(scene.ask("DELETE", "/installation/token", &token, &[], None).await.status, 204);
    assert_eq!(scene.github.problems().join("\n"), "");
    let lines = std::fs::read_to_string(traffic.path()).unwrap();
    assert_eq!(lines.lines().count(), scene.github.calls().len());
    assert!(
        !lines.contains(&token[8..]) || lines.matches(&token).count() == 1,
        "only the answer that minted it names a token"
    );
}

#[tokio::test]
async fn testdata_what_the_document_does_not_know_is_found() {
    let Some(folder) = protocol() else { return };
    let scene = Scene::with(|o| o.schemas = Some(folder)).await;
    scene.github.repo("acme/shop").file("a", "x\n").change(7);
    let token = scene.token();
    let misspelt = json!({ "event": "COMMENT", "comments": [{ "path": "a", "line": 1, "sides": "RIGHT", "body": "x" }] });
    scene.post("/repos/acme/shop/pulls/7/reviews", &token, misspelt).await;
    scene.get("/repos/acme/shop/pulls?stat=open", &token).await;
    scene.get("/repos/acme/shop/pulls?per_page=many", &token).await;
    let found = scene.github.problems();
    assert!(
        found[0].contains("request, not in the document") && found[0].contains("sides"),
        "{found:?}"
    );
    assert!(found[1].contains("query: stat is not a parameter"), "{found:?}");
    assert!(found[2].contains("query: per_page"), "{found:?}");
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn testdata_every_delivery_is_in_the_published_document() {
    let Some(folder) = protocol() else { return };
    let scene = Scene::with(|o| o.schemas = Some(folder)).await;
    let change = scene.github.repo("acme/shop").file("a", "x\n").change(7).report(SARIF);
    let token = scene.token();
    let comment = json!({ "path": "a", "line": 1, "side": "RIGHT", "body": "x" });
    let review = json!({ "event": "COMMENT", "comments": [comment] });
    scene.post("/repos/acme/shop/pulls/7/reviews", &token, review).await;
    let check = json!({ "name": "Chaffinch", "head_sha": change.head(), "conclusion": "neutral" });
    scene.post("/repos/acme/shop/check-runs", &token, check).await;
    change.reply("a:1", "alice", "/fp no").unwrap();
    change.comment("alice", "hello");
    for event in [
        "pull_request.opened",
        "pull_request.synchronize",
        "pull_request.reopened",
        "pull_request.ready_for_review",
        "pull_request.converted_to_draft",
        "pull_request.closed",
        "pull_request.edited",
        "pull_request.labeled",
        "pull_request.assigned",
        "check_suite.completed",
        "check_suite.requested",
        "check_suite.rerequested",
        "check_run.created",
        "check_run.completed",
        "check_run.rerequested",
        "check_run.requested_action",
        "code_scanning_alert.appeared_in_branch",
        "code_scanning_alert.created",
        "installation.created",
        "installation.deleted",
        "installation.suspend",
        "installation.unsuspend",
        "installation.new_permissions_accepted",
        "installation_repositories.added",
        "installation_repositories.removed",
        "pull_request_review_comment.created",
        "pull_request_review_comment.edited",
        "issue_comment.created",
        "issue_comment.edited",
        "ping",
    ] {
        scene.github.deliver(event, 7).await;
        assert_eq!(scene.github.take_problems(), Vec::<String>::new(), "{event}");
    }
    change.author("guest").from_fork();
    for event in ["pull_request.opened", "check_suite.completed", "check_run.rerequested"] {
        scene.github.deliver(event, 7).await;
        assert_eq!(scene.github.take_problems(), Vec::<String>::new(), "{event} of a fork");
    }
}
