use std::sync::Arc;

use chaffinch_core::{Change, FileStatus, Forge, ForgeError, RepoPath, Source};
use chaffinch_gitlab::Config;
use serde_json::{Value, json};

use crate::peer::*;

async fn read(peer: &Peer) -> Arc<dyn Source> {
    peer.open().await.source
}

#[tokio::test]
async fn a_change_says_what_triage_needs_and_no_more() {
    let with = |key: &str, value: Value| {
        let mut body = request(7, HEAD, Some(42));
        body[key] = value;
        body
    };
    let plain = Change { fork: false, ..change() };
    let cases = [
        (request(7, HEAD, Some(42)), plain.clone()),
        (request(7, HEAD, Some(43)), Change { fork: true, ..change() }),
        (request(7, HEAD, None), Change { fork: true, ..change() }),
        (with("draft", json!(true)), Change { draft: true, ..change() }),
        (with("work_in_progress", json!(true)), Change { draft: true, ..change() }),
        (with("state", json!("merged")), Change { open: false, ..change() }),
        (with("state", json!("locked")), Change { open: false, ..change() }),
    ];
    for (body, want) in cases {
        let peer = Peer::start(move |seen| {
            (below(seen)? == ("GET", "/merge_requests/7")).then(|| reply(200, body.clone()))?
        })
        .await;
        assert_eq!(read(&peer).await.change(7).await.unwrap(), want);
    }
}

#[tokio::test]
async fn a_merge_request_that_gitlab_is_still_preparing_is_looked_at_later() {
    for key in ["diff_refs", "sha"] {
        let peer = Peer::start(move |seen| {
            let mut body = request(7, HEAD, Some(42));
            body[key] = Value::Null;
            (below(seen)? == ("GET", "/merge_requests/7")).then(|| reply(200, body))?
        })
        .await;
        let source = read(&peer).await;
        let error = source.change(7).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
        if key == "diff_refs" {
            let error = source.changed_lines(&change()).await.unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn a_closed_merge_request_without_a_diff_is_closed() {
    let peer = Peer::start(|seen| {
        let mut body = request(7, HEAD, Some(42));
        body["diff_refs"] = Value::Null;
        body["state"] = json!("closed");
        (below(seen)? == ("GET", "/merge_requests/7")).then(|| reply(200, body))?
    })
    .await;
    assert!(!read(&peer).await.change(7).await.unwrap().open);
}

#[tokio::test]
async fn the_changes_of_a_head_are_the_open_ones_that_propose_it_here() {
    let peer = Peer::start(|seen| {
        let mut closed = request(9, HEAD, Some(42));
        closed["state"] = json!("merged");
        let mut elsewhere = request(5, HEAD, Some(42));
        elsewhere["target_project_id"] = json!(1);
        let all = json!([
            request(8, HEAD, Some(42)),
            request(7, HEAD, None),
            request(6, BASE, Some(42)),
            closed,
            elsewhere,
        ]);
        let path =
            format!("/repository/commits/{HEAD}/merge_requests?state=opened&per_page=100&page=1");
        (below(seen)? == ("GET", path.as_str())).then(|| reply(200, all))?
    })
    .await;
    assert_eq!(read(&peer).await.changes_at(&sha(HEAD)).await.unwrap(), [7, 8]);
}

#[tokio::test]
async fn the_changes_of_a_head_that_many_build_on_are_all_found() {
    let peer = Peer::start(|seen| {
        let path = format!("/repository/commits/{HEAD}/merge_requests?state=opened&per_page=100&");
        let page: u64 = below(seen)?.1.strip_prefix(&path)?.strip_prefix("page=")?.parse().unwrap();
        let of = |n| request(page * 100 + n, if n == 5 { HEAD } else { BASE }, Some(42));
        reply(200, (0..if page < 3 { 100 } else { 50 }).map(of).collect())
    })
    .await;
    assert_eq!(read(&peer).await.changes_at(&sha(HEAD)).await.unwrap(), [105, 205, 305]);
}

#[tokio::test]
async fn a_head_that_gitlab_does_not_look_up_is_searched_for_within_bounds() {
    let peer = Peer::start(|seen| {
        let (_, path) = below(seen)?;
        if path.starts_with("/repository/commits/") {
            return reply(404, json!({ "message": "404 Commit Not Found" }));
        }
        let page = "/merge_requests?state=opened&order_by=updated_at&sort=desc&per_page=100&page=";
        let page: u64 = path.strip_prefix(page)?.parse().unwrap();
        let of = |n| request(page * 100 + n, if n == 5 { HEAD } else { BASE }, None);
        reply(200, (0..100).map(of).collect())
    })
    .await;
    assert_eq!(read(&peer).await.changes_at(&sha(HEAD)).await.unwrap(), [105, 205, 305]);
    assert_eq!(peer.lines().len(), 4);
}

fn file(path: &str) -> Value {
    json!({ "old_path": path, "new_path": path, "new_file": true, "diff": "@@ -0,0 +1 @@\n+x\n" })
}

fn diffs(
    count: &'static str,
    listing: impl Fn(u64) -> Option<Reply> + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Option<Reply> {
    move |seen| match below(seen)? {
        ("GET", "/merge_requests/7") => {
            let mut body = request(7, HEAD, Some(42));
            body["changes_count"] = json!(count);
            reply(200, body)
        }
        ("GET", path) => {
            let page = path.strip_prefix("/merge_requests/7/diffs?per_page=100&page=")?;
            listing(page.parse().unwrap())
        }
        _ => None,
    }
}

fn files(count: usize) -> Value {
    (0..count).map(|n| file(&format!("{n}.py"))).collect()
}

#[tokio::test]
async fn pages_are_read_by_number_until_the_last() {
    // With the header, a short page may be followed by another; without it, a short page is the last.
    for header in [true, false] {
        let peer = Peer::start(diffs(if header { "216" } else { "217" }, move |page| {
            let count = match page {
                1 => 100,
                2 if header => 99,
                2 => 100,
                3 => 17,
                _ => return None,
            };
            let next = if page < 3 { (page + 1).to_string() } else { String::new() };
            let answer = reply(200, files(count))?;
            if header { answer.with("x-next-page", next) } else { Some(answer) }
        }))
        .await;
        let lines = read(&peer).await.changed_lines(&change()).await.unwrap();
        assert_eq!(lines.files.len(), if header { 216 } else { 217 });
        assert!(lines.complete);
    }
}

#[tokio::test]
async fn a_listing_that_gitlab_cuts_off_or_has_not_begun_is_not_complete() {
    for (count, listed, complete) in
        [("1", 1, true), ("1000+", 1, false), ("2", 1, false), ("", 1, false), ("0", 0, false)]
    {
        let peer = Peer::start(diffs(count, move |_| reply(200, files(listed)))).await;
        let lines = read(&peer).await.changed_lines(&change()).await.unwrap();
        assert_eq!(lines.complete, complete, "{count} {listed}");
    }
}

#[tokio::test]
async fn files_say_what_became_of_them_and_withheld_diffs_are_unknown() {
    let peer = Peer::start(diffs("4", |_| {
        let part = |more: Value| {
            let mut file = json!({ "old_path": "a", "new_path": "a", "diff": "", "a_mode": "100644", "b_mode": "100644" });
            file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            file
        };
        reply(
            200,
            json!([
                part(json!({ "collapsed": true })),
                part(json!({ "new_path": "b", "renamed_file": true })),
                part(json!({ "deleted_file": true, "too_large": true })),
                part(json!({ "new_file": true, "diff": "@@ -0,0 +1 @@\n+x\n" })),
            ]),
        )
    }))
    .await;
    let lines = read(&peer).await.changed_lines(&change()).await.unwrap();
    let shown: Vec<_> = lines
        .files
        .iter()
        .map(|f| (f.path.as_str(), f.status, f.previous.is_some(), f.hunks.as_ref().map(Vec::len)))
        .collect();
    assert_eq!(
        shown,
        [
            ("a", FileStatus::Modified, false, None),
            ("b", FileStatus::Renamed, true, Some(0)),
            ("a", FileStatus::Removed, false, None),
            ("a", FileStatus::Added, false, Some(1)),
        ]
    );
}

#[tokio::test]
async fn the_diff_of_another_head_is_none_of_this_one() {
    let peer = Peer::start(|seen| {
        (below(seen)? == ("GET", "/merge_requests/7"))
            .then(|| reply(200, request(7, BASE, Some(42))))?
    })
    .await;
    let error = read(&peer).await.changed_lines(&change()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_file_is_asked_for_by_its_exact_name_at_its_commit_as_bytes() {
    let peer = Peer::start(|seen| {
        let wanted =
            format!("/repository/files/src%2Fa%20b%23c%3F%2541%09%C3%A9.json/raw?ref={HEAD}");
        (below(seen)? == ("GET", wanted.as_str()))
            .then(|| bytes("application/json", b"{\"a\": [1]}"))?
    })
    .await;
    let path = RepoPath::new("src/a b#c?%41\té.json").unwrap();
    let file = read(&peer).await.file(&path, &sha(HEAD)).await.unwrap();
    assert_eq!(file.expose(), b"{\"a\": [1]}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_found() {
    let peer = Peer::start(|seen| {
        seen.line
            .contains("/repository/files/")
            .then(|| reply(404, json!({ "message": "404 File Not Found" })))?
    })
    .await;
    let error = read(&peer).await.file(&RepoPath::new("a").unwrap(), &sha(HEAD)).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound), "{error}");
}

#[tokio::test]
async fn a_file_is_read_up_to_its_bound_however_it_is_sent() {
    for chunked in [false, true] {
        for (length, fits) in [(0, true), (5000, true), (5001, false)] {
            let peer = Peer::start(move |seen| {
                let mut answer = bytes("text/plain", &vec![b'x'; length])?;
                answer.chunked = chunked;
                seen.line.contains("/repository/files/").then_some(answer)
            })
            .await;
            let config = Config { max_file_bytes: 5000, ..peer.config() };
            let access = peer.gitlab_with(config).open(&repo()).await.unwrap();
            match access.source.file(&RepoPath::new("a").unwrap(), &sha(HEAD)).await {
                Ok(bytes) => assert!(fits && bytes.len() == length),
                Err(ForgeError::Truncated { limit }) => assert!(!fits && limit == 5000),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test]
async fn the_names_of_a_folder_are_those_of_its_files_alone() {
    let peer = Peer::start(|seen| {
        let (_, path) = below(seen)?;
        let at = format!("&ref={HEAD}&per_page=100&page=1");
        let path = path.strip_prefix("/repository/tree?path=")?.strip_suffix(&at)?;
        match path {
            "a%20b%2Fc" => {
                let all = [("blob", "a b.go"), ("tree", "sub"), ("blob", "l.go"), ("commit", "x")];
                reply(200, all.map(|(kind, name)| json!({ "type": kind, "name": name })).into())
            }
            "" | "old" => reply(200, json!([])),
            "gone" => reply(404, json!({ "message": "404 invalid revision or path Not Found" })),
            _ => None,
        }
    })
    .await;
    let source = read(&peer).await;
    assert_eq!(source.names("a b/c", &sha(HEAD)).await.unwrap(), ["a b.go", "l.go"]);
    assert!(source.names("", &sha(HEAD)).await.unwrap().is_empty());
    for gone in ["old", "gone"] {
        let error = source.names(gone, &sha(HEAD)).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotFound), "{error}");
    }
}
