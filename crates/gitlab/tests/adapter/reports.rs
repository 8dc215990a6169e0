use std::sync::Arc;

use chaffinch_core::{Forge, ForgeError, Source};
use chaffinch_gitlab::{Config, ReportFile};
use serde_json::{Value, json};

use crate::peer::*;

const MERGE: &str = "cccccccccccccccccccccccccccccccccccccccc";
const OLD_MERGE: &str = "dddddddddddddddddddddddddddddddddddddddd";
const STALE: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

async fn read(peer: &Peer, config: Config) -> Arc<dyn Source> {
    peer.gitlab_with(config).open(&repo()).await.unwrap().source
}

fn pipeline(id: u64, commit: &str, reference: &str) -> Value {
    json!({ "id": id, "project_id": 42, "sha": commit, "ref": reference, "status": "success" })
}

fn job(id: u64, name: &str, status: &str, kinds: &[&str]) -> Value {
    let artifacts: Vec<_> =
        kinds.iter().map(|kind| json!({ "file_type": kind, "filename": "x" })).collect();
    json!({ "id": id, "name": name, "status": status, "artifacts": artifacts })
}

/// Pipelines of the head, of merges of it, of a merge of an older head, of a fork, and a child.
fn scanning(seen: &Seen) -> Option<Reply> {
    let (_, path) = below(seen)?;
    let page = "?per_page=100&page=1";
    let commit = |parents: &[&str]| reply(200, json!({ "parent_ids": parents }));
    if let Some(commit) = path.strip_prefix("/pipelines?sha=") {
        let commit = commit.strip_suffix("&source=parent_pipeline&per_page=100&page=1")?;
        let children =
            if commit == HEAD { json!([pipeline(12, HEAD, "topic")]) } else { json!([]) };
        return reply(200, children);
    }
    if let Some(pipeline) = path.strip_prefix("/pipelines/") {
        let jobs = match pipeline.strip_suffix(page)?.strip_suffix("/jobs")? {
            "11" => json!([
                job(110, "test", "success", &["archive", "junit"]),
                job(111, "semgrep-sast", "success", &["archive", "sast"]),
                job(112, "scan: [a]", "success", &["archive"]),
                job(113, "scan: [b]", "running", &[]),
            ]),
            "10" => json!([
                job(101, "semgrep-sast", "success", &["sast"]),
                job(102, "brakeman-sast", "failed", &["sast"]),
                job(103, "scan: [b]", "success", &["archive"]),
            ]),
            "9" => json!([job(91, "only-merged-sast", "success", &["sast"])]),
            "12" => json!([job(121, "semgrep-sast", "success", &["sast"])]),
            _ => return None,
        };
        return reply(200, jobs);
    }
    match path {
        "/merge_requests/7/pipelines" => reply(
            200,
            json!([
                pipeline(9, OLD_MERGE, "refs/merge-requests/7/train"),
                pipeline(11, MERGE, "refs/merge-requests/7/merge"),
                pipeline(10, HEAD, "topic"),
                pipeline(8, STALE, "refs/merge-requests/7/merge"),
                pipeline(7, BASE, "topic"),
                json!({ "id": 6, "project_id": 43, "sha": HEAD, "ref": "topic" }),
            ]),
        ),
        p if p == format!("/repository/commits/{MERGE}") => commit(&[BASE, HEAD]),
        p if p == format!("/repository/commits/{OLD_MERGE}") => commit(&[STALE, HEAD]),
        // A commit on top of the head is no merge of it.
        p if p == format!("/repository/commits/{STALE}") => commit(&[HEAD]),
        _ => {
            let (job, file) = path.strip_prefix("/jobs/")?.split_once("/artifacts/")?;
            match file {
                "gl-sast-report.json" if job != "102" => {
                    bytes("application/json", format!("sast {job}").as_bytes())
                }
                "out/a%20b.sarif" => {
                    bytes("application/octet-stream", format!("sarif {job}").as_bytes())
                }
                _ => reply(404, json!({ "message": "404 Not found" })),
            }
        }
    }
}

fn configured(peer: &Peer) -> Config {
    let reports = vec![ReportFile { job: "scan".into(), file: "out/a b.sarif".into() }];
    Config { reports, ..peer.config() }
}

#[tokio::test]
async fn reports_are_the_newest_of_each_job_of_the_head_and_of_merges_of_it() {
    let peer = Peer::start(scanning).await;
    let source = read(&peer, configured(&peer)).await;
    let reports = source.reports(&change()).await.unwrap();
    let table: Vec<_> = reports.iter().map(|r| format!("{} {}", r.id, r.bytes.text())).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    job:112:scan---a-:out-a-b.sarif sarif 112
    job:111:semgrep-sast:gl-sast-report.json sast 111
    job:103:scan---b-:out-a-b.sarif sarif 103
    job:102:brakeman-sast:gl-sast-report.json:failed 
    job:91:only-merged-sast:gl-sast-report.json sast 91
    job:121:semgrep-sast:gl-sast-report.json sast 121
    job:113:scan---b-:out-a-b.sarif:running 
    ");
    assert!(peer.seen_since_opened().iter().all(|s| s.header("private-token") == "glpat-read"));
}

#[tokio::test]
async fn reports_together_are_bounded() {
    let peer = Peer::start(scanning).await;
    let all = read(&peer, configured(&peer)).await.reports(&change()).await.unwrap();
    let length: u64 = all.iter().map(|r| r.bytes.len() as u64).sum();
    for (bytes, fits) in [(length, true), (length - 1, false)] {
        let config = Config { max_report_bytes: bytes, ..configured(&peer) };
        match read(&peer, config).await.reports(&change()).await {
            Ok(reports) => assert!(fits && reports.len() == all.len()),
            Err(ForgeError::Truncated { limit }) => assert!(!fits && limit == bytes),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_report_in_object_storage_is_fetched_without_the_token() {
    let storage = Peer::start(|_| bytes("application/json", b"{}")).await;
    let signed = format!("{}/bucket/7?X-Amz-Signature=1", storage.address);
    let peer = Peer::start(move |seen| {
        if seen.line.contains("/artifacts/") {
            return reply(302, json!({}))?.with("location", signed.clone());
        }
        scanning(seen)
    })
    .await;
    let reports = read(&peer, peer.config()).await.reports(&change()).await.unwrap();
    assert!(!reports.is_empty() && reports.iter().all(|r| r.bytes.expose() == b"{}"));
    assert_eq!(storage.seen().len(), reports.len());
    assert!(storage.seen().iter().all(|s| s.header("private-token").is_empty()));
}

#[tokio::test]
async fn a_report_that_cannot_be_had_is_one_that_cannot_be_read_and_others_are() {
    for (status, note) in [(403, "needs-role-Developer"), (404, "not-among-artifacts:paths")] {
        let peer = Peer::start(move |seen| match seen.line.contains("/jobs/111/artifacts/") {
            true => reply(status, json!({ "message": "no" })),
            false => scanning(seen),
        })
        .await;
        let reports = read(&peer, peer.config()).await.reports(&change()).await.unwrap();
        let (empty, whole): (Vec<_>, Vec<_>) = reports.iter().partition(|r| r.bytes.is_empty());
        let refused = empty.iter().find(|r| r.id.as_str().starts_with("job:111:")).unwrap();
        assert!(refused.id.as_str().ends_with(note), "{}", refused.id);
        assert!(!whole.is_empty());
    }
    // What may be better next time, or is wrong with the token itself, is no report.
    for status in [401, 429, 500] {
        let peer = Peer::start(move |seen| match seen.line.contains("/artifacts/") {
            true => reply(status, json!({ "message": "no" })),
            false => scanning(seen),
        })
        .await;
        assert!(read(&peer, peer.config()).await.reports(&change()).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_head_without_pipelines_has_no_reports_and_a_failure_is_no_absence() {
    let peer = Peer::start(|seen| {
        let (_, path) = below(seen)?;
        (path == "/merge_requests/7/pipelines" || path.starts_with("/pipelines?sha="))
            .then(|| reply(200, json!([])))?
    })
    .await;
    assert!(read(&peer, peer.config()).await.reports(&change()).await.unwrap().is_empty());
    for status in [401, 429, 502] {
        let peer = Peer::start(move |seen| {
            seen.line.contains("/pipelines").then(|| reply(status, json!({})))?
        })
        .await;
        assert!(read(&peer, peer.config()).await.reports(&change()).await.is_err(), "{status}");
    }
}

/// A project that keeps its pipelines from us, or has none.
async fn withheld(access: &'static str) -> Vec<String> {
    let peer = Peer::start(move |seen| {
        let (_, path) = below(seen)?;
        match path {
            "/merge_requests/7/pipelines" => reply(403, json!({})),
            "" => reply(200, json!({ "id": 42, "path_with_namespace": "acme/shop", "builds_access_level": access })),
            _ => None,
        }
    })
    .await;
    let reports = read(&peer, peer.config()).await.reports(&change()).await.unwrap();
    reports.iter().map(|report| report.id.to_string()).collect()
}

#[tokio::test]
async fn pipelines_that_are_withheld_are_missed_unless_the_project_has_none() {
    assert_eq!(withheld("private").await, ["pipelines:pipelines-are-withheld"]);
    assert!(withheld("disabled").await.is_empty());
}
