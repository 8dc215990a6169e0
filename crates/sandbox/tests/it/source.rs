//! What can be read.

use chaffinch_core::parse_patch;

use crate::client::Scene;

const OLD: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

#[tokio::test]
async fn the_files_of_a_change_have_right_patches() {
    let scene = Scene::new().await;
    let shop = scene.github.repo("acme/shop");
    let new = OLD.replace("two", "TWO").replace("nine\n", "");
    let repo = shop
        .base_file("a.txt", OLD)
        .base_file("gone.txt", "x\n")
        .base_file("same.txt", "same\n")
        .base_file("old/name.txt", OLD);
    let repo = repo.file("a.txt", new).file("new.txt", "n\n").file("bin", vec![0u8, 159, 1]);
    let change = repo.change(7);
    change.remove(&["gone.txt"]);
    change.rename("old/name.txt", "new/name.txt");
    let files = scene.get("/repos/acme/shop/pulls/7/files", &scene.token()).await.json();
    let seen: Vec<String> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let text = |n: &str| f[n].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} +{} -{} from {}",
                text("filename"),
                text("status"),
                f["additions"],
                f["deletions"],
                text("previous_filename")
            )
        })
        .collect();
    insta::assert_snapshot!(seen.join("\n"), @r"
    a.txt modified +1 -2 from -
    bin added +0 -0 from -
    gone.txt removed +0 -1 from -
    new.txt added +1 -0 from -
    new/name.txt renamed +0 -0 from old/name.txt
    ");
    let patch = files[0]["patch"].as_str().unwrap();
    insta::assert_snapshot!(patch, @r"
    @@ -1,10 +1,9 @@
     one
    -two
    +TWO
     three
     four
     five
     six
     seven
     eight
    -nine
     ten
    ");
    assert_eq!(parse_patch(patch).unwrap().len(), 1);
    assert!(files[1].get("patch").is_none() && files[4].get("patch").is_none());
}

#[tokio::test]
async fn lists_come_in_pages_with_absolute_links() {
    let scene = Scene::with(|o| o.base_path = "/api/v3".into()).await;
    let mut repo = scene.github.repo("acme/shop");
    for n in 0..250 {
        repo = repo.file(&format!("f{n:03}.txt"), "x\n");
    }
    repo.change(7);
    let token = scene.token();
    let mut at = "/repos/acme/shop/pulls/7/files?per_page=100&page=1".to_owned();
    let mut sizes = Vec::new();
    loop {
        let got = scene.get(&at, &token).await;
        sizes.push(got.json().as_array().unwrap().len());
        let next = got.header("link").split(", ").find(|l| l.ends_with("rel=\"next\""));
        let Some(next) = next else { break };
        let url = next.split(['<', '>']).nth(1).unwrap();
        at = url.strip_prefix(&scene.github.url()).unwrap().to_owned();
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(
        scene.get("/repos/acme/shop/pulls/7/files", &token).await.json().as_array().unwrap().len(),
        30
    );
}

#[tokio::test]
async fn a_file_comes_raw_or_described_up_to_its_bounds() {
    let scene = Scene::new().await;
    let repo = scene.github.repo("acme/shop");
    let repo = repo
        .file("src/a b#c?.rs", "fn x() {}\n")
        .file("two.bin", vec![7u8; 2 << 20])
        .huge_file("huge.bin", 101 << 20)
        .symlink("link", "src/a b#c?.rs")
        .symlink("src/nowhere", "../missing")
        .submodule("vendor/lib", "https://example.invalid/lib.git");
    let head = repo.change(7).head();
    let token = scene.token();
    let ask = async |path: &str, accept: &str| {
        let path = format!("/repos/acme/shop/contents/{path}?ref={head}");
        scene.ask("GET", &path, &token, &[("accept", accept)], None).await
    };
    let raw = "application/vnd.github.raw+json";
    for path in ["src/a%20b%23c%3F.rs", "src%2Fa%20b%23c%3F.rs", "link"] {
        let got = ask(path, raw).await;
        assert_eq!((got.status, got.text.as_str()), (200, "fn x() {}\n"), "{path}");
        assert!(got.header("content-type").starts_with("application/vnd.github.raw+json"));
    }
    let small = ask("src/a%20b%23c%3F.rs", "").await.json();
    assert_eq!(
        (&small["encoding"], &small["content"]),
        (&"base64".into(), &"Zm4geCgpIHt9Cg==\n".into())
    );
    let large = ask("two.bin", "").await.json();
    assert_eq!(
        (&large["encoding"], &large["content"], &large["size"]),
        (&"none".into(), &"".into(), &(2 << 20).into())
    );
    assert_eq!(ask("two.bin", raw).await.text.len(), 2 << 20);
    assert!(
        ask("huge.bin", raw).await.message().starts_with("403 This API returns blobs up to 100 MB")
    );
    assert_eq!(ask("src/nowhere", raw).await.json()["type"], "symlink");
    assert_eq!(ask("vendor/lib", raw).await.json()["type"], "submodule");
    assert_eq!(ask("none.rs", raw).await.message(), "404 Not Found");
    let gone =
        scene.get(&format!("/repos/acme/shop/contents/link?ref={}", "0".repeat(40)), &token).await;
    assert!(gone.message().starts_with("404 No commit found for the ref"));
    assert!(scene.github.problems().is_empty());
    assert!(ask("src", raw).await.json().is_array());
    assert_eq!(scene.github.take_problems(), ["fake github: a folder was listed: src"]);
    scene.github.allow_listing();
    let names = |entries: &serde_json::Value| -> Vec<String> {
        entries.as_array().unwrap().iter().map(|e| e["name"].to_string()).collect()
    };
    let root = names(&ask("", "").await.json());
    assert!(root.contains(&"\"src\"".to_owned()) && root.contains(&"\"two.bin\"".to_owned()));
    assert!(names(&ask("src", "").await.json()).contains(&"\"nowhere\"".to_owned()));
    assert!(scene.github.problems().is_empty());
}

#[tokio::test]
async fn what_has_not_changed_costs_nothing() {
    let scene = Scene::new().await;
    let head = scene.github.repo("acme/shop").file("a", "x").change(7).head();
    let (token, path) = (scene.token(), format!("/repos/acme/shop/contents/a?ref={head}"));
    let first = scene.get(&path, &token).await;
    let left = first.header("x-ratelimit-remaining").to_owned();
    let tag = first.header("etag").to_owned();
    let again = scene.ask("GET", &path, &token, &[("if-none-match", &tag)], None).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("x-ratelimit-remaining"), left);
}

#[tokio::test]
async fn a_change_from_a_fork_is_read_through_the_base() {
    let scene = Scene::new().await;
    let change =
        scene.github.repo("acme/shop").file("a", "x").change(7).author("guest").from_fork();
    let token = scene.token();
    let pull = scene.get("/repos/acme/shop/pulls/7", &token).await.json();
    assert_eq!(pull["head"]["repo"]["full_name"], "guest/shop");
    assert_eq!(pull["base"]["repo"]["full_name"], "acme/shop");
    let path = format!("/repos/acme/shop/contents/a?ref={}", change.head());
    assert_eq!(scene.get(&path, &token).await.status, 200);
    change.fork_deleted();
    let pull = scene.get("/repos/acme/shop/pulls/7", &token).await.json();
    assert!(pull["head"]["repo"].is_null());
    change.lose_head();
    assert_eq!(scene.get(&path, &token).await.status, 404);
}

#[tokio::test]
async fn changes_are_found_by_their_commits() {
    let scene = Scene::new().await;
    let change = scene.github.repo("acme/shop").file("a", "x").change(7);
    let token = scene.token();
    let ask = async |sha: String| {
        let got = scene.get(&format!("/repos/acme/shop/commits/{sha}/pulls"), &token).await.json();
        got.as_array().map_or(0, Vec::len)
    };
    assert_eq!(ask(change.head()).await, 1);
    assert_eq!(ask(change.merge_commit()).await, 1);
    assert_eq!(ask(change.base()).await, 0);
    let open = scene.get("/repos/acme/shop/pulls?state=open", &token).await.json();
    assert_eq!(open[0]["number"], 7);
    change.from_fork();
    assert_eq!(ask(change.head()).await, 0, "what is only in a fork is not found by its commit");
    change.close();
    assert_eq!(
        scene
            .get("/repos/acme/shop/pulls?state=open", &token)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[tokio::test]
async fn analyses_are_found_by_ref_and_come_as_sarif() {
    let scene = Scene::new().await;
    let repo = scene.github.repo("acme/shop").file("a", "x");
    let change = repo.change(7);
    let token = scene.token();
    let list = "/repos/acme/shop/code-scanning/analyses";
    assert_eq!(scene.get(list, &token).await.message(), "404 no analysis found");
    let sarif = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Semgrep OSS","version":"1.1","rules":[{"id":"r"}]}},"results":[{"ruleId":"r","message":{"text":"m"}}]}]}"#;
    change.report(sarif).report_on_merge(sarif);
    let of = async |query: &str| scene.get(&format!("{list}?{query}"), &token).await.json();
    assert_eq!(of("ref=refs/pull/7/head").await.as_array().unwrap().len(), 1);
    assert_eq!(of("pr=7").await.as_array().unwrap().len(), 2);
    assert_eq!(of("ref=refs/pull/8/head").await.as_array().unwrap().len(), 0);
    let one = of("ref=refs/pull/7/merge").await;
    assert_eq!(
        (&one[0]["commit_sha"], &one[0]["results_count"]),
        (&change.merge_commit().into(), &1.into())
    );
    let path = format!("{list}/{}", one[0]["id"]);
    let got = scene.ask("GET", &path, &token, &[("accept", "application/sarif+json")], None).await;
    assert!(got.header("content-type").starts_with("application/sarif+json"));
    assert_eq!(got.json()["runs"][0]["results"][0]["properties"]["github/alertNumber"], 2);
    repo.without_code_scanning();
    assert!(scene.get(list, &token).await.message().starts_with("403 Advanced Security"));
}
