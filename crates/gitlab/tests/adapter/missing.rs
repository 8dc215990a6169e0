//! Reports that are not where they should be: scans that came to no end, and what is not listed.

use chaffinch_core::{ForgeError, RawReport};
use chaffinch_gitlab::{Config, ReportFile};
use serde_json::{Value, json};

use crate::peer::*;

fn pipeline(id: usize, commit: &str, reference: &str) -> Value {
    json!({ "id": id, "project_id": 42, "sha": commit, "ref": reference })
}

fn job(id: usize, name: &str, status: &str) -> Value {
    json!({ "id": id, "name": name, "status": status, "allow_failure": false, "artifacts": [] })
}

fn with_sast(mut job: Value) -> Value {
    job["artifacts"] = json!([{ "file_type": "sast" }]);
    job
}

/// The page of a listing that is asked for.
fn page(all: &[Value], query: &str) -> Option<Reply> {
    let page: usize = query.split_once("per_page=100&page=")?.1.parse().unwrap();
    reply(200, json!(all.chunks(100).nth(page - 1).unwrap_or_default()))
}

/// Pipelines of the head, each with its jobs, and children of them; every job that is asked has a
/// report. The pipeline of `pipeline(id)` has the jobs `jobs[id]`.
fn project(
    pipelines: Vec<Value>,
    children: Vec<Value>,
    jobs: Vec<Vec<Value>>,
) -> impl Fn(&Seen) -> Option<Reply> {
    move |seen| {
        let (_, path) = below(seen)?;
        if path.starts_with("/jobs/") {
            return bytes("application/json", b"{}");
        }
        if path.starts_with("/merge_requests/7/pipelines") {
            return usual_page(&pipelines, path);
        }
        if path.starts_with(&format!("/pipelines?sha={HEAD}&source=parent_pipeline&")) {
            return page(&children, path);
        }
        let (id, query) = path.strip_prefix("/pipelines/")?.split_once("/jobs?")?;
        page(&jobs[id.parse::<usize>().unwrap()], query)
    }
}

/// One pipeline with these jobs.
fn ran(jobs: Vec<Value>) -> impl Fn(&Seen) -> Option<Reply> {
    project(vec![pipeline(0, HEAD, "topic")], Vec::new(), vec![jobs])
}

fn configured(peer: &Peer) -> Config {
    let reports = vec![ReportFile { job: "scan".into(), file: "scan.json".into() }];
    Config { reports, ..peer.config() }
}

async fn read(peer: &Peer) -> Result<Vec<RawReport>, ForgeError> {
    use chaffinch_core::Forge;
    let access = peer.gitlab_with(configured(peer)).open(&repo()).await.unwrap();
    access.source.reports(&change()).await
}

/// The reports by name; of those that cannot be read, there is nothing but the name.
async fn names(peer: &Peer) -> Vec<String> {
    let reports = read(peer).await.unwrap();
    let shown = |r: &RawReport| match (r.to_come, r.bytes.is_empty()) {
        (true, _) => format!("later {}", r.id),
        (false, true) => format!("no {}", r.id),
        (false, false) => r.id.to_string(),
    };
    reports.iter().map(shown).collect()
}

#[tokio::test]
async fn a_scan_that_came_to_no_end_is_a_report_that_cannot_be_read() {
    let expired = |mut job: Value| {
        job["artifacts_expire_at"] = json!("2026-01-01T00:00:00.000Z");
        job
    };
    let optional = |mut job: Value| {
        job["allow_failure"] = json!(true);
        job
    };
    let rows = [
        (job(1, "scan", "canceled"), "no job:1:scan:scan.json:canceled"),
        (job(1, "scan", "skipped"), "no job:1:scan:scan.json:skipped"),
        (job(1, "scan", "manual"), "no job:1:scan:scan.json:manual"),
        (job(1, "scan", "invented"), "no job:1:scan:scan.json:invented"),
        (job(1, "scan 2/3", "canceled"), "no job:1:scan-2-3:scan.json:canceled"),
        (optional(job(1, "scan", "canceled")), "no job:1:scan:scan.json:canceled"),
        (job(1, "a-sast", "failed"), "no job:1:a-sast:gl-sast-report.json:failed"),
        (optional(job(1, "a-sast", "failed")), "no job:1:a-sast:gl-sast-report.json:failed"),
        (job(1, "a-sast: [x]", "canceled"), "no job:1:a-sast---x-:gl-sast-report.json:canceled"),
        (job(1, "sast", "skipped"), "no job:1:sast:gl-sast-report.json:skipped"),
        (with_sast(job(1, "mine", "canceled")), "no job:1:mine:gl-sast-report.json:canceled"),
        (expired(job(1, "a-sast", "success")), "no job:1:a-sast:gl-sast-report.json:expired"),
        // It is there, whatever became of the job.
        (with_sast(job(1, "mine", "failed")), "job:1:mine:gl-sast-report.json"),
        (job(1, "scan", "failed"), "job:1:scan:scan.json"),
        // The pipeline may do without; or it is no scan of ours.
        (optional(job(1, "scan", "manual")), ""),
        (job(1, "upload-sast", "success"), ""),
        (job(1, "test", "failed"), ""),
        (job(1, "scan", "created"), "later job:1:scan:scan.json:created"),
        (job(1, "scan", "running"), "later job:1:scan:scan.json:running"),
        (job(1, "a-sast", "pending"), "later job:1:a-sast:gl-sast-report.json:pending"),
    ];
    for (job, want) in rows {
        let shown = job.to_string();
        let peer = Peer::start(ran(vec![job])).await;
        assert_eq!(names(&peer).await.join(" "), want, "{shown}");
    }
}

#[tokio::test]
async fn a_scan_that_is_still_to_come_stands_beside_one_that_came() {
    let jobs = vec![job(3, "scan", "running"), with_sast(job(2, "a-sast", "success"))];
    let peer = Peer::start(ran(jobs)).await;
    assert_eq!(
        names(&peer).await,
        ["job:2:a-sast:gl-sast-report.json", "later job:3:scan:scan.json:running"]
    );
}

#[tokio::test]
async fn the_newest_attempt_counts_and_one_that_never_ran_is_none() {
    let both = |newer: &str, older: &str| {
        let all = vec![pipeline(1, HEAD, "topic"), pipeline(0, HEAD, "topic")];
        project(all, Vec::new(), vec![vec![job(1, "scan", older)], vec![job(2, "scan", newer)]])
    };
    let (newer, older) = ("job:2:scan:scan.json", "job:1:scan:scan.json");
    for (states, want) in [
        (("success", "canceled"), vec![newer.to_owned()]),
        (("canceled", "success"), vec![older.to_owned()]),
        (("canceled", "skipped"), vec![format!("no {newer}:canceled")]),
        (("running", "success"), vec![older.to_owned(), format!("later {newer}:running")]),
    ] {
        let peer = Peer::start(both(states.0, states.1)).await;
        assert_eq!(names(&peer).await, want, "{states:?}");
    }
    // A scan that failed without a report keeps those of others from being all.
    let all = vec![pipeline(1, HEAD, "topic"), pipeline(0, HEAD, "topic")];
    let older = vec![with_sast(job(1, "a-sast", "success"))];
    let peer =
        Peer::start(project(all, Vec::new(), vec![older, vec![job(2, "a-sast", "failed")]])).await;
    assert_eq!(
        names(&peer).await,
        ["job:1:a-sast:gl-sast-report.json", "no job:2:a-sast:gl-sast-report.json:failed"]
    );
}

#[tokio::test]
async fn a_scan_of_a_child_pipeline_that_came_to_no_end_counts_for_itself() {
    let children = vec![pipeline(2, HEAD, "topic"), pipeline(1, HEAD, "topic")];
    let jobs = vec![
        vec![job(1, "scan", "success")],
        vec![job(2, "scan", "canceled")],
        vec![job(3, "scan", "success")],
    ];
    let peer = Peer::start(project(vec![pipeline(0, HEAD, "topic")], children, jobs)).await;
    assert_eq!(
        names(&peer).await,
        ["job:1:scan:scan.json", "job:3:scan:scan.json", "no job:2:scan:scan.json:canceled"]
    );
}

#[tokio::test]
async fn what_stands_on_a_later_page_is_looked_at() {
    // Newer pipelines of other heads, then the head's; a child on the second page; jobs likewise.
    let newer = (0..130).map(|n| pipeline(1000 - n, BASE, "topic"));
    let pipelines = newer.chain([pipeline(0, HEAD, "topic")]).collect();
    let elsewhere = (0..130).map(|n| pipeline(1000 - n, BASE, "topic"));
    let children = elsewhere.chain([pipeline(1, HEAD, "topic")]).collect();
    let tests = (0..130).map(|n| job(1000 - n, "test", "success"));
    let jobs = tests.chain([job(5, "scan", "success")]).collect();
    let peer =
        Peer::start(project(pipelines, children, vec![jobs, vec![job(6, "scan", "success")]]))
            .await;
    assert_eq!(names(&peer).await, ["job:5:scan:scan.json", "job:6:scan:scan.json"]);
}

#[tokio::test]
async fn what_is_beyond_a_bound_is_a_report_that_cannot_be_read() {
    let many = |count: usize| (0..count).map(|n| pipeline(n, HEAD, "topic")).collect::<Vec<_>>();
    let of_others = (0..1001).map(|n| pipeline(n, BASE, "topic")).collect::<Vec<_>>();
    let of_tests = |count: usize| (0..count).map(|n| job(n, "test", "success")).collect::<Vec<_>>();
    let scans = |count: usize, status: &str| {
        (0..count).map(|n| job(n, &format!("scan: [{n}]"), status)).collect::<Vec<_>>()
    };
    let none = |count: usize| vec![Vec::new(); count];
    let one = || vec![pipeline(0, HEAD, "topic")];
    let rows = [
        (project(many(100), Vec::new(), none(100)), 0, ""),
        (project(many(101), Vec::new(), none(101)), 1, "more-than-100-pipelines"),
        (project(of_others.clone(), Vec::new(), none(0)), 1, "the-list-of-pipelines-is-cut"),
        (project(Vec::new(), of_others, none(0)), 1, "the-list-of-pipelines-is-cut"),
        (project(one(), Vec::new(), vec![of_tests(999)]), 0, ""),
        (project(one(), Vec::new(), vec![of_tests(1001)]), 1, "more-than-1000-jobs"),
        (project(one(), Vec::new(), vec![scans(50, "success")]), 50, ""),
        (project(one(), Vec::new(), vec![scans(51, "success")]), 51, "more-than-50-reports"),
        (project(one(), Vec::new(), vec![scans(51, "canceled")]), 51, "more-than-50-reports"),
    ];
    for (script, count, gap) in rows {
        let peer = Peer::start(script).await;
        let found = names(&peer).await;
        assert_eq!(found.len(), count, "{gap}");
        if !gap.is_empty() {
            assert_eq!(*found.last().unwrap(), format!("no pipelines:{gap}"));
        }
    }
}

#[tokio::test]
async fn what_is_withheld_in_the_midst_is_a_report_that_cannot_be_read() {
    for status in [403, 404] {
        for (route, gap) in [
            ("/pipelines?sha=", "child-pipelines-are-withheld"),
            ("/pipelines/0/jobs", "jobs-are-withheld"),
        ] {
            let all = vec![pipeline(1, HEAD, "topic"), pipeline(0, HEAD, "topic")];
            let jobs = vec![Vec::new(), vec![job(1, "scan", "success")]];
            let keep = project(all, Vec::new(), jobs);
            let peer = Peer::start(move |seen| match seen.line.contains(route) {
                true => reply(status, json!({ "message": "no" })),
                false => keep(seen),
            })
            .await;
            let want = ["job:1:scan:scan.json".to_owned(), format!("no pipelines:{gap}")];
            assert_eq!(names(&peer).await, want, "{status} {route}");
        }
    }
    // What may be better next time is told.
    for route in ["/merge_requests/7/pipelines", "/pipelines?sha=", "/pipelines/0/jobs"] {
        let keep = ran(vec![job(1, "scan", "success")]);
        let peer = Peer::start(move |seen| match seen.line.contains(route) {
            true => reply(502, json!({})),
            false => keep(seen),
        })
        .await;
        let error = read(&peer).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable { .. }), "{route}: {error}");
    }
}

/// The merges `000…`, `100…`, `200…`, and so on.
fn merge(n: usize) -> String {
    format!("{:0<40}", format!("{n}e"))
}

#[tokio::test]
async fn a_merge_of_the_head_is_found_among_those_of_older_heads() {
    // Newest first: merges of other heads, then one of ours, with a report.
    for (others, found) in [(0, true), (19, true), (20, false)] {
        let reference = "refs/merge-requests/7/merge";
        let newer = (0..others).map(|n| pipeline(100 - n, &merge(n + 1), reference));
        let ours = "d".repeat(40);
        let all: Vec<_> = newer.chain([pipeline(0, &ours, reference)]).collect();
        let keep = project(all, Vec::new(), vec![vec![job(1, "scan", "success")]]);
        let peer = Peer::start(move |seen| {
            let (_, path) = below(seen)?;
            if path.starts_with("/pipelines?sha=") {
                return reply(200, json!([]));
            }
            match path.strip_prefix("/repository/commits/") {
                Some(commit) => {
                    let of = if commit == ours { HEAD } else { BASE };
                    reply(200, json!({ "parent_ids": [BASE, of] }))
                }
                None => keep(seen),
            }
        })
        .await;
        assert_eq!(names(&peer).await.len() == 1, found, "{others}");
        let asked = peer.of("GET /api/v4/projects/42/repository/commits/").len();
        assert_eq!(asked, (others + 1).min(20));
    }
}

#[tokio::test]
async fn a_full_page_without_a_word_of_another_may_not_be_all() {
    for (count, complete) in [(19, true), (20, false)] {
        let all: Vec<_> = (0..count).map(|n| pipeline(n, BASE, "topic")).collect();
        let keep = project(Vec::new(), Vec::new(), Vec::new());
        let peer = Peer::start(move |seen| match below(seen)?.1 {
            "/merge_requests/7/pipelines" => reply(200, json!(all)),
            _ => keep(seen),
        })
        .await;
        assert_eq!(names(&peer).await.is_empty(), complete, "{count}");
    }
}

#[tokio::test]
async fn a_child_of_an_older_pipeline_is_replaced_by_that_of_a_newer_one() {
    let ran = |parents: [usize; 2], children: [usize; 2], states: [&str; 2]| {
        let mut jobs = vec![Vec::new(); 5];
        for (at, state) in children.iter().zip(states) {
            jobs[*at] = vec![job(*at, "scan", state)];
        }
        let pipelines = |ids: [usize; 2]| ids.map(|id| pipeline(id, HEAD, "topic")).to_vec();
        project(pipelines(parents), pipelines(children), jobs)
    };
    let peer = Peer::start(ran([1, 3], [2, 4], ["canceled", "success"])).await;
    assert_eq!(names(&peer).await, ["job:4:scan:scan.json"]);
    // Nothing has taken its place yet.
    let peer = Peer::start(ran([1, 3], [2, 4], ["canceled", "running"])).await;
    assert_eq!(
        names(&peer).await,
        ["no job:2:scan:scan.json:canceled", "later job:4:scan:scan.json:running"]
    );
    // Two of the newest pipeline are two scans.
    let peer = Peer::start(ran([1, 2], [3, 4], ["canceled", "success"])).await;
    assert_eq!(names(&peer).await, ["job:4:scan:scan.json", "no job:3:scan:scan.json:canceled"]);
}
