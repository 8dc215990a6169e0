use std::sync::Arc;

use chaffinch_core::{Forge, ForgeError, RepoPath, Source};
use chaffinch_github::Config;
use serde_json::{Value, json};

use crate::{api::Log, peer::*};

const MERGE: &str = "cccccccccccccccccccccccccccccccccccccccc";
const OLD_MERGE: &str = "dddddddddddddddddddddddddddddddddddddddd";
const STALE: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

async fn read(peer: &Peer) -> Arc<dyn Source> {
    peer.open().await.source
}

#[tokio::test]
async fn a_change_says_what_triage_needs_and_no_more() {
    let cases = [
        (pull(7, HEAD, Some(42)), true, false, false),
        (pull(7, HEAD, Some(43)), true, false, true),
        (pull(7, HEAD, None), true, false, true),
    ];
    let mut draft = pull(7, HEAD, Some(42));
    draft["draft"] = json!(true);
    let mut merged = pull(7, HEAD, Some(42));
    merged["state"] = json!("closed");
    let more = [(draft, true, true, false), (merged, false, false, false)];
    for (body, open, is_draft, fork) in cases.into_iter().chain(more) {
        let peer = Peer::start(move |seen| {
            (seen.line == "GET /repos/acme/shop/pulls/7").then(|| reply(200, body.clone()))?
        })
        .await;
        let found = read(&peer).await.change(7).await.unwrap();
        assert_eq!(found, chaffinch_core::Change { open, draft: is_draft, fork, ..change() });
    }
}

#[tokio::test]
async fn the_changes_of_a_head_are_the_open_ones_that_propose_it() {
    let peer = Peer::start(|seen| {
        let mut closed = pull(9, HEAD, Some(42));
        closed["state"] = json!("closed");
        let all = json!([
            pull(8, HEAD, Some(42)),
            pull(7, HEAD, Some(42)),
            pull(6, BASE, Some(42)),
            closed
        ]);
        seen.line
            .starts_with(&format!("GET /repos/acme/shop/commits/{HEAD}/pulls?"))
            .then(|| reply(200, all))?
    })
    .await;
    assert_eq!(read(&peer).await.changes_at(&sha(HEAD)).await.unwrap(), [7, 8]);
}

/// The one that was pushed to last comes first.
const OPEN_PULLS: &str =
    "GET /repos/acme/shop/pulls?state=open&sort=updated&direction=desc&per_page=100&page=";

#[tokio::test]
async fn a_head_that_is_only_in_a_fork_is_looked_for_among_the_open_changes_within_bounds() {
    let peer = Peer::start(|seen| {
        if seen.line.contains("/commits/") {
            return reply(422, json!({ "message": "No commit found for SHA" }));
        }
        let page: u64 = seen.line.strip_prefix(OPEN_PULLS)?.parse().unwrap();
        let pulls: Vec<Value> = (0..100)
            .map(|n| pull(page * 100 + n, if n == 5 { HEAD } else { BASE }, None))
            .collect();
        reply(200, json!(pulls))
    })
    .await;
    assert_eq!(read(&peer).await.changes_at(&sha(HEAD)).await.unwrap(), [105, 205, 305]);
    assert_eq!(peer.of("GET /repos/acme/shop/pulls?").len(), 3);
}

#[tokio::test]
async fn a_search_among_more_open_changes_than_are_read_is_logged_where_it_finds_none() {
    for (count, said) in [(100, true), (99, false)] {
        let (log, _guard) = Log::keep(tracing::Level::WARN);
        let peer = Peer::start(move |seen| {
            if seen.line.contains("/commits/") {
                return reply(200, json!([]));
            }
            let page: u64 = seen.line.strip_prefix(OPEN_PULLS)?.parse().unwrap();
            reply(200, (0..count).map(|n| pull(page * 100 + n, BASE, None)).collect())
        })
        .await;
        assert!(read(&peer).await.changes_at(&sha(HEAD)).await.unwrap().is_empty());
        let text = log.text();
        assert_eq!(text.contains("others were not searched"), said, "{text}");
    }
}

fn files(count: usize) -> Value {
    let file = |n| json!({ "filename": format!("{n}.py"), "status": "added", "patch": "@@ -0,0 +1 @@\n+x" });
    Value::Array((0..count).map(file).collect())
}

#[tokio::test]
async fn pages_are_read_by_number_until_the_last_short_one() {
    // With `Link`, a short page may be followed by another; without it, a short page is the last.
    for link in [true, false] {
        let peer = Peer::start(move |seen| {
            let (_, page) = seen.line.split_once("GET /repos/acme/shop/pulls/7/files?per_page=100&page=")?;
            let count = match page {
                "1" => 100,
                "2" if link => 99,
                "2" => 100,
                "3" => 17,
                _ => return None,
            };
            let answer = reply(200, files(count))?;
            if link && page != "3" {
                let next = "<https://elsewhere.example/x?page=9>; rel=\"next\", <https://elsewhere.example/x>; rel=\"last\"";
                return answer.with("link", next);
            }
            if link { answer.with("link", "<https://elsewhere.example/x>; rel=\"first\"") } else { Some(answer) }
        })
        .await;
        let lines = read(&peer).await.changed_lines(&change()).await.unwrap();
        assert_eq!(lines.files.len(), if link { 216 } else { 217 });
        assert!(lines.complete);
        assert!(peer.of("GET").iter().all(|s| s.header("authorization") == "Bearer ghs_read1"));
    }
}

#[tokio::test]
async fn a_listing_that_github_cuts_off_is_not_complete() {
    let peer = Peer::start(|seen| {
        seen.line.contains("/pulls/7/files?").then(|| reply(200, files(100)))?
    })
    .await;
    let lines = read(&peer).await.changed_lines(&change()).await.unwrap();
    assert_eq!(lines.files.len(), 3000);
    assert!(!lines.complete);
    assert_eq!(peer.of("GET").len(), 30);
}

#[tokio::test]
async fn a_file_is_asked_for_by_its_exact_name_at_its_commit_as_bytes() {
    let peer = Peer::start(|seen| {
        let wanted =
            format!("GET /repos/acme/shop/contents/src/a%20b%23c%3F%2541%09%C3%A9.json?ref={HEAD}");
        (seen.line == wanted)
            .then(|| bytes("application/vnd.github.raw+json; charset=utf-8", b"{\"a\": [1]}"))?
    })
    .await;
    let path = RepoPath::new("src/a b#c?%41\té.json").unwrap();
    let file = read(&peer).await.file(&path, &sha(HEAD)).await.unwrap();
    assert_eq!(file.expose(), b"{\"a\": [1]}");
    assert_eq!(peer.of("GET")[0].header("accept"), "application/vnd.github.raw+json");
}

#[tokio::test]
async fn what_is_no_file_is_not_found() {
    let folder = || reply(200, json!([{ "type": "file", "name": "a" }]));
    let submodule = || reply(200, json!({ "type": "submodule", "submodule_git_url": "git://x" }));
    let dangling = || reply(200, json!({ "type": "symlink", "target": "../nowhere" }));
    let object = || bytes("application/vnd.github.object+json; charset=utf-8", b"{}");
    let missing = || reply(404, json!({ "message": "Not Found" }));
    for answer in [folder, submodule, dangling, object, missing] {
        let peer = Peer::start(move |seen| seen.line.contains("/contents/").then(answer)?).await;
        let error =
            read(&peer).await.file(&RepoPath::new("a").unwrap(), &sha(HEAD)).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotFound), "{error}");
    }
}

#[tokio::test]
async fn the_names_of_a_folder_are_those_of_its_files_and_links_alone() {
    let peer = Peer::start(|seen| {
        let entry = |kind: &str, name: &str| json!({ "type": kind, "name": name, "size": 3 });
        let all = [("file", "a b.go"), ("dir", "sub"), ("symlink", "l.go"), ("submodule", "lib")];
        let all: Vec<Value> = all.iter().map(|(kind, name)| entry(kind, name)).collect();
        match seen.line.as_str() {
            l if l == format!("GET /repos/acme/shop/contents/a%20b/c?ref={HEAD}") => {
                reply(200, json!(all))
            }
            l if l == format!("GET /repos/acme/shop/contents/?ref={HEAD}") => reply(200, json!([])),
            l if l.contains("/contents/file") => reply(200, json!({ "type": "file", "name": "f" })),
            _ => None,
        }
    })
    .await;
    let source = read(&peer).await;
    assert_eq!(source.names("a b/c", &sha(HEAD)).await.unwrap(), ["a b.go", "l.go"]);
    assert!(source.names("", &sha(HEAD)).await.unwrap().is_empty());
    let error = source.names("file", &sha(HEAD)).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound), "{error}");
}

#[tokio::test]
async fn a_file_is_read_up_to_its_bound_however_it_is_sent() {
    for chunked in [false, true] {
        for (length, fits) in [(0, true), (5000, true), (5001, false)] {
            let peer = Peer::start(move |seen| {
                let mut answer = bytes("application/vnd.github.raw", &vec![b'x'; length])?;
                answer.chunked = chunked;
                seen.line.contains("/contents/").then_some(answer)
            })
            .await;
            let config = Config { max_file_bytes: 5000, ..peer.config() };
            let access = peer.github_with(config, Arc::default()).open(&repo()).await.unwrap();
            let file = access.source.file(&RepoPath::new("a").unwrap(), &sha(HEAD)).await;
            match file {
                Ok(bytes) => assert!(fits && bytes.len() == length),
                Err(ForgeError::Truncated { limit }) => assert!(!fits && limit == 5000),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_github_itself_finds_too_large_is_truncated() {
    let peer = Peer::start(|seen| {
        let body = json!({
            "message": "This API returns blobs up to 100 MB in size.",
            "errors": [{ "resource": "Blob", "field": "data", "code": "too_large" }],
        });
        seen.line.contains("/contents/").then(|| reply(403, body))?
    })
    .await;
    let error = read(&peer).await.file(&RepoPath::new("a").unwrap(), &sha(HEAD)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Truncated { limit: 104_857_600 }), "{error}");
}

fn analysis(id: u64, commit: &str, tool: &str, category: &str, at: &str) -> Value {
    json!({ "id": id, "commit_sha": commit, "category": category, "created_at": at, "tool": { "name": tool } })
}

/// The present trial merge is `MERGE`; `OLD_MERGE` was one before the base moved.
fn scanning(seen: &Seen) -> Option<Reply> {
    if seen.line == "POST /graphql" {
        let parents = match seen.body["variables"]["oid"].as_str()? {
            OLD_MERGE => json!([{ "oid": STALE }, { "oid": HEAD }]),
            // A commit on top of the head is no merge of it.
            STALE => json!([{ "oid": HEAD }]),
            _ => return None,
        };
        let object = json!({ "parents": { "nodes": parents } });
        return reply(200, json!({ "data": { "repository": { "object": object } } }));
    }
    let line = seen.line.strip_prefix("GET /repos/acme/shop")?;
    if line == "/pulls/7" {
        let mut pull = pull(7, HEAD, Some(42));
        pull["merge_commit_sha"] = json!(MERGE);
        return reply(200, pull);
    }
    if line.starts_with("/code-scanning/analyses?ref=refs/pull/7/merge&") {
        return reply(
            200,
            json!([
                analysis(9, STALE, "semgrep", "sast", "2026-05-09T00:00:00Z"),
                analysis(6, MERGE, "semgrep", "sast", "2026-05-06T00:00:00Z"),
                analysis(5, OLD_MERGE, "semgrep", "sast", "2026-05-05T00:00:00Z"),
                analysis(4, OLD_MERGE, "semgrep", "secrets", "2026-05-04T00:00:00Z"),
            ]),
        );
    }
    if line.starts_with("/code-scanning/analyses?ref=refs/pull/7/head&") {
        let stale = analysis(8, STALE, "codeql", "", "2026-05-08T00:00:00Z");
        return reply(200, json!([stale, analysis(3, HEAD, "codeql", "", "2026-05-03T00:00:00Z")]));
    }
    let id = line.strip_prefix("/code-scanning/analyses/")?;
    bytes("application/sarif+json; charset=utf-8", format!("sarif {id}").as_bytes())
}

#[tokio::test]
async fn reports_are_the_newest_of_each_tool_and_category_for_the_head_or_a_merge_of_it() {
    let peer = Peer::start(scanning).await;
    let reports = read(&peer).await.reports(&change()).await.unwrap();
    let found: Vec<_> = reports.iter().map(|r| (r.id.as_str(), r.bytes.text())).collect();
    assert_eq!(
        found,
        [
            ("code-scanning:6", "sarif 6".into()),
            ("code-scanning:4", "sarif 4".into()),
            ("code-scanning:3", "sarif 3".into()),
        ]
    );
    let downloads = peer.of("GET /repos/acme/shop/code-scanning/analyses/");
    assert!(downloads.iter().all(|s| s.header("accept") == "application/sarif+json"));
    // Each merge is looked at once, and the present one is known from the pull request.
    assert_eq!(peer.of("POST /graphql").len(), 2);
    assert_eq!(peer.of("GET /repos/acme/shop/pulls/7").len(), 1);
}

#[tokio::test]
async fn reports_together_are_bounded() {
    let peer = Peer::start(scanning).await;
    for (bytes, fits) in [(21, true), (20, false)] {
        let config = Config { max_report_bytes: bytes, ..peer.config() };
        let access = peer.github_with(config, Arc::default()).open(&repo()).await.unwrap();
        match access.source.reports(&change()).await {
            Ok(reports) => assert!(fits && reports.len() == 3),
            Err(ForgeError::Truncated { limit }) => assert!(!fits && limit == bytes),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn where_code_scanning_is_off_there_are_no_reports_but_a_limit_is_a_limit() {
    for status in [403, 404] {
        let peer = Peer::start(move |seen| {
            let body =
                json!({ "message": "Advanced Security must be enabled for this repository." });
            seen.line.contains("/code-scanning/").then(|| reply(status, body))?
        })
        .await;
        assert!(read(&peer).await.reports(&change()).await.unwrap().is_empty());
    }
    let peer = Peer::start(|seen| {
        seen.line
            .contains("/code-scanning/")
            .then(|| reply(403, json!({}))?.with("retry-after", "60"))?
    })
    .await;
    let error = read(&peer).await.reports(&change()).await.unwrap_err();
    assert!(matches!(error, ForgeError::RateLimited { .. }), "{error}");
    let peer =
        Peer::start(|seen| seen.line.contains("/code-scanning/").then(|| reply(503, json!({})))?)
            .await;
    assert!(matches!(
        read(&peer).await.reports(&change()).await,
        Err(ForgeError::Unavailable { .. })
    ));
}

#[tokio::test]
async fn credentials_that_fail_are_never_taken_for_no_reports() {
    let rows = [(401, "Bad credentials"), (403, "Resource not accessible by integration")];
    for (status, message) in rows {
        let peer = Peer::start(move |seen| {
            let body = json!({ "message": message });
            seen.line.contains("/code-scanning/").then(|| reply(status, body))?
        })
        .await;
        let error = read(&peer).await.reports(&change()).await.unwrap_err();
        assert!(matches!(error, ForgeError::Denied { .. }), "{error}");
    }
    let peer = Peer::start(|seen| {
        let body =
            json!({ "message": "The permissions requested are not granted to this installation." });
        seen.line.starts_with("POST /app").then(|| reply(422, body))?
    })
    .await;
    let error = read(&peer).await.reports(&change()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Denied { .. }), "{error}");
}
