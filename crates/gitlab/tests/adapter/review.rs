use std::sync::Mutex;

use chaffinch_core::{
    CommentId, ForgeError, LineRange, NewThread, Placement, Posted, RepoPath, Side,
};
use serde_json::{Value, json};

use crate::{
    discussion::{discussion, marker, note, write},
    peer::*,
};

const PATCH: &str = "@@ -10,3 +10,5 @@\n a\n+b\n+c\n d\n e\n@@ -30 +32 @@\n-f\n+g\n";

fn new_thread(n: u8, start: u32, end: u32) -> NewThread {
    let path = RepoPath::new("app/db.py").unwrap();
    let at = Placement { path, lines: LineRange::new(start, end), side: Side::New };
    NewThread { at, body: format!("**finding {n}**\n\n{}", marker(n)) }
}

fn three() -> [NewThread; 3] {
    [new_thread(1, 11, 11), new_thread(2, 10, 12), new_thread(3, 13, 13)]
}

/// A merge request with drafts and discussions, as GitLab keeps them.
#[derive(Default)]
struct Kept {
    drafts: Vec<Value>,
    discussions: Vec<Value>,
    made: u64,
}

/// What GitLab does not take.
#[derive(Default, Clone)]
struct Trouble {
    /// New lines that are no lines to it. Drafts on these are taken, and dropped when published.
    lines: Vec<u64>,
    /// The answer to a new draft, if not yes.
    drafts: Option<u16>,
    /// The answer to publishing, if not yes, and whether it was done all the same.
    publish: Option<(u16, bool)>,
}

impl Kept {
    fn begin(&mut self, body: &Value, text: &str) -> u64 {
        self.made += 1;
        let mut note = note(900 + self.made, US, text);
        note["position"] = body["position"].clone();
        self.discussions.push(discussion(&format!("d{}", self.made), json!([note])));
        900 + self.made
    }
}

fn gitlab(start: Kept, trouble: Trouble) -> impl Fn(&Seen) -> Option<Reply> {
    let kept = Mutex::new(start);
    move |seen| {
        let mut kept = kept.lock().unwrap();
        let (method, path) = below(seen)?;
        let wrong =
            |body: &Value| trouble.lines.iter().any(|line| body["position"]["new_line"] == *line);
        match (method, path) {
            ("GET", "/merge_requests/7") => reply(200, request(7, HEAD, Some(42))),
            ("GET", "/merge_requests/7/diffs?per_page=100&page=1") => reply(
                200,
                json!([{ "old_path": "app/db.py", "new_path": "app/db.py", "diff": PATCH }]),
            ),
            ("GET", "/merge_requests/7/discussions?per_page=100&page=1") => {
                reply(200, json!(kept.discussions))
            }
            ("POST", "/merge_requests/7/discussions") if wrong(&seen.body) => {
                let why = "400 Bad request - Note {:line_code=>[\"must be a valid line code\"]}";
                reply(400, json!({ "message": why }))
            }
            ("POST", "/merge_requests/7/discussions") => {
                let id = kept.begin(&seen.body, seen.body["body"].as_str().unwrap());
                reply(201, json!({ "id": "d", "notes": [{ "id": id }] }))
            }
            ("GET", path) if path.starts_with("/merge_requests/7/draft_notes") => {
                if trouble.drafts == Some(404) {
                    return reply(404, json!({ "error": "404 Not Found" }));
                }
                usual_page(&kept.drafts, path)
            }
            ("POST", "/merge_requests/7/draft_notes") => {
                if let Some(status) = trouble.drafts {
                    return reply(status, json!({ "message": "no" }));
                }
                kept.made += 1;
                let mut draft = seen.body.clone();
                draft["id"] = json!(kept.made);
                kept.drafts.push(draft.clone());
                reply(201, draft)
            }
            ("POST", "/merge_requests/7/draft_notes/bulk_publish") => {
                let (status, done) = trouble.publish.unwrap_or((204, true));
                if done {
                    for draft in std::mem::take(&mut kept.drafts) {
                        if !wrong(&draft) {
                            kept.begin(&draft, draft["note"].as_str().unwrap());
                        }
                    }
                }
                reply(status, json!({}))
            }
            ("DELETE", path) => {
                let id: u64 = path.strip_prefix("/merge_requests/7/draft_notes/")?.parse().unwrap();
                let before = kept.drafts.len();
                kept.drafts.retain(|draft| draft["id"] != id);
                reply(if kept.drafts.len() < before { 204 } else { 404 }, json!({}))
            }
            _ => None,
        }
    }
}

fn writes(peer: &Peer) -> Vec<String> {
    let lines = peer.lines().into_iter().filter(|line| !line.starts_with("GET"));
    lines.map(|line| line.replace("/api/v4/projects/42/merge_requests/7", "")).collect()
}

/// Three threads were opened.
fn all_on_lines(posted: &[Posted]) {
    assert_eq!(posted.len(), 3);
    assert!(posted.iter().all(|p| matches!(p, Posted::OnLine(_))), "{posted:?}");
}

/// What came of it, the ids by the finding of the thread that they are of.
fn outcome(posted: &[Posted]) -> Vec<String> {
    let shown = |posted: &Posted| match posted {
        Posted::OnLine(CommentId(id)) => id.clone(),
        Posted::Refused(why) => format!("refused: {why}"),
    };
    posted.iter().map(shown).collect()
}

#[tokio::test]
async fn several_threads_are_drafts_that_are_published_at_once() {
    let peer = Peer::start(gitlab(Kept::default(), Trouble::default())).await;
    let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
    assert_eq!(outcome(&posted), ["7:904", "7:905", "7:906"]);
    insta::assert_snapshot!(writes(&peer).join("\n"), @"
    POST /draft_notes
    POST /draft_notes
    POST /draft_notes
    POST /draft_notes/bulk_publish
    ");
    let drafts = peer.of("POST /api/v4/projects/42/merge_requests/7/draft_notes");
    insta::assert_snapshot!(serde_json::to_string_pretty(&drafts[1].body).unwrap(), @r#"
    {
      "note": "**finding 2**\n\n<!-- chaffinch:1:finding:02020202020202020202020202020202:89abcdef -->",
      "position": {
        "base_sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        "head_sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "line_range": {
          "end": {
            "line_code": "087aa28b2d1c1f7947d6f5924b2cca19c6ae5c6c_11_12",
            "new_line": 12,
            "type": "new"
          },
          "start": {
            "line_code": "087aa28b2d1c1f7947d6f5924b2cca19c6ae5c6c_10_10",
            "new_line": 10,
            "old_line": 10,
            "type": "old"
          }
        },
        "new_line": 12,
        "new_path": "app/db.py",
        "old_path": "app/db.py",
        "position_type": "text",
        "start_sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      }
    }
    "#);
    // An added line has one number, one that did not change has two.
    assert_eq!(drafts[0].body["position"]["old_line"], Value::Null);
    assert_eq!(drafts[2].body["position"]["old_line"], 11);
    assert_eq!(drafts[2].body["position"]["new_line"], 13);
    // The lines are read with the token that reads.
    let diffs = peer.of("GET /api/v4/projects/42/merge_requests/7/diffs");
    assert!(!diffs.is_empty() && diffs.iter().all(|s| s.header("private-token") == "glpat-read"));
    assert!(drafts.iter().all(|s| s.header("private-token") == "glpat-write"));
}

#[tokio::test]
async fn one_thread_needs_no_draft() {
    let peer = Peer::start(gitlab(Kept::default(), Trouble::default())).await;
    let posted = write(&peer).await.post(&change(), &three()[..1]).await.unwrap();
    assert_eq!(outcome(&posted), ["7:901"]);
    assert_eq!(writes(&peer), ["POST /discussions"]);
    assert_eq!(peer.of("POST")[0].body["body"], three()[0].body);
}

#[tokio::test]
async fn a_line_that_the_diff_does_not_show_is_refused_without_asking() {
    let peer = Peer::start(gitlab(Kept::default(), Trouble::default())).await;
    let threads = [new_thread(1, 20, 20), new_thread(2, 11, 12), new_thread(3, 14, 32)];
    let posted = write(&peer).await.post(&change(), &threads).await.unwrap();
    insta::assert_compact_debug_snapshot!(outcome(&posted), @r#"["refused: the diff does not show this line", "7:901", "refused: the diff does not show this line"]"#);
    assert_eq!(writes(&peer), ["POST /discussions"]);
}

#[tokio::test]
async fn a_draft_that_is_dropped_when_published_is_tried_alone_and_tells_why() {
    // An older thread of the same finding is not taken for the new one.
    let mut kept = Kept::default();
    kept.discussions.push(discussion("old", json!([note(1, US, &marker(3))])));
    let trouble = Trouble { lines: vec![13], ..Trouble::default() };
    let peer = Peer::start(gitlab(kept, trouble)).await;
    let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
    insta::assert_compact_debug_snapshot!(outcome(&posted), @r#"["7:904", "7:905", "refused: 400 Bad request - Note {:line_code=>[\"must be a valid line code\"]}"]"#);
    assert_eq!(writes(&peer).last().unwrap(), "POST /discussions");
}

#[tokio::test]
async fn where_there_are_no_drafts_each_thread_is_posted_alone() {
    for status in [403, 404] {
        let trouble = Trouble { drafts: Some(status), ..Trouble::default() };
        let peer = Peer::start(gitlab(Kept::default(), trouble)).await;
        let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
        assert_eq!(outcome(&posted), ["7:901", "7:902", "7:903"]);
        let alone = writes(&peer).into_iter().filter(|line| line == "POST /discussions");
        assert_eq!(alone.count(), 3);
    }
}

#[tokio::test]
async fn where_publishing_fails_for_good_drafts_are_taken_back_and_nothing_is_said_twice() {
    for (status, done) in [(500, false), (403, false), (500, true)] {
        let trouble = Trouble { publish: Some((status, done)), ..Trouble::default() };
        let peer = Peer::start(gitlab(Kept::default(), trouble)).await;
        let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
        all_on_lines(&posted);
        let count = |of: &str| writes(&peer).iter().filter(|line| line.starts_with(of)).count();
        let alone = if done { 0 } else { 3 };
        assert_eq!((count("DELETE"), count("POST /discussions")), (alone, alone), "{status}");
    }
}

#[tokio::test]
async fn where_it_is_not_known_whether_drafts_were_published_nothing_more_is_said() {
    for status in [502, 429] {
        let trouble = Trouble { publish: Some((status, true)), ..Trouble::default() };
        let peer = Peer::start(gitlab(Kept::default(), trouble)).await;
        let error = write(&peer).await.post(&change(), &three()).await.unwrap_err();
        assert!(
            matches!(error, ForgeError::Unavailable { .. } | ForgeError::RateLimited { .. }),
            "{error}"
        );
        assert!(!writes(&peer).contains(&"POST /discussions".to_owned()));
    }
}

#[tokio::test]
async fn drafts_that_a_run_left_behind_are_not_published_with_the_new_ones() {
    let mut kept = Kept { made: 50, ..Kept::default() };
    kept.drafts.push(json!({ "id": 7, "note": format!("left {}", marker(1)) }));
    let peer = Peer::start(gitlab(kept, Trouble::default())).await;
    let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
    assert_eq!(outcome(&posted), ["7:954", "7:955", "7:956"]);
    assert_eq!(writes(&peer)[0], "DELETE /draft_notes/7");
}

#[tokio::test]
async fn all_drafts_that_were_left_behind_are_found_or_none_is_published() {
    for (left, published) in [(230, true), (500, true), (501, false), (700, false)] {
        let mut kept = Kept { made: 1000, ..Kept::default() };
        let draft = |n: u64| json!({ "id": n, "note": format!("left {}", marker(1)) });
        kept.drafts = (0..left).map(draft).collect();
        let peer = Peer::start(gitlab(kept, Trouble::default())).await;
        let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
        all_on_lines(&posted);
        let writes = writes(&peer);
        let of = |line: &str| writes.iter().filter(|write| write.starts_with(line)).count();
        assert_eq!(of("DELETE"), left.min(500) as usize);
        assert_eq!(of("POST /draft_notes/bulk_publish") == 1, published, "{left}");
        assert_eq!(of("POST /discussions"), if published { 0 } else { 3 }, "{left}");
    }
}

#[tokio::test]
async fn drafts_that_a_person_is_writing_with_the_same_user_are_left_alone() {
    let mut kept = Kept::default();
    kept.drafts.push(json!({ "id": 7, "note": "not for others yet" }));
    let peer = Peer::start(gitlab(kept, Trouble::default())).await;
    let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
    all_on_lines(&posted);
    assert_eq!(writes(&peer), ["POST /discussions"; 3]);
}

#[tokio::test]
async fn a_limit_or_a_failure_while_posting_is_told_and_not_taken_for_a_refusal() {
    for (status, limited) in [(429, true), (502, false)] {
        let keep = gitlab(Kept::default(), Trouble::default());
        let peer = Peer::start(move |seen| {
            let post = seen.line.ends_with("POST /api/v4/projects/42/merge_requests/7/discussions");
            if post { reply(status, json!({})) } else { keep(seen) }
        })
        .await;
        let error = write(&peer).await.post(&change(), &three()[..1]).await.unwrap_err();
        assert_eq!(matches!(error, ForgeError::RateLimited { .. }), limited, "{error}");
        assert_eq!(matches!(error, ForgeError::Unavailable { .. }), !limited, "{error}");
    }
}

#[tokio::test]
async fn the_diff_is_read_once_and_again_only_when_it_is_another_one() {
    let keep = gitlab(Kept::default(), Trouble::default());
    let peer = Peer::start(move |seen| {
        let request = below(seen)? == ("GET", "/merge_requests/7");
        let mut answer = keep(seen)?;
        if request && seen.before == 2 {
            let mut moved: Value = serde_json::from_slice(&answer.body).unwrap();
            moved["diff_refs"]["start_sha"] = json!("c".repeat(40));
            answer.body = moved.to_string().into_bytes();
        }
        Some(answer)
    })
    .await;
    let access = peer.open().await;
    access.source.changed_lines(&change()).await.unwrap();
    access.discussion.post(&change(), &three()[..1]).await.unwrap();
    assert_eq!(peer.of("GET /api/v4/projects/42/merge_requests/7/diffs").len(), 1);
    access.discussion.post(&change(), &three()[1..2]).await.unwrap();
    assert_eq!(peer.of("GET /api/v4/projects/42/merge_requests/7/diffs").len(), 2);
    let last = &peer.of("POST")[1].body["position"];
    assert_eq!(last["start_sha"], "c".repeat(40));
}

#[tokio::test]
async fn nothing_to_post_asks_nothing() {
    let peer = Peer::start(|_| None).await;
    assert!(write(&peer).await.post(&change(), &[]).await.unwrap().is_empty());
    assert!(peer.lines().is_empty());
}
