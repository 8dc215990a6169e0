//! Projects, files, merge requests and their diffs.

use serde_json::json;

use super::client::{SHOP, Scene};

#[tokio::test]
async fn a_project_is_found_by_number_and_by_path_below_any_base_path() {
    let scene = Scene::with(|o| o.base_path = "/gitlab".into()).await;
    assert!(scene.gitlab.api_url().ends_with("/gitlab/api/v4"));
    let by_path = scene.get("").await.json();
    assert_eq!(by_path["path_with_namespace"], "acme/platform/shop");
    assert_eq!(by_path["permissions"]["project_access"]["access_level"], 20);
    let by_id = format!("/projects/{}", scene.shop.id());
    assert_eq!(scene.ask("GET", &by_id, &scene.read.value(), None).await.json(), by_path);
}

#[tokio::test]
async fn a_file_is_read_at_a_commit_and_never_at_a_branch() {
    let scene = Scene::new().await;
    let head = scene.change().head();
    let raw = scene.get(&format!("/repository/files/app.py/raw?ref={head}")).await;
    assert!(raw.text.starts_with("one\nTWO\n"));
    assert_eq!(raw.header("x-gitlab-file-path"), "app.py");
    let path = format!("{SHOP}/repository/files/app.py?ref={head}");
    let only = scene.ask("HEAD", &path, &scene.read.value(), None).await;
    assert_eq!((only.header("x-gitlab-size"), only.text.as_str()), ("67", ""));
    let whole = scene.get(&format!("/repository/files/app.py?ref={head}")).await.json();
    assert_eq!((&whole["encoding"], &whole["size"]), (&json!("base64"), &json!(raw.text.len())));
    let missing = scene.get(&format!("/repository/files/no%2Fsuch.py/raw?ref={head}")).await;
    assert_eq!(missing.message(), "404 404 File Not Found");
    let gone = scene.get(&format!("/repository/files/app.py/raw?ref={}", "0".repeat(40))).await;
    assert_eq!(gone.message(), "404 404 Commit Not Found");
    assert!(scene.gitlab.take_problems().is_empty());
    assert_eq!(scene.get("/repository/files/app.py/raw?ref=main").await.status, 501);
    assert_eq!(scene.gitlab.take_problems().len(), 1);
}

#[tokio::test]
async fn nothing_shows_more_than_one_file() {
    let scene = Scene::new().await;
    let head = scene.change().head();
    for path in [
        "/repository/archive.zip",
        "/repository/archive?sha=main",
        "/repository/compare?from=a&to=b",
        "/repository/blobs/abc/raw",
        "/search?scope=blobs&search=x",
        "/merge_requests/7/changes",
    ] {
        assert_eq!(scene.get(path).await.status, 501, "{path}");
        let problems = scene.gitlab.take_problems();
        assert!(problems[0].ends_with("would show more than one file"), "{problems:?}");
    }
    let tree = format!("/repository/tree?ref={head}");
    assert_eq!(scene.get(&tree).await.status, 501);
    assert_eq!(scene.gitlab.take_problems(), ["fake gitlab: a folder was listed: "]);
    scene.gitlab.allow_listing();
    let listed = scene.get(&tree).await.json();
    assert_eq!(listed[0]["path"], "app.py");
    assert_eq!(scene.get(&format!("{tree}&recursive=true")).await.status, 501);
}

#[tokio::test]
async fn a_merge_request_has_no_diff_refs_before_it_is_prepared() {
    let scene = Scene::new().await;
    let change = scene.change().unprepared(1);
    assert_eq!(scene.get("/merge_requests/7/versions").await.json(), json!([]));
    let early = scene.get("/merge_requests/7").await.json();
    assert!(early["diff_refs"].is_null() && early["sha"] == change.head());
    let later = scene.get("/merge_requests/7").await.json();
    let refs =
        json!({ "base_sha": change.base(), "start_sha": change.base(), "head_sha": change.head() });
    assert_eq!(later["diff_refs"], refs);
    let before = change.head();
    change.push(&[("app.py", "other\n")]);
    let versions = scene.get("/merge_requests/7/versions").await.json();
    assert_eq!(versions[0]["head_commit_sha"], change.head());
    assert_eq!(versions[1]["head_commit_sha"], before);
    let detail = scene.get(&format!("/merge_requests/7/versions/{}", versions[1]["id"])).await;
    assert!(detail.json()["diffs"][0]["diff"].as_str().unwrap().contains("+TWO"));
}

#[tokio::test]
async fn a_diff_that_is_collapsed_or_too_large_comes_without_text() {
    let scene = Scene::new().await;
    let repo = scene.shop.file("b.py", "b\n").file("c.py", "c\n").huge_file("d.bin", 9 << 20);
    repo.file("e.bin", vec![0u8; 9]);
    scene.change().collapse("b.py").too_large("c.py");
    let diffs = scene.get("/merge_requests/7/diffs?per_page=100").await.json();
    let seen: Vec<_> = diffs
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["new_path"].as_str().unwrap(),
                d["diff"].as_str().unwrap().lines().count(),
                &d["collapsed"],
                &d["too_large"],
            )
        })
        .collect();
    let (yes, no) = (&json!(true), &json!(false));
    assert_eq!(
        seen,
        [
            ("app.py", 12, no, no),
            ("b.py", 0, yes, no),
            ("c.py", 0, no, yes),
            ("d.bin", 0, no, yes),
            ("e.bin", 1, no, no),
        ]
    );
    let plain = diffs[0]["diff"].as_str().unwrap();
    assert!(plain.starts_with("@@ -1,9 +1,10 @@"), "{plain}");
    let whole = scene.get("/merge_requests/7/diffs?unidiff=true").await.json();
    assert!(whole[0]["diff"].as_str().unwrap().starts_with("--- a/app.py\n+++ b/app.py\n@@ "));
    let raw = scene.get("/merge_requests/7/raw_diffs").await.text;
    assert!(
        raw.contains("diff --git a/b.py b/b.py\nnew file mode 100644\n--- /dev/null\n+++ b/b.py\n")
    );
}

#[tokio::test]
async fn lists_come_in_pages_and_may_not_say_how_long_they_are() {
    let scene = Scene::new().await;
    for n in 0..5 {
        scene.shop.file(&format!("f{n}"), "x\n");
    }
    scene.change();
    let first = scene.get("/merge_requests/7/diffs?per_page=4").await;
    assert_eq!((first.header("x-next-page"), first.header("x-total")), ("2", "6"));
    let link = first.header("link").to_owned();
    let next = format!("{}{SHOP}/merge_requests/7/diffs?per_page=4&page=2", scene.gitlab.api_url());
    assert!(link.contains(&format!("<{next}>; rel=\"next\"")) && link.contains("last"), "{link}");
    scene.gitlab.set_totals(false);
    let last = scene.get("/merge_requests/7/diffs?per_page=4&page=2").await;
    assert_eq!((last.header("x-next-page"), last.header("x-total")), ("", ""));
    assert_eq!(last.json().as_array().unwrap().len(), 2);
    assert!(!last.header("link").contains("last"));
}

#[tokio::test]
async fn a_merge_request_is_found_by_its_commit() {
    let scene = Scene::new().await;
    let change = scene.change().from_fork();
    let path = format!("/repository/commits/{}/merge_requests", change.head());
    let found = scene.get(&path).await.json();
    assert_eq!(found[0]["iid"], 7);
    assert_ne!(found[0]["source_project_id"], found[0]["target_project_id"]);
    let none = scene.get(&format!("/repository/commits/{}/merge_requests", change.base())).await;
    assert_eq!(none.json(), json!([]));
    change.merged();
    assert_eq!(scene.get("/merge_requests?state=opened").await.json(), json!([]));
    assert_eq!(scene.get("/merge_requests?state=merged").await.json()[0]["iid"], 7);
}
