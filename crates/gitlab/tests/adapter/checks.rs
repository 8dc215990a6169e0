use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chaffinch_core::{Change, ChangeId, Check, Conclusion, ForgeError};
use chaffinch_gitlab::CHECK_NAME;
use serde_json::{Value, json};

use crate::peer::*;

const MERGE: &str = "cccccccccccccccccccccccccccccccccccccccc";
const OLD_MERGE: &str = "dddddddddddddddddddddddddddddddddddddddd";

fn check(conclusion: Conclusion) -> Check {
    Check {
        head: sha(HEAD),
        conclusion,
        title: "1 finding\nstands".into(),
        summary: "**summary**".into(),
        annotations: Vec::new(),
    }
}

/// Keeps statuses as GitLab does, each a new one, for a merge request that looks like `found`; and
/// for another one of the same head and branch.
fn statuses(found: Value) -> impl Fn(&Seen) -> Option<Reply> {
    let kept: Mutex<Vec<Value>> = Mutex::default();
    move |seen| {
        let (method, path) = below(seen)?;
        let mut kept = kept.lock().unwrap();
        if let Some(rest) = path.strip_prefix("/repository/commits/") {
            let (commit, rest) = rest.split_once('/').unwrap_or((rest, ""));
            if rest.is_empty() {
                let merged = if commit == MERGE { HEAD } else { OLD_MERGE };
                return reply(200, json!({ "parent_ids": [BASE, merged] }));
            }
            let name = rest.strip_prefix("statuses?name=")?.split_once('&')?.0;
            let name = name.replace("%20", " ").replace("%21", "!");
            let named = kept.iter().filter(|s| s["sha"] == commit && s["name"] == name).cloned();
            return reply(200, named.collect());
        }
        if let Some(number) = path.strip_prefix("/merge_requests/") {
            let mut found = found.clone();
            found["iid"] = json!(number.parse::<u64>().unwrap());
            return reply(200, found);
        }
        let commit = path.strip_prefix("/statuses/").filter(|_| method == "POST")?;
        let mut status = seen.body.clone();
        status["id"] = json!(kept.len() + 1);
        status["sha"] = json!(commit);
        status["status"] = status["state"].take();
        kept.push(status.clone());
        reply(201, status)
    }
}

async fn set(peer: &Peer, check: &Check) -> Result<(), ForgeError> {
    peer.open().await.discussion.check(&change(), check).await
}

fn written(peer: &Peer) -> Vec<Seen> {
    peer.of("POST /api/v4/projects/42/statuses/")
}

#[tokio::test]
async fn a_check_is_one_status_with_a_state_and_a_sentence() {
    let rows = [
        (Conclusion::Success, "success"),
        (Conclusion::Failure, "failed"),
        // Never green, and never one that counts as green beside others.
        (Conclusion::Neutral, "canceled"),
    ];
    for (conclusion, state) in rows {
        let peer = Peer::start(statuses(request(7, HEAD, Some(42)))).await;
        set(&peer, &check(conclusion)).await.unwrap();
        let [status] = &written(&peer)[..] else { panic!("one status") };
        assert_eq!(
            status.body,
            json!({ "state": state, "name": "chaffinch !7", "description": "1 finding stands", "ref": "topic" })
        );
        assert!(status.line.ends_with(HEAD));
        assert_eq!(status.header("private-token"), "glpat-write");
    }
}

#[tokio::test]
async fn a_status_that_says_the_same_is_not_set_again_and_another_one_is() {
    let peer = Peer::start(statuses(request(7, HEAD, Some(42)))).await;
    set(&peer, &check(Conclusion::Failure)).await.unwrap();
    set(&peer, &check(Conclusion::Failure)).await.unwrap();
    assert_eq!(written(&peer).len(), 1);
    set(&peer, &check(Conclusion::Success)).await.unwrap();
    let other = Check { title: "other".into(), ..check(Conclusion::Success) };
    set(&peer, &other).await.unwrap();
    set(&peer, &check(Conclusion::Failure)).await.unwrap();
    assert_eq!(written(&peer).len(), 4);
}

#[tokio::test]
async fn a_status_goes_into_the_pipeline_that_decides_about_the_merge() {
    let pipeline = |project: u64, commit: &str, reference: &str| json!({ "id": 9, "project_id": project, "sha": commit, "ref": reference });
    let merged = "refs/merge-requests/7/merge";
    let own = "refs/merge-requests/7/head";
    let rows = [
        (Some(42), pipeline(42, HEAD, "topic"), format!("{HEAD} topic 9")),
        (Some(42), pipeline(42, HEAD, own), format!("{HEAD} {own} 9")),
        (Some(42), pipeline(42, MERGE, merged), format!("{MERGE} {merged} 9")),
        // Of an older head, or a merge of one; of another merge request; in a fork; none at all.
        (Some(42), pipeline(42, OLD_MERGE, merged), format!("{HEAD} topic -")),
        (Some(42), pipeline(42, BASE, "topic"), format!("{HEAD} topic -")),
        (Some(42), pipeline(42, MERGE, "refs/merge-requests/8/merge"), format!("{HEAD} topic -")),
        (Some(43), pipeline(43, HEAD, "topic"), format!("{HEAD} {own} -")),
        (Some(42), Value::Null, format!("{HEAD} topic -")),
        (None, Value::Null, format!("{HEAD} {own} -")),
    ];
    for (from, pipeline, want) in rows {
        let mut found = request(7, HEAD, from);
        found["head_pipeline"] = pipeline.clone();
        let peer = Peer::start(statuses(found)).await;
        set(&peer, &check(Conclusion::Success)).await.unwrap();
        set(&peer, &check(Conclusion::Success)).await.unwrap();
        let [status] = &written(&peer)[..] else { panic!("one status for {pipeline}") };
        let commit = status.line.rsplit('/').next().unwrap();
        let id = status.body["pipeline_id"].as_u64().map_or("-".into(), |id| id.to_string());
        let reference = status.body["ref"].as_str().unwrap();
        assert_eq!(format!("{commit} {reference} {id}"), want);
        // Alone in a pipeline of its own, it has no number.
        let own = reference.starts_with("refs/merge-requests/7/");
        assert_eq!(status.body["name"] == CHECK_NAME, own, "{}", status.body["name"]);
    }
}

#[tokio::test]
async fn merge_requests_with_one_head_have_a_status_each() {
    let of_branch = json!({ "id": 9, "project_id": 42, "sha": HEAD, "ref": "topic" });
    for pipeline in [of_branch, Value::Null] {
        let mut found = request(7, HEAD, Some(42));
        found["head_pipeline"] = pipeline;
        let peer = Peer::start(statuses(found)).await;
        let discussion = peer.open().await.discussion;
        let second = Change { id: ChangeId { repo: repo(), number: 8 }, ..change() };
        let real = check(Conclusion::Failure);
        let green = check(Conclusion::Success);
        for (change, check) in
            [(change(), &real), (second, &green), (change(), &real), (change(), &green)]
        {
            discussion.check(&change, check).await.unwrap();
        }
        let said: Vec<_> = written(&peer)
            .iter()
            .map(|s| format!("{} {}", s.body["name"], s.body["state"]).replace('"', ""))
            .collect();
        assert_eq!(said, ["chaffinch !7 failed", "chaffinch !8 success", "chaffinch !7 success"]);
    }
}

#[tokio::test]
async fn a_status_in_another_merge_requests_pipeline_is_none_of_ours() {
    // Of forks: the same commit, under the ref of each.
    let peer = Peer::start(statuses(request(7, HEAD, None))).await;
    let discussion = peer.open().await.discussion;
    let second = Change { id: ChangeId { repo: repo(), number: 8 }, ..change() };
    for change in [change(), second] {
        discussion.check(&change, &check(Conclusion::Success)).await.unwrap();
    }
    let refs: Vec<_> = written(&peer).iter().map(|s| s.body["ref"].to_string()).collect();
    assert_eq!(refs, ["\"refs/merge-requests/7/head\"", "\"refs/merge-requests/8/head\""]);
}

#[tokio::test]
async fn a_head_of_no_open_merge_request_has_its_status_all_the_same() {
    let mut merged = request(7, HEAD, Some(42));
    merged["state"] = json!("merged");
    for found in [merged, request(7, BASE, Some(42))] {
        let peer = Peer::start(statuses(found)).await;
        set(&peer, &check(Conclusion::Neutral)).await.unwrap();
        assert!(written(&peer)[0].body.get("ref").is_none());
    }
}

#[tokio::test]
async fn a_status_that_another_one_gets_in_the_way_of_is_set_again() {
    for (conflicts, sent, well) in [(2, 3, true), (9, 3, false)] {
        let refused = AtomicUsize::new(0);
        let keep = statuses(request(7, HEAD, Some(42)));
        let peer = Peer::start(move |seen| {
            let post = seen.line.starts_with("POST");
            if post && refused.fetch_add(1, Ordering::SeqCst) < conflicts {
                return reply(409, json!({ "message": "409 Conflict" }));
            }
            keep(seen)
        })
        .await;
        let outcome = set(&peer, &check(Conclusion::Success)).await;
        assert_eq!(written(&peer).len(), sent);
        match outcome {
            Ok(()) => assert!(well),
            Err(ForgeError::Unavailable { .. }) => assert!(!well),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_refused_transition_is_well_only_where_the_state_is_there() {
    let same = json!({ "id": 4, "name": "chaffinch !7", "ref": "topic", "status": "success", "description": "1 finding stands" });
    let other = json!({ "id": 4, "name": "chaffinch !7", "ref": "topic", "status": "failed", "description": "1 finding stands" });
    let foreign = json!({ "id": 5, "name": "chaffinch !70", "ref": "topic", "status": "success", "description": "1 finding stands" });
    for (there, well) in
        [(json!([same, foreign]), true), (json!([other, foreign]), false), (json!([]), false)]
    {
        let keep = statuses(request(7, HEAD, Some(42)));
        let peer = Peer::start(move |seen| {
            if seen.line.starts_with("POST") {
                let why = "Cannot transition status via :success from :success";
                return reply(400, json!({ "message": why }));
            }
            if seen.line.contains("/statuses?") && seen.before > 0 {
                return reply(200, there.clone());
            }
            keep(seen)
        })
        .await;
        match set(&peer, &check(Conclusion::Success)).await {
            Ok(()) => assert!(well),
            Err(ForgeError::Refused { why }) => {
                assert!(!well && why.contains("transition"), "{why}")
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_token_that_may_not_set_statuses_names_what_it_needs() {
    let keep = statuses(request(7, HEAD, Some(42)));
    let peer = Peer::start(move |seen| {
        let post = seen.line.starts_with("POST");
        if post { reply(403, json!({ "message": "403 Forbidden" })) } else { keep(seen) }
    })
    .await;
    let error = set(&peer, &check(Conclusion::Success)).await.unwrap_err();
    assert_eq!(error.to_string(), "denied: needs scope api, role Developer");
}
