use std::sync::{Arc, Mutex};

use chaffinch_core::{
    Annotation, AnnotationLevel, Check, Conclusion, ForgeError, LineRange, RepoPath,
};
use chaffinch_github::CHECK_NAME;
use serde_json::{Value, json};

use crate::peer::*;

fn check(annotations: u32, conclusion: Conclusion) -> Check {
    let note = |n| Annotation {
        path: RepoPath::new("app/db.py").unwrap(),
        lines: LineRange::new(n, n),
        level: AnnotationLevel::Failure,
        title: "sqli".into(),
        message: format!("note {n}"),
    };
    Check {
        head: sha(HEAD),
        conclusion,
        title: "1 finding stands".into(),
        summary: "**summary**".into(),
        annotations: (1..=annotations).map(note).collect(),
    }
}

/// Keeps check runs as GitHub does: updates append annotations, the newest of a name is the latest.
fn runs(state: Arc<Mutex<Vec<Value>>>) -> impl Fn(&Seen) -> Option<Reply> {
    let list = format!(
        "GET /repos/acme/shop/commits/{HEAD}/check-runs?check_name={CHECK_NAME}&filter=latest&app_id={APP}"
    );
    move |seen| {
        let mut runs = state.lock().unwrap();
        if seen.line == list {
            return reply(
                200,
                json!({ "total_count": 1, "check_runs": runs.last().into_iter().collect::<Vec<_>>() }),
            );
        }
        let given = seen.body["output"]["annotations"].as_array().map_or(0, Vec::len);
        assert!(given <= 50, "GitHub takes 50 annotations a request");
        if seen.line == "POST /repos/acme/shop/check-runs" {
            let mut run = seen.body.clone();
            run["id"] = json!(runs.len() + 1);
            run["app"] = json!({ "id": APP });
            run["output"]["annotations_count"] = json!(given);
            runs.push(run.clone());
            return reply(201, run);
        }
        let id: usize =
            seen.line.strip_prefix("PATCH /repos/acme/shop/check-runs/")?.parse().unwrap();
        let run = &mut runs[id - 1];
        run["output"]["annotations_count"] =
            json!(run["output"]["annotations_count"].as_u64().unwrap() as usize + given);
        for key in ["status", "conclusion", "external_id"] {
            if !seen.body[key].is_null() {
                run[key] = seen.body[key].clone();
            }
        }
        reply(200, run.clone())
    }
}

async fn with_runs() -> (Peer, Arc<Mutex<Vec<Value>>>) {
    let state = Arc::new(Mutex::new(Vec::new()));
    (Peer::start(runs(Arc::clone(&state))).await, state)
}

#[tokio::test]
async fn a_check_is_one_run_with_its_annotations() {
    let (peer, _) = with_runs().await;
    peer.open().await.discussion.check(&change(), &check(1, Conclusion::Failure)).await.unwrap();
    let mut body = peer.of("POST /repos")[0].body.clone();
    assert_eq!(body["external_id"].take().as_str().unwrap().len(), 64);
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "conclusion": "failure",
      "external_id": null,
      "head_sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "name": "Chaffinch",
      "output": {
        "annotations": [
          {
            "annotation_level": "failure",
            "end_line": 1,
            "message": "note 1",
            "path": "app/db.py",
            "start_line": 1,
            "title": "sqli"
          }
        ],
        "summary": "**summary**",
        "title": "1 finding stands"
      },
      "status": "completed"
    }
    "#);
}

#[tokio::test]
async fn annotations_go_in_portions_and_the_run_is_done_with_the_last() {
    let (peer, state) = with_runs().await;
    peer.open().await.discussion.check(&change(), &check(120, Conclusion::Failure)).await.unwrap();
    let sent: Vec<_> = peer
        .seen()
        .iter()
        .filter(|s| s.line.contains("/check-runs") && !s.line.starts_with("GET"))
        .map(|s| {
            let portion = s.body["output"]["annotations"].as_array().unwrap();
            let method = s.line.split(' ').next().unwrap().to_owned();
            (
                method,
                portion.len(),
                s.body["status"].as_str().unwrap().to_owned(),
                s.body["conclusion"].clone(),
            )
        })
        .collect();
    insta::assert_compact_debug_snapshot!(sent, @r#"[("POST", 50, "in_progress", Null), ("PATCH", 50, "in_progress", Null), ("PATCH", 20, "completed", String("failure"))]"#);
    assert_eq!(state.lock().unwrap()[0]["output"]["annotations_count"], 120);
}

#[tokio::test]
async fn a_check_that_is_set_again_repeats_no_annotation() {
    let (peer, state) = with_runs().await;
    let discussion = peer.open().await.discussion;
    let step = async |check: &Check| {
        discussion.check(&change(), check).await.unwrap();
        let runs = state.lock().unwrap();
        let latest = runs.last().unwrap();
        format!(
            "{} runs, {} {}",
            runs.len(),
            latest["output"]["annotations_count"],
            latest["conclusion"]
        )
    };
    let steps = [
        step(&check(0, Conclusion::Neutral)).await,
        step(&check(2, Conclusion::Failure)).await,
        step(&check(2, Conclusion::Failure)).await,
        step(&check(60, Conclusion::Failure)).await,
        step(&check(0, Conclusion::Success)).await,
        step(&check(0, Conclusion::Success)).await,
    ];
    insta::assert_snapshot!(steps.join("\n"), @r#"
    1 runs, 0 "neutral"
    1 runs, 2 "failure"
    1 runs, 2 "failure"
    2 runs, 60 "failure"
    3 runs, 0 "success"
    3 runs, 0 "success"
    "#);
}

#[tokio::test]
async fn a_run_that_was_left_half_done_is_replaced() {
    let (peer, state) = with_runs().await;
    let discussion = peer.open().await.discussion;
    discussion.check(&change(), &check(60, Conclusion::Failure)).await.unwrap();
    {
        let mut runs = state.lock().unwrap();
        runs[0]["status"] = json!("in_progress");
        runs[0]["output"]["annotations_count"] = json!(50);
    }
    discussion.check(&change(), &check(60, Conclusion::Failure)).await.unwrap();
    let runs = state.lock().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[1]["output"]["annotations_count"], 60);
    assert_eq!(runs[1]["status"], "completed");
}

#[tokio::test]
async fn a_run_of_another_app_is_left_alone() {
    let peer = Peer::start(|seen| {
        if seen.line.starts_with("GET /repos") {
            let run =
                json!({ "id": 1, "name": CHECK_NAME, "status": "completed", "app": { "id": 1 } });
            return reply(200, json!({ "check_runs": [run] }));
        }
        (seen.line == "POST /repos/acme/shop/check-runs").then(|| reply(201, json!({ "id": 2 })))?
    })
    .await;
    peer.open().await.discussion.check(&change(), &check(0, Conclusion::Success)).await.unwrap();
}

#[tokio::test]
async fn a_check_without_the_permission_says_which() {
    let peer = Peer::start(|seen| {
        let body = json!({ "message": "Resource not accessible by integration" });
        seen.line.starts_with("GET /repos").then(|| reply(403, body))?
    })
    .await;
    let error = peer
        .open()
        .await
        .discussion
        .check(&change(), &check(0, Conclusion::Success))
        .await
        .unwrap_err();
    let ForgeError::Denied { needs } = error else { panic!("{error}") };
    assert_eq!(needs, "checks: write");
}
