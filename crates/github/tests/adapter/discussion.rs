use std::sync::Arc;

use chaffinch_core::{
    Comment, CommentId, Discussion, Fingerprint, ForgeError, LineRange, Marker, MarkerKind,
    NewThread, Placement, Posted, RepoPath, Side, Thread, ThreadId,
};
use serde_json::{Value, json};

use crate::peer::*;

async fn write(peer: &Peer) -> Arc<dyn Discussion> {
    peer.open().await.discussion
}

fn marker(n: u8) -> String {
    let kind =
        MarkerKind::Finding { finding: Fingerprint::from_digest([n; 16]), tool: "89abcdef".into() };
    Marker { kind }.to_string()
}

fn new_thread(n: u8, lines: LineRange) -> NewThread {
    let at = Placement { path: RepoPath::new("app/db.py").unwrap(), lines, side: Side::New };
    NewThread { at, body: format!("**finding {n}**\n\n{}", marker(n)) }
}

fn three() -> [NewThread; 3] {
    [
        new_thread(1, LineRange::new(12, 12)),
        new_thread(2, LineRange::new(20, 22)),
        new_thread(3, LineRange::new(30, 30)),
    ]
}

fn not_in_diff() -> Option<Reply> {
    let why = "Pull request review thread line must be part of the diff";
    reply(422, json!({ "message": "Unprocessable Entity", "errors": [why] }))
}

#[tokio::test]
async fn threads_are_opened_by_one_review_and_found_again_by_their_markers() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /repos/acme/shop/pulls/7/reviews" => reply(200, json!({ "id": 80 })),
        "GET /repos/acme/shop/pulls/7/comments?sort=created&direction=desc&per_page=100&page=1" => {
            let made = |id: u64, n, review: u64| {
                let body = format!("**finding**\r\n\r\n{}", marker(n));
                json!({ "id": id, "body": body, "pull_request_review_id": review })
            };
            // An earlier thread of the same finding is not the new one.
            reply(
                200,
                json!([made(903, 3, 80), made(901, 1, 80), made(800, 2, 79), made(902, 2, 80)]),
            )
        }
        _ => None,
    })
    .await;
    let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
    let ids = ["901", "902", "903"].map(|id| Posted::OnLine(CommentId(id.into())));
    assert_eq!(posted, ids);
    let body = &peer.of("POST /repos/acme/shop/pulls/7/reviews")[0].body;
    insta::assert_snapshot!(serde_json::to_string_pretty(body).unwrap(), @r#"
    {
      "comments": [
        {
          "body": "**finding 1**\n\n<!-- chaffinch:1:finding:01010101010101010101010101010101:89abcdef -->",
          "line": 12,
          "path": "app/db.py",
          "side": "RIGHT"
        },
        {
          "body": "**finding 2**\n\n<!-- chaffinch:1:finding:02020202020202020202020202020202:89abcdef -->",
          "line": 22,
          "path": "app/db.py",
          "side": "RIGHT",
          "start_line": 20,
          "start_side": "RIGHT"
        },
        {
          "body": "**finding 3**\n\n<!-- chaffinch:1:finding:03030303030303030303030303030303:89abcdef -->",
          "line": 30,
          "path": "app/db.py",
          "side": "RIGHT"
        }
      ],
      "commit_id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "event": "COMMENT"
    }
    "#);
}

#[tokio::test]
async fn a_review_that_is_not_listed_yet_is_looked_for_later() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /repos/acme/shop/pulls/7/reviews" => reply(200, json!({ "id": 80 })),
        line if line.starts_with("GET /repos/acme/shop/pulls/7/comments") => reply(200, json!([])),
        _ => None,
    })
    .await;
    let error = write(&peer).await.post(&change(), &three()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn where_a_review_is_refused_each_thread_is_tried_alone() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /repos/acme/shop/pulls/7/reviews" => not_in_diff(),
        "POST /repos/acme/shop/pulls/7/comments" if seen.body["line"] == 22 => not_in_diff(),
        "POST /repos/acme/shop/pulls/7/comments" => reply(201, json!({ "id": 900 + seen.before })),
        _ => None,
    })
    .await;
    let posted = write(&peer).await.post(&change(), &three()).await.unwrap();
    insta::assert_compact_debug_snapshot!(posted, @r#"[OnLine(CommentId("900")), Refused("Unprocessable Entity; Pull request review thread line must be part of the diff"), OnLine(CommentId("902"))]"#);
    let alone = peer.of("POST /repos/acme/shop/pulls/7/comments");
    assert!(
        alone.iter().all(|s| s.body["commit_id"] == HEAD && s.body.get("subject_type").is_none())
    );
}

#[tokio::test]
async fn a_limit_or_a_failure_while_posting_is_told_and_not_taken_for_a_refusal() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /repos/acme/shop/pulls/7/reviews" => not_in_diff(),
        "POST /repos/acme/shop/pulls/7/comments" if seen.before == 1 => {
            reply(403, json!({}))?.with("retry-after", "60")
        }
        "POST /repos/acme/shop/pulls/7/comments" => reply(201, json!({ "id": 900 })),
        _ => None,
    })
    .await;
    let error = write(&peer).await.post(&change(), &three()).await.unwrap_err();
    assert!(matches!(error, ForgeError::RateLimited { .. }), "{error}");

    let peer =
        Peer::start(|seen| seen.line.ends_with("/reviews").then(|| reply(502, json!({})))?).await;
    let error = write(&peer).await.post(&change(), &three()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
    assert!(peer.of("POST /repos/acme/shop/pulls/7/comments").is_empty());
}

#[tokio::test]
async fn nothing_to_post_asks_nothing() {
    let peer = Peer::start(|_| None).await;
    assert!(write(&peer).await.post(&change(), &[]).await.unwrap().is_empty());
    assert!(peer.seen().is_empty());
}

fn node(id: &str, comments: Value) -> Value {
    json!({
        "id": id, "isResolved": false, "isOutdated": false, "path": "app/db.py", "line": 12,
        "startLine": null, "diffSide": "RIGHT",
        "comments": { "totalCount": comments.as_array().unwrap().len(), "nodes": comments },
    })
}

fn ours(id: u64, body: &str) -> Value {
    json!({ "databaseId": id, "fullDatabaseId": id.to_string(), "body": body, "isMinimized": false, "viewerDidAuthor": true })
}

fn theirs() -> Value {
    json!({ "databaseId": 1, "body": marker(1), "viewerDidAuthor": false })
}

fn threads_page(nodes: Value, next: Option<&str>) -> Option<Reply> {
    let info = json!({ "hasNextPage": next.is_some(), "endCursor": next });
    let threads = json!({ "pageInfo": info, "nodes": nodes });
    reply(200, json!({ "data": { "repository": { "pullRequest": { "reviewThreads": threads } } } }))
}

#[tokio::test]
async fn our_threads_are_those_that_we_began_with_a_marker_on_all_pages() {
    let peer = Peer::start(|seen| {
        if seen.line != "POST /graphql" {
            return None;
        }
        assert_eq!(seen.body["variables"]["owner"], "acme");
        assert_eq!(seen.body["variables"]["name"], "shop");
        if seen.body["variables"]["after"].is_null() {
            let mut outdated = node("T2", json!([ours(902, &marker(2))]));
            outdated["isOutdated"] = json!(true);
            outdated["line"] = Value::Null;
            let nodes = json!([
                node("T1", json!([ours(901, &marker(1)), theirs()])),
                outdated,
                node("T3", json!([theirs(), ours(903, &marker(3))])),
                node("T4", json!([ours(904, "no marker")])),
                node("T5", json!([ours(905, "<!-- chaffinch:1:summary -->")])),
                node("T6", json!([])),
            ]);
            return threads_page(nodes, Some("next"));
        }
        assert_eq!(seen.body["variables"]["after"], "next");
        let mut large = ours(0, &marker(7));
        large["databaseId"] = Value::Null;
        large["fullDatabaseId"] = json!("9999999999");
        let mut hidden = ours(908, &marker(8));
        hidden["isMinimized"] = json!(true);
        let mut range = node("T8", json!([hidden]));
        range["startLine"] = json!(10);
        range["diffSide"] = json!("LEFT");
        let mut long = node("T9", json!([ours(909, &marker(9))]));
        long["comments"]["totalCount"] = json!(51);
        long["isResolved"] = json!(true);
        threads_page(json!([node("T7", json!([large])), range, long]), None)
    })
    .await;
    let threads = write(&peer).await.threads(&change()).await.unwrap();
    let table: Vec<_> = threads.iter().map(shown).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    T1 901 app/db.py:12-12 New resolved=false replies=true
    T2 902 outdated resolved=false replies=false
    T7 9999999999 app/db.py:12-12 New resolved=false replies=false
    T8 908 app/db.py:10-12 Old resolved=true replies=false
    T9 909 app/db.py:12-12 New resolved=true replies=true
    ");
}

fn shown(t: &Thread) -> String {
    let at =
        t.at.as_ref().map(|p| format!("{}:{}-{} {:?}", p.path, p.lines.start, p.lines.end, p.side));
    let at = at.unwrap_or_else(|| "outdated".to_owned());
    format!("{} {} {at} resolved={} replies={}", t.id.0, t.first.id.0, t.resolved, t.has_replies)
}

#[tokio::test]
async fn a_server_without_graphql_has_its_threads_put_together_from_comments() {
    let peer = Peer::start(|seen| {
        let bot = json!({ "login": "chaffinch[bot]", "type": "Bot" });
        let comment = |id: u64, user: &Value, body: String, reply_to: Option<u64>| {
            json!({
                "id": id, "user": user, "body": body, "path": "app/db.py", "line": 12,
                "side": "RIGHT", "in_reply_to_id": reply_to, "performed_via_github_app": { "id": APP },
            })
        };
        let person = json!({ "login": "chaffinch[bot]", "type": "User" });
        match seen.line.as_str() {
            "POST /graphql" => reply(404, json!({ "message": "Not Found" })),
            "GET /repos/acme/shop/pulls/7/comments?per_page=100&page=1" => {
                let mut outdated = comment(906, &bot, marker(6), None);
                outdated["line"] = Value::Null;
                reply(
                    200,
                    json!([
                        comment(901, &bot, marker(1), None),
                        comment(902, &bot, marker(2), None),
                        comment(903, &person, marker(3), None),
                        comment(904, &Value::Null, marker(4), None),
                        comment(905, &json!({ "login": "x", "type": "User" }), "hm".into(), Some(901)),
                        comment(907, &bot, "we answer".into(), Some(902)),
                        outdated,
                    ]),
                )
            }
            _ => None,
        }
    })
    .await;
    let discussion = write(&peer).await;
    let threads = discussion.threads(&change()).await.unwrap();
    let table: Vec<_> = threads.iter().map(shown).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    comment:901 901 app/db.py:12-12 New resolved=false replies=true
    comment:902 902 app/db.py:12-12 New resolved=false replies=false
    comment:906 906 outdated resolved=false replies=false
    ");
    let error = discussion.resolve(&threads[0]).await.unwrap_err();
    assert!(matches!(error, ForgeError::Refused { .. }), "{error}");
}

fn a_thread() -> Thread {
    Thread {
        id: ThreadId("PRRT_1".into()),
        first: Comment { id: CommentId("901".into()), body: marker(1) },
        marker: Marker::find(&marker(1)).unwrap(),
        at: None,
        resolved: false,
        resolved_by_us: false,
        has_replies: false,
    }
}

#[tokio::test]
async fn a_thread_is_resolved_where_we_may() {
    let peer = Peer::start(|seen| {
        let resolves =
            seen.body["query"].as_str().is_some_and(|q| q.contains("resolveReviewThread"));
        let done =
            json!({ "data": { "resolveReviewThread": { "thread": { "isResolved": true } } } });
        (resolves && seen.body["variables"]["id"] == "PRRT_1").then(|| reply(200, done))?
    })
    .await;
    write(&peer).await.resolve(&a_thread()).await.unwrap();
    assert_eq!(peer.of("POST /graphql").len(), 1);
}

#[tokio::test]
async fn a_thread_that_we_may_not_resolve_is_hidden_as_resolved() {
    let peer = Peer::start(|seen| {
        let query = seen.body["query"].as_str()?;
        let id = &seen.body["variables"]["id"];
        if query.contains("resolveReviewThread") {
            let forbidden = json!({ "type": "FORBIDDEN", "message": "Resource not accessible by integration" });
            return reply(200, json!({ "data": { "resolveReviewThread": null }, "errors": [forbidden] }));
        }
        if query.contains("minimizeComment") && id == "PRRC_1" {
            return reply(200, json!({ "data": { "minimizeComment": { "minimizedComment": { "isMinimized": true } } } }));
        }
        let first = json!({ "id": "PRRC_1", "viewerDidAuthor": true });
        (id == "PRRT_1").then(|| reply(200, json!({ "data": { "node": { "comments": { "nodes": [first] } } } })))?
    })
    .await;
    write(&peer).await.resolve(&a_thread()).await.unwrap();
    assert_eq!(peer.of("POST /graphql").len(), 3);
}

#[tokio::test]
async fn a_thread_is_reopened_the_way_it_was_closed() {
    for (resolved, hidden, want) in [
        (false, true, vec!["unminimizeComment"]),
        (true, false, vec!["unresolveReviewThread"]),
        (true, true, vec!["unminimizeComment", "unresolveReviewThread"]),
        (false, false, vec![]),
    ] {
        let peer = Peer::start(move |seen| {
            let query = seen.body["query"].as_str()?;
            let id = &seen.body["variables"]["id"];
            let done = |name: &str| reply(200, json!({ "data": { name: {} } }));
            if query.contains("unminimizeComment") {
                return (id == "PRRC_1").then(|| done("unminimizeComment"))?;
            }
            if query.contains("unresolveReviewThread") {
                return (id == "PRRT_1").then(|| done("unresolveReviewThread"))?;
            }
            let first = json!({ "id": "PRRC_1", "isMinimized": hidden, "viewerDidAuthor": true });
            let node = json!({ "isResolved": resolved, "comments": { "nodes": [first] } });
            reply(200, json!({ "data": { "node": node } }))
        })
        .await;
        write(&peer).await.reopen(&a_thread()).await.unwrap();
        let asked = peer.of("POST /graphql");
        let done: Vec<_> =
            asked[1..].iter().map(|seen| seen.body["query"].as_str().unwrap()).collect();
        assert_eq!(done.len(), want.len());
        assert!(done.iter().zip(&want).all(|(query, name)| query.contains(name)), "{done:?}");
    }
}

#[tokio::test]
async fn a_thread_is_closed_by_us_only_if_the_forge_says_so() {
    let peer = Peer::start(|seen| {
        let first = |n: u64, reason: Option<&str>| {
            json!({
                "databaseId": n, "body": marker(1), "viewerDidAuthor": true,
                "isMinimized": reason.is_some(), "minimizedReason": reason,
            })
        };
        let node = |id: u64, by: Option<Value>, reason| {
            json!({
                "id": id.to_string(), "isResolved": by.is_some(), "path": "a.py", "line": 1,
                "resolvedBy": by, "comments": { "totalCount": 1, "nodes": [first(id, reason)] },
            })
        };
        let by = |login: &str| Some(json!({ "login": login }));
        let mut ghost = node(7, by("x"), None);
        ghost["resolvedBy"] = Value::Null;
        let nodes = json!([
            node(1, None, None),
            node(2, None, Some("resolved")),
            node(3, None, Some("off-topic")),
            node(4, by("chaffinch"), None),
            node(5, by("mallory"), None),
            node(6, by("mallory"), Some("resolved")),
            ghost,
        ]);
        match seen.line.as_str() {
            "POST /graphql" => reply(
                200,
                json!({ "data": { "repository": { "pullRequest": {
                "reviewThreads": { "nodes": nodes } } } } }),
            ),
            _ => None,
        }
    })
    .await;
    let threads = write(&peer).await.threads(&change()).await.unwrap();
    let shown: Vec<_> = threads.iter().map(|t| (t.resolved, t.resolved_by_us)).collect();
    let (open, ours, theirs) = ((false, false), (true, true), (true, false));
    assert_eq!(shown, [open, ours, theirs, ours, theirs, theirs, theirs]);
}

const SECONDARY: &str = "You have exceeded a secondary rate limit. Please wait a few minutes.";

/// What comes of an error of GraphQL to a query, and to a mutation.
async fn graphql_says(problem: Value, headers: &'static [(&'static str, &str)]) -> [String; 2] {
    let peer = Peer::start(move |seen| {
        let answer = reply(200, json!({ "data": null, "errors": [problem.clone()] }))?;
        let answer = headers.iter().try_fold(answer, |a, (k, v)| a.with(k, *v));
        (seen.line == "POST /graphql").then_some(answer)?
    })
    .await;
    let discussion = write(&peer).await;
    let query = discussion.threads(&change()).await.unwrap_err();
    let mutation = discussion.resolve(&a_thread()).await.unwrap_err();
    [query.to_string(), mutation.to_string()]
}

#[tokio::test]
async fn an_error_of_graphql_is_final_only_where_it_is_known_to_be() {
    let mut table = Vec::new();
    for (kind, message) in [
        ("NOT_FOUND", "because"),
        ("RATE_LIMITED", "because"),
        ("UNPROCESSABLE", "because"),
        ("UNPROCESSABLE", "was submitted too quickly"),
        ("SOMETHING", "because"),
        ("SERVICE_UNAVAILABLE", "be\ncause"),
        ("FORBIDDEN", SECONDARY),
    ] {
        let said = graphql_says(json!({ "type": kind, "message": message }), &[]).await;
        table.push(format!("{kind} {} | {}", said[0], said[1]));
    }
    for message in ["Something went wrong while executing your query.", SECONDARY] {
        let said = graphql_says(json!({ "message": message }), &[]).await;
        table.push(format!("- {} | {}", said[0], said[1]));
    }
    insta::assert_snapshot!(table.join("\n"), @"
    NOT_FOUND not found | not found
    RATE_LIMITED rate limited until 2026-09-21 14:14:20 UTC | rate limited until 2026-09-21 14:14:20 UTC
    UNPROCESSABLE unavailable: graphql reviewThreads: because | refused: because
    UNPROCESSABLE rate limited until 2026-09-21 14:14:20 UTC | rate limited until 2026-09-21 14:14:20 UTC
    SOMETHING unavailable: graphql reviewThreads: because | unavailable: graphql resolveReviewThread: because
    SERVICE_UNAVAILABLE unavailable: graphql reviewThreads: be cause | unavailable: graphql resolveReviewThread: be cause
    FORBIDDEN rate limited until 2026-09-21 14:14:20 UTC | rate limited until 2026-09-21 14:14:20 UTC
    - unavailable: graphql reviewThreads: Something went wrong while executing your query. | unavailable: graphql resolveReviewThread: Something went wrong while executing your query.
    - rate limited until 2026-09-21 14:14:20 UTC | rate limited until 2026-09-21 14:14:20 UTC
    ");
}

#[tokio::test]
async fn a_limit_of_graphql_lasts_as_long_as_its_headers_say_and_a_day_at_most() {
    let limit = json!({ "type": "RATE_LIMITED", "message": "API rate limit exceeded" });
    for (headers, until) in [
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790000900")][..], 900),
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9790000900")], 24 * 60 * 60),
        (&[("x-ratelimit-remaining", "4000"), ("x-ratelimit-reset", "1790000900")], 60),
        (&[("retry-after", "7")], 7),
    ] {
        let until = now() + chrono::TimeDelta::seconds(until);
        let want = format!("rate limited until {until}");
        assert_eq!(graphql_says(limit.clone(), headers).await, [want.clone(), want]);
    }
}

#[tokio::test]
async fn a_comment_is_edited_by_its_number_and_by_nothing_else() {
    let peer = Peer::start(|seen| {
        (seen.line == "PATCH /repos/acme/shop/pulls/comments/901")
            .then(|| reply(200, json!({ "id": 901 })))?
    })
    .await;
    let discussion = write(&peer).await;
    discussion.edit(&CommentId("901".into()), "new").await.unwrap();
    assert_eq!(peer.of("PATCH")[0].body, json!({ "body": "new" }));
    assert!(discussion.edit(&CommentId("../../issues/1".into()), "new").await.is_err());
}

const SUMMARY: &str = "<!-- chaffinch:1:summary -->";

#[tokio::test]
async fn the_summary_is_ours_only_if_the_forge_says_so() {
    let peer = Peer::start(|seen| {
        let comment = |id: u64, login: &str, kind: &str, body: &str| {
            json!({ "id": id, "user": { "login": login, "type": kind }, "body": body })
        };
        let mut first: Vec<Value> =
            (0..97).map(|n| comment(n, "chaffinch[bot]", "Bot", "no marker")).collect();
        first.push(comment(501, "mallory", "User", SUMMARY));
        first.push(comment(502, "other[bot]", "Bot", SUMMARY));
        first.push(json!({ "id": 503, "user": null, "body": SUMMARY }));
        let page = seen.line.strip_prefix("GET /repos/acme/shop/issues/7/comments?per_page=100&page=")?;
        match page {
            "1" => reply(200, Value::Array(first)),
            _ => reply(200, json!([comment(504, "chaffinch[bot]", "Bot", SUMMARY)])),
        }
    })
    .await;
    let discussion = write(&peer).await;
    let found = discussion.summary(&change()).await.unwrap().unwrap();
    assert_eq!(found, Comment { id: CommentId("504".into()), body: SUMMARY.into() });
    discussion.summary(&change()).await.unwrap();
    assert_eq!(peer.of("GET /app").len(), 1, "who we are is learnt once");
}

#[tokio::test]
async fn the_summary_is_written_anew_edited_or_written_again_where_it_was_deleted() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /repos/acme/shop/issues/7/comments" => reply(201, json!({ "id": 504 })),
        "PATCH /repos/acme/shop/issues/comments/504" => reply(200, json!({ "id": 504 })),
        "PATCH /repos/acme/shop/issues/comments/505" => reply(404, json!({})),
        _ => None,
    })
    .await;
    let discussion = write(&peer).await;
    for existing in [None, Some("504"), Some("505")] {
        let id = existing.map(|id| CommentId(id.into()));
        discussion.put_summary(&change(), id.as_ref(), SUMMARY).await.unwrap();
    }
    let writes = peer.lines();
    insta::assert_snapshot!(writes.join("\n"), @"
    POST /repos/acme/shop/issues/7/comments
    PATCH /repos/acme/shop/issues/comments/504
    PATCH /repos/acme/shop/issues/comments/505
    POST /repos/acme/shop/issues/7/comments
    ");
}

#[tokio::test]
async fn a_text_too_long_for_github_is_cut_and_keeps_its_marker() {
    let peer = Peer::start(|seen| {
        seen.line.starts_with("POST /repos").then(|| reply(201, json!({ "id": 504 })))?
    })
    .await;
    let body = format!("{}\n{SUMMARY}", "€".repeat(70_000));
    write(&peer).await.put_summary(&change(), None, &body).await.unwrap();
    let sent = peer.of("POST /repos")[0].body["body"].as_str().unwrap().to_owned();
    assert!(sent.chars().count() <= 65_536);
    assert!(Marker::find(&sent).is_some());
}
