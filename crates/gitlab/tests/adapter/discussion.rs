use std::sync::Arc;

use chaffinch_core::{
    Comment, CommentId, Discussion, Fingerprint, ForgeError, Marker, MarkerKind, Thread, ThreadId,
};
use serde_json::{Value, json};

use crate::peer::*;

pub(crate) async fn write(peer: &Peer) -> Arc<dyn Discussion> {
    peer.open().await.discussion
}

pub(crate) fn marker(n: u8) -> String {
    let kind =
        MarkerKind::Finding { finding: Fingerprint::from_digest([n; 16]), tool: "89abcdef".into() };
    Marker { kind }.to_string()
}

pub(crate) fn note(id: u64, author: u64, body: &str) -> Value {
    json!({
        "id": id, "type": "DiffNote", "body": body, "author": { "id": author }, "system": false,
        "resolvable": true, "resolved": false, "resolved_by": null,
        "position": {
            "base_sha": BASE, "start_sha": BASE, "head_sha": HEAD, "position_type": "text",
            "old_path": "app/db.py", "new_path": "app/db.py", "old_line": null, "new_line": 12,
        },
    })
}

pub(crate) fn discussion(id: &str, notes: Value) -> Value {
    json!({ "id": id, "individual_note": false, "notes": notes })
}

fn shown(t: &Thread) -> String {
    let at =
        t.at.as_ref().map(|p| format!("{}:{}-{} {:?}", p.path, p.lines.start, p.lines.end, p.side));
    let at = at.unwrap_or_else(|| "outdated".to_owned());
    let resolved = match (t.resolved, t.resolved_by_us) {
        (false, false) => "open",
        (true, true) => "resolved by us",
        (true, false) => "resolved",
        (false, true) => "NONSENSE",
    };
    format!("{} {} {at} {resolved} replies={}", t.id.0, t.first.id.0, t.has_replies)
}

#[tokio::test]
async fn our_threads_are_those_that_we_began_with_a_marker_on_all_pages() {
    let with = |mut note: Value, more: Value| {
        note.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        note
    };
    let system = with(note(1, US, "changed this line"), json!({ "system": true }));
    let by = |user: Value| json!({ "resolved": true, "resolved_by": user });
    let mut range = note(908, US, &marker(8));
    range["position"]["line_range"] =
        json!({ "start": { "new_line": 10 }, "end": { "new_line": 12 } });
    let mut removed = note(909, US, &marker(9));
    removed["position"]["old_line"] = json!(3);
    removed["position"]["new_line"] = Value::Null;
    let mut older = note(902, US, &marker(2));
    older["position"]["head_sha"] = json!(BASE);
    let first = json!([
        discussion("d1", json!([note(901, US, &marker(1)), note(1, 5, "hm")])),
        discussion("d2", json!([older, system])),
        discussion("d3", json!([note(1, 5, &marker(3)), note(903, US, &marker(3))])),
        discussion("d4", json!([note(904, US, "no marker")])),
        discussion("d5", json!([note(905, US, "<!-- chaffinch:1:summary -->")])),
        discussion("d6", json!([with(note(906, US, &marker(6)), json!({ "author": null }))])),
        discussion("d7", json!([])),
    ]);
    let second = json!([
        discussion("d8", json!([range])),
        discussion("d9", json!([removed])),
        discussion("da", json!([with(note(910, US, &marker(10)), by(json!({ "id": US })))])),
        discussion("db", json!([with(note(911, US, &marker(11)), by(json!({ "id": 5 })))])),
        discussion("dc", json!([with(note(912, US, &marker(12)), by(Value::Null))])),
        discussion("dd", json!([with(note(913, US, &marker(13)), json!({ "position": null }))])),
    ]);
    let peer = Peer::start(move |seen| {
        let page = "/merge_requests/7/discussions?per_page=100&page=";
        match below(seen)?.1.strip_prefix(page)? {
            "1" => reply(200, first.clone())?.with("x-next-page", "2"),
            "2" => reply(200, second.clone())?.with("x-next-page", ""),
            _ => None,
        }
    })
    .await;
    let threads = write(&peer).await.threads(&change()).await.unwrap();
    let table: Vec<_> = threads.iter().map(shown).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    7:d1 7:901 app/db.py:12-12 New open replies=true
    7:d2 7:902 outdated open replies=false
    7:d8 7:908 app/db.py:10-12 New open replies=false
    7:d9 7:909 app/db.py:3-3 Old open replies=false
    7:da 7:910 app/db.py:12-12 New resolved by us replies=false
    7:db 7:911 app/db.py:12-12 New resolved replies=false
    7:dc 7:912 app/db.py:12-12 New resolved replies=false
    7:dd 7:913 outdated open replies=false
    ");
    assert!(peer.seen_since_opened().iter().all(|s| s.header("private-token") == "glpat-write"));
}

fn a_thread(id: &str) -> Thread {
    Thread {
        id: ThreadId(id.into()),
        first: Comment { id: CommentId("7:901".into()), body: marker(1) },
        marker: Marker::find(&marker(1)).unwrap(),
        at: None,
        resolved: false,
        resolved_by_us: false,
        has_replies: false,
    }
}

#[tokio::test]
async fn a_thread_is_resolved_and_reopened_by_its_own_id() {
    let peer = Peer::start(|seen| {
        (below(seen)? == ("PUT", "/merge_requests/7/discussions/6a9c"))
            .then(|| reply(200, json!({})))?
    })
    .await;
    let discussion = write(&peer).await;
    discussion.resolve(&a_thread("7:6a9c")).await.unwrap();
    discussion.reopen(&a_thread("7:6a9c")).await.unwrap();
    let bodies: Vec<_> = peer.of("PUT").into_iter().map(|s| s.body).collect();
    assert_eq!(bodies, [json!({ "resolved": true }), json!({ "resolved": false })]);
    for bad in ["6a9c", "7:../../1", "7:", "x:6a9c", "7:a/b"] {
        assert!(discussion.resolve(&a_thread(bad)).await.is_err(), "{bad}");
    }
    assert_eq!(peer.of("PUT").len(), 2);
}

#[tokio::test]
async fn a_comment_is_edited_by_its_number_and_by_nothing_else() {
    let peer = Peer::start(|seen| {
        (below(seen)? == ("PUT", "/merge_requests/7/notes/901"))
            .then(|| reply(200, json!({ "id": 901 })))?
    })
    .await;
    let discussion = write(&peer).await;
    discussion.edit(&CommentId("7:901".into()), "new").await.unwrap();
    assert_eq!(peer.of("PUT")[0].body, json!({ "body": "new" }));
    assert!(discussion.edit(&CommentId("7:../../issues/1".into()), "new").await.is_err());
}

const SUMMARY: &str = "<!-- chaffinch:1:summary -->";

#[tokio::test]
async fn the_summary_is_ours_only_if_the_forge_says_so() {
    let peer = Peer::start(|seen| {
        let page = "/merge_requests/7/notes?order_by=created_at&sort=asc&activity_filter=only_comments&per_page=100&page=";
        let plain = |id, author, body| json!({ "id": id, "author": { "id": author }, "body": body });
        let mut first: Vec<Value> = (0..97).map(|n| plain(n, US, "no marker")).collect();
        first.push(plain(501, 5, SUMMARY));
        first.push(json!({ "id": 502, "author": null, "body": SUMMARY }));
        first.push(json!({ "id": 503, "author": { "id": US }, "system": true, "body": SUMMARY }));
        match below(seen)?.1.strip_prefix(page)? {
            "1" => reply(200, Value::Array(first)),
            "2" => reply(200, json!([plain(504, US, SUMMARY)])),
            _ => None,
        }
    })
    .await;
    let discussion = write(&peer).await;
    let found = discussion.summary(&change()).await.unwrap().unwrap();
    assert_eq!(found, Comment { id: CommentId("7:504".into()), body: SUMMARY.into() });
    discussion.summary(&change()).await.unwrap();
    assert_eq!(peer.of("GET /api/v4/user").len(), 1, "who we are is learnt once");
}

#[tokio::test]
async fn the_summary_is_written_anew_edited_or_written_again_where_it_was_deleted() {
    let peer = Peer::start(|seen| match below(seen)? {
        ("POST", "/merge_requests/7/notes") => reply(201, json!({ "id": 504 })),
        ("PUT", "/merge_requests/7/notes/504") => reply(200, json!({ "id": 504 })),
        ("PUT", "/merge_requests/7/notes/505") => reply(404, json!({})),
        _ => None,
    })
    .await;
    let discussion = write(&peer).await;
    for existing in [None, Some("7:504"), Some("7:505")] {
        let id = existing.map(|id| CommentId(id.into()));
        discussion.put_summary(&change(), id.as_ref(), SUMMARY).await.unwrap();
    }
    insta::assert_snapshot!(peer.lines().join("\n"), @"
    POST /api/v4/projects/42/merge_requests/7/notes
    PUT /api/v4/projects/42/merge_requests/7/notes/504
    PUT /api/v4/projects/42/merge_requests/7/notes/505
    POST /api/v4/projects/42/merge_requests/7/notes
    ");
}

#[tokio::test]
async fn a_text_too_long_for_gitlab_is_cut_and_keeps_its_marker() {
    let peer = Peer::start(|seen| {
        seen.line.starts_with("POST").then(|| reply(201, json!({ "id": 504 })))?
    })
    .await;
    let body = format!("{}\n{SUMMARY}", "€".repeat(1_000_001));
    write(&peer).await.put_summary(&change(), None, &body).await.unwrap();
    let sent = peer.of("POST")[0].body["body"].as_str().unwrap().to_owned();
    assert!(sent.chars().count() <= 1_000_000);
    assert!(Marker::find(&sent).is_some());
}

#[tokio::test]
async fn a_thread_that_may_not_be_resolved_is_denied() {
    let peer = Peer::start(|seen| {
        seen.line.starts_with("PUT").then(|| reply(403, json!({ "message": "403 Forbidden" })))?
    })
    .await;
    let error = write(&peer).await.resolve(&a_thread("7:6a9c")).await.unwrap_err();
    assert!(matches!(error, ForgeError::Denied { .. }), "{error}");
}
