//! What the jobs of a head's pipelines keep as artifacts: GitLab's own SAST reports, and files under
//! configured names.

use std::collections::HashSet;

use chaffinch_core::{Change, ForgeError, RawReport, ReportId, SourceBytes};
use http::StatusCode;
use serde::Deserialize;

use super::{
    READ,
    pipelines::{self, Pipeline, is_job},
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
/// Of one head; more are an error, since leaving some out could look like a clean result.
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
    artifacts: Vec<Artifact>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(default, deserialize_with = "nullable")]
    file_type: String,
}

impl Job {
    /// The files that it keeps and we want.
    fn files<'a>(&self, wanted: &'a [ReportFile]) -> Vec<&'a str> {
        let named: Vec<&str> = wanted
            .iter()
            .filter(|report| is_job(&self.name, &report.job))
            .map(|report| report.file.as_str())
            .collect();
        let is_sast = self.artifacts.iter().any(|artifact| artifact.file_type == "sast");
        if named.is_empty() && is_sast { vec![SAST_FILE] } else { named }
    }

    fn ran(&self) -> bool {
        matches!(self.status.as_str(), "success" | "failed")
    }
}

/// The newest of each job and file. A job that ran again in a later pipeline of the same head counts
/// once; child pipelines may each have a job of one name, and all of those count.
pub(super) async fn of(
    handle: &Handle,
    change: &Change,
    wanted: &[ReportFile],
    limit: u64,
) -> Result<Vec<RawReport>, ForgeError> {
    let mut seen = HashSet::new();
    let mut left = limit;
    let mut reports = Vec::new();
    for pipeline in pipelines::of(handle, change).await? {
        for job in jobs(handle, &pipeline).await? {
            for file in job.files(wanted) {
                let child = pipeline.is_child.then_some(job.id);
                if !job.ran() || !seen.insert((job.name.clone(), file, child)) {
                    continue;
                }
                if reports.len() == MOST_REPORTS {
                    return Err(ForgeError::Other(format!(
                        "gitlab: more than {MOST_REPORTS} reports of one head"
                    )));
                }
                let report = download(handle, &job, file, left, limit).await?;
                left = left.saturating_sub(report.bytes.len() as u64);
                reports.push(report);
            }
        }
    }
    Ok(reports)
}

/// Without those that were run again.
async fn jobs(handle: &Handle, pipeline: &Pipeline) -> Result<Vec<Job>, ForgeError> {
    let route = "/projects/{id}/pipelines/{id}/jobs";
    let call = handle.get(route, &format!("/pipelines/{}/jobs", pipeline.id), READ)?;
    let listed = handle.list::<Job>(call, MOST_PAGES).await?;
    if !listed.complete {
        return Err(ForgeError::Other("gitlab: a pipeline with over 1,000 jobs".to_owned()));
    }
    let mut jobs = listed.items;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
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
    let id = |note: &str| {
        let file = plain(file);
        ReportId::new(format!("job:{}:{}:{file}{note}", job.id, plain(&job.name)))
            .or_else(|_| ReportId::new(format!("job:{}{note}", job.id)))
            .map_err(|e| ForgeError::Other(format!("gitlab: {e}")))
    };
    let call = Call::bytes(route, url, left, READ);
    let answer = match handle.exchange(&call).await {
        Err(ForgeError::Truncated { .. }) => return Err(ForgeError::Truncated { limit }),
        answer => answer?,
    };
    // A scan whose report cannot be had must not be passed over, nor keep others from being read:
    // handed on empty, it is a report that cannot be read, and the check says so.
    let note = match answer.status {
        status if status.is_success() => {
            return Ok(RawReport { id: id("")?, bytes: answer.body.into() });
        }
        // GitLab finds the file only if the job lists it under `paths` too.
        StatusCode::NOT_FOUND => ":not-among-artifacts:paths",
        // `artifacts: access: developer`.
        StatusCode::FORBIDDEN => ":needs-role-Developer",
        _ => return Err(refused(&answer, call.needs, handle.api.clock().now())),
    };
    tracing::warn!(
        repository = %handle.repo.name, job = job.id, name = plain(&job.name), note,
        "a scan's report cannot be downloaded"
    );
    Ok(RawReport { id: id(note)?, bytes: SourceBytes::default() })
}
