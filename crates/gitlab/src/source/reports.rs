//! What the jobs of a head's pipelines keep as artifacts: GitLab's own SAST reports, and files under
//! configured names.

use std::collections::HashSet;

use chaffinch_core::{Change, ForgeError, RawReport, ReportId, SourceBytes};
use http::StatusCode;
use serde::Deserialize;

use super::{
    READ,
    pipelines::{self, Found, Gaps, Pipeline, is_job, plain_name},
};
use crate::{
    ReportFile,
    api::{Call, encode, refused},
    body::plain,
    handle::Handle,
    json::nullable,
};

/// What a job's `artifacts: reports: sast` is always called.
const SAST_FILE: &str = "gl-sast-report.json";
/// Of one head, and as many that are missing.
const MOST_REPORTS: usize = 50;
/// Of a hundred jobs each.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
struct Job {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    status: String,
    #[serde(default, deserialize_with = "nullable")]
    allow_failure: bool,
    #[serde(default, deserialize_with = "nullable")]
    artifacts: Vec<Artifact>,
    /// When those that it kept are removed; absent where it kept none.
    #[serde(default)]
    artifacts_expire_at: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(default, deserialize_with = "nullable")]
    file_type: String,
}

/// What there is of a report that a job is to leave.
#[derive(Clone, Copy)]
enum State {
    /// It may be there.
    Left,
    /// The scan failed before it left any.
    Failed,
    /// What it left is there no longer.
    Gone,
    /// The scan has not been run to its end, and nobody says that it will be.
    NotRun,
    /// The scan is running, or will.
    ToCome,
    /// None is expected.
    None,
}

impl Job {
    /// The files that it is to keep and we want, and what there is of them.
    fn files<'a>(&self, wanted: &'a [ReportFile]) -> (Vec<&'a str>, State) {
        let named: Vec<&str> = wanted
            .iter()
            .filter(|report| is_job(&self.name, &report.job))
            .map(|report| report.file.as_str())
            .collect();
        if !named.is_empty() || self.keeps_sast() {
            let files = if named.is_empty() { vec![SAST_FILE] } else { named };
            return (files, self.state());
        }
        // Artifacts are listed once they are there. That one of GitLab's own scans was to keep some is
        // told by its name alone; another job may be called so, and has succeeded without.
        match is_sast_name(&self.name) {
            true if self.status == "success" && self.artifacts_expire_at.is_some() => {
                (vec![SAST_FILE], State::Gone)
            }
            true if self.status == "success" => (Vec::new(), State::None),
            true if self.status == "failed" => (vec![SAST_FILE], State::Failed),
            true => (vec![SAST_FILE], self.state()),
            false => (Vec::new(), State::None),
        }
    }

    fn keeps_sast(&self) -> bool {
        self.artifacts.iter().any(|artifact| artifact.file_type == "sast")
    }

    fn state(&self) -> State {
        match self.status.as_str() {
            "success" | "failed" => State::Left,
            // Whoever wrote the pipeline says that it may do without.
            "manual" if self.allow_failure => State::None,
            "created"
            | "pending"
            | "preparing"
            | "running"
            | "scheduled"
            | "canceling"
            | "waiting_for_resource"
            | "waiting_for_callback" => State::ToCome,
            _ => State::NotRun,
        }
    }
}

/// As the jobs of GitLab's own templates are called: `semgrep-sast`.
fn is_sast_name(job: &str) -> bool {
    let name = plain_name(job);
    name == "sast" || name.ends_with("-sast")
}

/// The newest of each job and file. A job that ran again in a later pipeline of the same head counts
/// once; child pipelines may each have a job of one name, and all of those count, but for children of an
/// older pipeline.
///
/// A scan without a report, and whatever else was not looked at, is an empty report: one that cannot be
/// read.
pub(super) async fn of(
    handle: &Handle,
    change: &Change,
    wanted: &[ReportFile],
    limit: u64,
) -> Result<Vec<RawReport>, ForgeError> {
    let Found { pipelines, mut gaps } = pipelines::of(handle, change).await?;
    let (mut seen, mut names) = (HashSet::new(), HashSet::new());
    let mut left = limit;
    let (mut reports, mut failed) = (Vec::new(), Vec::new());
    let (mut not_run, mut to_come) = (Vec::new(), Vec::new());
    for pipeline in pipelines {
        for job in jobs(handle, &pipeline, &mut gaps).await? {
            let (files, state) = job.files(wanted);
            for file in files {
                let key = (job.name.clone(), file, pipeline.is_child.then_some(job.id));
                let again = pipeline.is_old_child && names.contains(&(job.name.clone(), file));
                if seen.contains(&key) || again {
                    continue;
                }
                match state {
                    State::Left if reports.len() == MOST_REPORTS => {
                        gaps.note(true, "more-than-50-reports");
                    }
                    State::Left => {
                        let report = download(handle, &job, file, left, limit).await?;
                        left = left.saturating_sub(report.bytes.len() as u64);
                        reports.push(report);
                        seen.insert(key);
                        names.insert((job.name.clone(), file));
                    }
                    State::Failed => failed.push((key, missing(&job, file, "failed")?)),
                    State::Gone => failed.push((key, missing(&job, file, "expired")?)),
                    State::NotRun => not_run.push((key, missing(&job, file, &plain(&job.status))?)),
                    State::ToCome => {
                        let missing = missing(&job, file, &plain(&job.status))?;
                        to_come.push((key, RawReport { to_come: true, ..missing }));
                    }
                    State::None => {}
                }
            }
        }
    }
    // One that ran in another pipeline of the head has said what there was to say.
    not_run.retain(|(key, _)| !seen.contains(key));
    let mut missing: Vec<_> = failed.into_iter().chain(not_run).chain(to_come).collect();
    let mut said = HashSet::new();
    missing.retain(|(key, _)| said.insert(key.clone()));
    gaps.note(missing.len() > MOST_REPORTS, "more-than-50-reports");
    reports.extend(missing.into_iter().take(MOST_REPORTS).map(|(_, report)| report));
    for gap in gaps.0 {
        tracing::warn!(repository = %handle.repo.name, gap, "not all pipelines were looked at");
        let id = ReportId::new(format!("pipelines:{gap}"))
            .map_err(|e| ForgeError::Other(format!("gitlab: {e}")))?;
        reports.push(RawReport { id, bytes: SourceBytes::default(), to_come: false });
    }
    Ok(reports)
}

/// A report of `job` that is not there, and why.
fn missing(job: &Job, file: &str, why: &str) -> Result<RawReport, ForgeError> {
    Ok(RawReport { id: id(job, file, why)?, bytes: SourceBytes::default(), to_come: false })
}

/// Without those that were run again.
async fn jobs(
    handle: &Handle,
    pipeline: &Pipeline,
    gaps: &mut Gaps,
) -> Result<Vec<Job>, ForgeError> {
    let route = "/projects/{id}/pipelines/{id}/jobs";
    let call = handle.get(route, &format!("/pipelines/{}/jobs", pipeline.id), READ)?;
    let listed = handle.list::<Job>(call, MOST_PAGES).await;
    let listed = gaps.unless_withheld(listed, "jobs-are-withheld")?;
    let Some(listed) = listed else { return Ok(Vec::new()) };
    gaps.note(!listed.complete, "more-than-1000-jobs");
    let mut jobs = listed.items;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
    jobs.dedup_by_key(|job| job.id);
    Ok(jobs)
}

/// GitLab may answer with a redirect to its object storage, which is followed without the token.
async fn download(
    handle: &Handle,
    job: &Job,
    file: &str,
    left: u64,
    limit: u64,
) -> Result<RawReport, ForgeError> {
    let route = "/projects/{id}/jobs/{id}/artifacts/{path}";
    let segments: Vec<_> = file.split('/').map(encode).collect();
    let url = handle.url(&format!("/jobs/{}/artifacts/{}", job.id, segments.join("/")))?;
    let call = Call::bytes(route, url, left, READ);
    let answer = match handle.exchange(&call).await {
        Err(ForgeError::Truncated { .. }) => return Err(ForgeError::Truncated { limit }),
        answer => answer?,
    };
    // A scan whose report cannot be had must not be passed over, nor keep others from being read:
    // handed on empty, it is a report that cannot be read, and the check says so.
    let note = match answer.status {
        status if status.is_success() => {
            let (id, bytes) = (id(job, file, "")?, answer.body.into());
            return Ok(RawReport { id, bytes, to_come: false });
        }
        StatusCode::NOT_FOUND if job.status == "failed" => "failed",
        // GitLab finds the file only if the job lists it under `paths` too.
        StatusCode::NOT_FOUND => "not-among-artifacts:paths",
        // `artifacts: access: developer`.
        StatusCode::FORBIDDEN => "needs-role-Developer",
        _ => return Err(refused(&answer, call.needs, handle.api.clock().now())),
    };
    tracing::warn!(
        repository = %handle.repo.name, job = job.id, name = plain(&job.name), note,
        "a scan's report cannot be downloaded"
    );
    missing(job, file, note)
}

/// Names a report of `job`, with a note if there is one.
fn id(job: &Job, file: &str, note: &str) -> Result<ReportId, ForgeError> {
    let note = if note.is_empty() { String::new() } else { format!(":{note}") };
    ReportId::new(format!("job:{}:{}:{}{note}", job.id, plain(&job.name), plain(file)))
        .or_else(|_| ReportId::new(format!("job:{}{note}", job.id)))
        .map_err(|e| ForgeError::Other(format!("gitlab: {e}")))
}
