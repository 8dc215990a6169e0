//! What can be written, and what reviewers see of it.

use serde_json::{Value, json};

use crate::client::Scene;

const FILE: &str = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
const REVIEWS: &str = "/repos/acme/shop/pulls/7/reviews";

async fn scene() -> (Scene, String) {
    let scene = Scene::new().await;
    let repo = scene.github.repo("acme/shop").base_file("app.py", FILE);
    repo.file("app.py", FILE.replace('c', "C").replace('k', "K"))
        .file("new.py", "x\ny\n")
        .change(7);
    let token = scene.token();
    (scene, token)
}

fn review(comments: Value) -> Value {
    json!({ "event": "COMMENT", "body": "", "comments": comments })
}

fn on(path: &str, line: u64) -> Value {
    json!({ "path": path, "line": line, "side": "RIGHT", "body": format!("at {path}:{line}") })
}

#[tokio::test]
async fn a_review_is_all_or_nothing() {
    let (scene, token) = scene().await;
    let bad = review(json!([on("app.py", 3), on("app.py", 7)]));
    let refused = scene.post(REVIEWS, &token, bad).await;
    assert_eq!(refused.message(), "422 Unprocessable Entity");
    insta::assert_snapshot!(refused.json()["errors"][0].as_str().unwrap(), @"Pull request review thread line must be part of the diff and Pull request review thread diff hunk can't be blank");
    assert!(scene.github.threads(7).is_empty());

    let good = scene.post(REVIEWS, &token, review(json!([on("app.py", 3), on("new.py", 2)]))).await;
    assert_eq!((good.status, good.json()["state"].as_str()), (200, Some("COMMENTED")));
    assert_eq!(scene.github.unread(), ["#7 app.py:3: at app.py:3", "#7 new.py:2: at new.py:2"]);
    insta::assert_snapshot!(scene.github.thread(7, "app.py:3"), @r"
    app.py:3

    chaffinch[bot]:
    at app.py:3
    ");
    assert_eq!(scene.github.unread(), ["#7 new.py:2: at new.py:2"]);
}

#[tokio::test]
async fn only_lines_of_one_hunk_take_a_comment() {
    let (scene, token) = scene().await;
    let ask = async |comment: Value| {
        let got = scene.post(REVIEWS, &token, review(json!([comment]))).await;
        (got.status, got.json()["errors"][0].as_str().unwrap_or_default().to_owned())
    };
    let lines = async |start: u64, line: u64, side: &str| {
        ask(json!({ "path": "app.py", "body": "x", "start_line": start, "line": line, "side": side })).await
    };
    assert_eq!(lines(1, 6, "RIGHT").await.0, 200);
    assert_eq!(lines(3, 6, "LEFT").await.0, 200);
    assert!(lines(3, 11, "RIGHT").await.1.contains("start line must be part of the same hunk"));
    assert!(lines(3, 3, "RIGHT").await.1.contains("must precede the end line"));
    assert!(ask(on("other.py", 1)).await.1.contains("path is invalid"));
    assert!(
        ask(json!({ "path": "new.py", "line": 1, "side": "LEFT", "body": "x" }))
            .await
            .1
            .contains("line must be part")
    );
    assert_eq!(ask(json!({ "path": "new.py", "line": 1, "body": "" })).await.0, 422);
}

#[tokio::test]
async fn a_single_comment_is_refused_with_objects() {
    let (scene, token) = scene().await;
    let path = "/repos/acme/shop/pulls/7/comments";
    let head = scene.github.change(7).head();
    let body =
        |line: u64| json!({ "path": "app.py", "line": line, "body": "x", "commit_id": head });
    let refused = scene.post(path, &token, body(7)).await;
    assert_eq!(refused.message(), "422 Validation Failed");
    assert_eq!(refused.json()["errors"][0]["field"], "pull_request_review_thread.line");
    let first = scene.post(path, &token, body(3)).await;
    assert_eq!((first.status, &first.json()["line"]), (201, &json!(3)));
    let id = first.json()["id"].as_u64().unwrap();
    let reply = json!({ "body": "and more", "in_reply_to": id });
    assert_eq!(scene.post(path, &token, reply).await.json()["in_reply_to_id"], id);
    let file =
        json!({ "path": "app.py", "body": "all of it", "subject_type": "file", "commit_id": head });
    assert_eq!(scene.post(path, &token, file).await.status, 201);
    let edit = format!("/repos/acme/shop/pulls/comments/{id}");
    assert_eq!(scene.patch(&edit, &token, json!({ "body": "now this" })).await.status, 200);
    assert_eq!(scene.get(path, &token).await.json().as_array().unwrap().len(), 3);
    assert_eq!(scene.github.threads(7).len(), 2);
}

#[tokio::test]
async fn a_thread_follows_its_line_until_the_line_is_gone() {
    let (scene, token) = scene().await;
    scene.post(REVIEWS, &token, review(json!([on("new.py", 2)]))).await;
    let change = scene.github.change(7);
    change.push(&[("new.py", "w\nx\ny\n")]);
    assert!(scene.github.thread(7, "new.py:3").starts_with("new.py:3\n"));
    change.push(&[("new.py", "w\nx\n")]);
    assert!(scene.github.thread(7, "new.py:2").starts_with("new.py · outdated"));
    let listed = scene.get("/repos/acme/shop/pulls/7/comments", &token).await.json();
    assert!(listed[0]["line"].is_null());
    assert_eq!(listed[0]["original_line"], 2);
}

#[tokio::test]
async fn an_edit_is_new_to_readers_and_only_ours_can_be_edited() {
    let (scene, token) = scene().await;
    let path = "/repos/acme/shop/issues/7/comments";
    assert_eq!(scene.github.summary(7), "no summary");
    let body = json!({ "body": "**Two** findings\n\n<!-- chaffinch:1:summary -->" });
    let id = scene.post(path, &token, body.clone()).await.json()["id"].as_u64().unwrap();
    insta::assert_snapshot!(scene.github.summary(7), @r"
    chaffinch[bot]:
    **Two** findings

    ⟨summary⟩
    ");
    let edit = format!("/repos/acme/shop/issues/comments/{id}");
    scene.patch(&edit, &token, body).await;
    assert!(scene.github.unread().is_empty());
    scene.patch(&edit, &token, json!({ "body": "None" })).await;
    assert_eq!(scene.github.unread(), ["#7: None"]);
    let theirs = scene.github.change(7).comment("alice", "mine");
    let edit = format!("/repos/acme/shop/issues/comments/{theirs}");
    assert_eq!(scene.patch(&edit, &token, json!({ "body": "x" })).await.status, 403);
    assert_eq!(scene.github.problems().len(), 1);
    let long = scene.post(path, &token, json!({ "body": "x".repeat(65_537) })).await;
    assert_eq!(
        long.json()["errors"][0]["message"],
        "Body is too long (maximum is 65536 characters)"
    );
}

fn note(n: usize) -> Value {
    json!({ "path": "a.py", "start_line": n, "end_line": n, "annotation_level": "failure", "message": "m", "title": "t" })
}

#[tokio::test]
async fn a_check_takes_fifty_annotations_a_request_and_appends() {
    let (scene, token) = scene().await;
    let head = scene.github.change(7).head();
    let path = "/repos/acme/shop/check-runs";
    let check = |count: usize| {
        let notes: Vec<Value> = (1..=count).map(note).collect();
        json!({
            "name": "Chaffinch", "head_sha": head, "status": "completed", "conclusion": "failure",
            "output": { "title": "One stands", "summary": "s", "annotations": notes },
        })
    };
    let refused = scene.post(path, &token, check(51)).await;
    assert!(refused.message().contains("No more than 50 items are allowed; 51 were supplied."));
    assert_eq!(scene.github.check(&head), "no check");
    let made = scene.post(path, &token, check(50)).await;
    assert_eq!(made.status, 201);
    let one = format!("{path}/{}", made.json()["id"]);
    let more =
        json!({ "output": { "title": "Two stand", "summary": "s", "annotations": [note(51)] } });
    let more = scene.patch(&one, &token, more).await;
    assert_eq!(more.json()["output"]["annotations_count"], 51);
    let shown = scene.github.check(&head);
    assert!(
        shown.starts_with("Chaffinch · failure\nTwo stand\n\ns\n\na.py:1 failure: t: m\n"),
        "{shown}"
    );
    let listed = scene
        .get(&format!("/repos/acme/shop/commits/{head}/check-runs?check_name=Chaffinch"), &token)
        .await;
    assert_eq!(listed.json()["total_count"], 1);
    let no_end = json!({ "name": "x", "head_sha": head, "status": "completed" });
    assert_eq!(scene.post(path, &token, no_end).await.status, 422);
    let nowhere = json!({ "name": "x", "head_sha": "0".repeat(40) });
    assert!(scene.post(path, &token, nowhere).await.message().contains("No commit found for SHA"));
}

const THREADS: &str = "query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: 2, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id isResolved isOutdated path line
        comments(first: 1) { totalCount nodes { databaseId body author { __typename login } } } }
    }
  } }
}";

async fn ask(scene: &Scene, token: &str, query: &str, variables: Value) -> Value {
    let got =
        scene.post("/graphql", token, json!({ "query": query, "variables": variables })).await;
    assert_eq!(got.status, 200);
    got.json()
}

#[tokio::test]
async fn threads_are_listed_by_graphql_in_pages() {
    let (scene, token) = scene().await;
    scene
        .post(REVIEWS, &token, review(json!([on("app.py", 3), on("app.py", 4), on("new.py", 1)])))
        .await;
    scene.github.reply(7, "app.py:3", "alice", "/fp no").unwrap();
    let mut variables = json!({ "owner": "acme", "name": "shop", "number": 7 });
    let first = ask(&scene, &token, THREADS, variables.clone()).await;
    let threads = &first["data"]["repository"]["pullRequest"]["reviewThreads"];
    assert_eq!(threads["nodes"].as_array().unwrap().len(), 2);
    let comments = &threads["nodes"][0]["comments"];
    assert_eq!(comments["totalCount"], 2);
    assert_eq!(
        comments["nodes"][0]["author"],
        json!({ "__typename": "Bot", "login": "chaffinch" })
    );
    assert_eq!(threads["pageInfo"]["hasNextPage"], true);
    variables["after"] = threads["pageInfo"]["endCursor"].clone();
    let last = ask(&scene, &token, THREADS, variables.clone()).await;
    let threads = &last["data"]["repository"]["pullRequest"]["reviewThreads"];
    assert_eq!(
        (&threads["nodes"][0]["path"], &threads["pageInfo"]["hasNextPage"]),
        (&json!("new.py"), &json!(false))
    );

    let blind = scene.github.token(&["acme/shop"], &[("contents", "read")]);
    let refused = ask(&scene, &blind, THREADS, variables.clone()).await;
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN");
    variables["name"] = json!("other");
    assert_eq!(ask(&scene, &token, THREADS, variables).await["errors"][0]["type"], "NOT_FOUND");
    assert!(scene.github.problems().is_empty());
    let wrong = "{ viewer { e_mail } }";
    assert!(
        ask(&scene, &token, wrong, json!({})).await["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("e_mail")
    );
    assert_eq!(scene.github.problems().len(), 1);
}

#[tokio::test]
async fn a_thread_is_resolved_only_by_who_may_write_contents() {
    let (scene, token) = scene().await;
    scene.post(REVIEWS, &token, review(json!([on("app.py", 3)]))).await;
    let variables = json!({ "owner": "acme", "name": "shop", "number": 7 });
    let found = ask(&scene, &token, THREADS, variables).await;
    let node =
        found["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"][0]["id"].clone();
    let resolve = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { id isResolved } } }";
    let refused = ask(&scene, &token, resolve, json!({ "id": node })).await;
    assert_eq!(refused["errors"][0]["message"], "Resource not accessible by integration");
    assert!(refused["data"]["resolveReviewThread"].is_null());
    let wide =
        scene.github.token(&["acme/shop"], &[("contents", "write"), ("pull_requests", "write")]);
    let done = ask(&scene, &wide, resolve, json!({ "id": node })).await;
    assert_eq!(done["data"]["resolveReviewThread"]["thread"]["isResolved"], true);
    assert!(
        scene.github.thread(7, "app.py:3").starts_with("app.py:3 · resolved by chaffinch[bot]")
    );
    let back = resolve.replace("resolveReviewThread", "unresolveReviewThread");
    let done = ask(&scene, &wide, &back, json!({ "id": node })).await;
    assert_eq!(done["data"]["unresolveReviewThread"]["thread"]["isResolved"], false);
    let id =
        scene.get("/repos/acme/shop/pulls/7/comments", &token).await.json()[0]["node_id"].clone();
    let hide = "mutation { minimizeComment(input: {subjectId: \"ID\", classifier: OUTDATED}) { minimizedComment { isMinimized minimizedReason } } }";
    let done = ask(&scene, &token, &hide.replace("ID", id.as_str().unwrap()), json!({})).await;
    assert_eq!(done["data"]["minimizeComment"]["minimizedComment"]["minimizedReason"], "outdated");
    assert!(scene.github.thread(7, "app.py:3").contains("(hidden as outdated)"));
}

#[tokio::test]
async fn a_trial_merge_has_the_head_as_a_parent_also_after_the_base_has_moved() {
    let (scene, token) = scene().await;
    let change = scene.github.change(7);
    let query = "query($oid: GitObjectID!) { repository(owner: \"acme\", name: \"shop\") {
      object(oid: $oid) { ... on Commit { parents(first: 3) { nodes { oid } } } } } }";
    let parents = async |oid: String| {
        let got = ask(&scene, &token, query, json!({ "oid": oid })).await;
        got["data"]["repository"]["object"]["parents"]["nodes"].clone()
    };
    let before = change.merge_commit();
    assert_eq!(parents(before.clone()).await[1]["oid"], change.head());
    let after = change.base_moves();
    assert_ne!(before, after);
    assert_eq!(parents(after.clone()).await[1]["oid"], change.head());
    assert_eq!(parents(before).await[1]["oid"], change.head());
    assert!(parents("0".repeat(40)).await.is_null());
    let pull = scene.get("/repos/acme/shop/pulls/7", &token).await.json();
    assert_eq!(pull["merge_commit_sha"], after);
    assert!(scene.github.problems().is_empty());
}
