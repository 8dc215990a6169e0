//! The few events that mean work, and the few fields of them that we read. Servers differ by age, and
//! a hook's owner may have given it a template of his own; whatever is not named here may be missing
//! or of any shape.

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{CommitSha, DeliveryId, Job, RepoName, Subject, Trigger};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Received, Webhook};
use crate::{
    body::plain,
    forge::repo_id,
    json::nullable,
    source::{is_job, merge_request_of},
};

/// A pipeline in which nothing will move by itself any more. One that waits for a person to start a
/// job has run those before it.
const DONE: [&str; 4] = ["success", "failed", "canceled", "manual"];
/// Of a job; one that was cancelled or skipped has no report.
const RAN: [&str; 2] = ["success", "failed"];

#[derive(Deserialize)]
struct Kind {
    #[serde(default, deserialize_with = "nullable")]
    object_kind: String,
}

/// What is missing may be so in events that mean no work.
#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    path_with_namespace: Option<String>,
}

#[derive(Deserialize)]
struct MergeRequestEvent {
    project: Project,
    object_attributes: MergeRequest,
    #[serde(default)]
    changes: Value,
}

#[derive(Deserialize)]
struct MergeRequest {
    #[serde(default)]
    iid: Option<u64>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    draft: Option<bool>,
    /// What `draft` was called before.
    #[serde(default)]
    work_in_progress: Option<bool>,
    /// The head before, where there are new commits and only there.
    #[serde(default)]
    oldrev: Option<String>,
    #[serde(default)]
    last_commit: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

#[derive(Deserialize)]
struct PipelineEvent {
    project: Project,
    object_attributes: Pipeline,
    #[serde(default)]
    merge_request: Option<Named>,
    #[serde(default, deserialize_with = "nullable")]
    builds: Vec<Build>,
}

#[derive(Deserialize)]
struct Pipeline {
    id: u64,
    sha: String,
    #[serde(default)]
    r#ref: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    tag: bool,
    #[serde(default, deserialize_with = "nullable")]
    status: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    finished_at: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    iid: u64,
    #[serde(default)]
    target_project_id: Option<u64>,
}

#[derive(Deserialize)]
struct Build {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    status: String,
}

#[derive(Deserialize)]
struct BuildEvent {
    build_id: u64,
    build_name: String,
    #[serde(default, deserialize_with = "nullable")]
    build_status: String,
    sha: String,
    #[serde(default)]
    r#ref: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    tag: bool,
    project_id: u64,
    /// Newer servers only.
    #[serde(default)]
    project: Option<Project>,
    #[serde(default)]
    repository: Option<Homepage>,
}

#[derive(Deserialize)]
struct Homepage {
    #[serde(default)]
    homepage: Option<String>,
}

/// By what the body says of itself: a system hook's header names no event.
pub(super) fn decode(webhook: &Webhook, delivery: DeliveryId, body: &[u8]) -> Received {
    let Some(Kind { object_kind }) = read("event", body) else {
        return Received::NotOurs("not JSON of GitLab's own: has the webhook a template?");
    };
    let work = match object_kind.as_str() {
        "merge_request" => read(&object_kind, body).map(|event| merge_request(event, delivery)),
        "pipeline" => read(&object_kind, body).map(|event| pipeline(event, delivery)),
        "build" => read(&object_kind, body).map(|event| build(webhook, event, delivery)),
        "note" => Some(Err("a comment")),
        _ => Some(Err("an event that means no work")),
    };
    match work {
        Some(Ok(job)) => Received::Job(job),
        Some(Err(why)) => Received::NotOurs(why),
        None => Received::NotOurs("an event without what we read of it"),
    }
}

/// `None` where it cannot be read, with a line in the log: it is authentic, and so no error.
fn read<T: DeserializeOwned>(event: &str, body: &[u8]) -> Option<T> {
    let read = serde_json::from_slice(body);
    if let Err(error) = &read {
        // The parser's own message can quote the body.
        let (line, column) = (error.line(), error.column());
        tracing::warn!(event = plain(event), line, column, "a delivery that cannot be read");
    }
    read.ok()
}

/// A job, or why there is none.
type Work = Result<Job, &'static str>;

fn merge_request(event: MergeRequestEvent, delivery: DeliveryId) -> Work {
    let request = &event.object_attributes;
    if request.state.as_deref().is_some_and(|state| state != "opened") {
        return Err("closed");
    }
    if request.draft == Some(true) || request.work_in_progress == Some(true) {
        return Err("a draft");
    }
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let was = |what: &str| event.changes[what]["previous"] == true;
    let ready = was("draft") || was("work_in_progress");
    match request.action.as_deref() {
        Some("open" | "reopen") => {}
        Some("update") if given(&request.oldrev) => {}
        Some("update") if ready => {}
        Some("update") => return Err("an update without new commits"),
        // Nothing says that it is not new; the same work is not done twice.
        None | Some("") => {}
        Some(_) => return Err("an action that means no work"),
    }
    let Some(commit) = &request.last_commit else {
        return Err("a merge request without a commit");
    };
    let number = request.iid.ok_or("a merge request without a number")?;
    job(&event.project, delivery, Subject::Change(number), &commit.id, Trigger::Change)
}

fn pipeline(event: PipelineEvent, delivery: DeliveryId) -> Work {
    let pipeline = &event.object_attributes;
    if !DONE.contains(&pipeline.status.as_str()) {
        return Err("a pipeline that is not done");
    }
    if pipeline.tag {
        return Err("a pipeline of a tag");
    }
    // Of statuses alone: ours among them, and never a report.
    if pipeline.source.as_deref() == Some("external") {
        return Err("a pipeline without jobs");
    }
    // One that runs here may be of a merge request elsewhere, whose number means another one here.
    let here = |named: &&Named| {
        named.target_project_id.is_none_or(|target| Some(target) == event.project.id)
    };
    let named = event.merge_request.as_ref().filter(here).map(|named| named.iid);
    let subject = named.or_else(|| merge_request_of(pipeline.r#ref.as_deref()?));
    let trigger = Trigger::Scan(format!("pipeline:{}:{}", pipeline.id, jobs_of(&event)));
    let subject = subject.map_or(Subject::Head, Subject::Change);
    job(&event.project, delivery, subject, &pipeline.sha, trigger)
}

/// What tells one end of a pipeline from the next: its jobs. Not the time, nor the status: our own
/// commit status becomes part of the pipeline and ends it once more, and that must be no new work.
fn jobs_of(event: &PipelineEvent) -> String {
    let mut jobs: Vec<_> = event.builds.iter().map(|b| (b.id, b.status.as_str())).collect();
    if jobs.is_empty() {
        let pipeline = &event.object_attributes;
        return plain(pipeline.finished_at.as_deref().unwrap_or(&pipeline.status));
    }
    jobs.sort_unstable();
    let text: String = jobs.iter().map(|(id, status)| format!("{id}:{status};")).collect();
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..8])
}

fn build(webhook: &Webhook, event: BuildEvent, delivery: DeliveryId) -> Work {
    if !webhook.jobs.iter().any(|name| is_job(&event.build_name, name)) {
        return Err("a job that means no work");
    }
    if !RAN.contains(&event.build_status.as_str()) {
        return Err("a job that is not done");
    }
    if event.tag {
        return Err("a job of a tag");
    }
    let named = event.project.as_ref().and_then(|p| p.path_with_namespace.clone());
    let homepage = event.repository.as_ref().and_then(|r| r.homepage.as_deref());
    let path = named.or_else(|| path_of(homepage?, &webhook.sub_path));
    let project = Project { id: Some(event.project_id), path_with_namespace: path };
    let subject = event.r#ref.as_deref().and_then(merge_request_of);
    let subject = subject.map_or(Subject::Head, Subject::Change);
    let trigger = Trigger::Scan(format!("job:{}", event.build_id));
    job(&project, delivery, subject, &event.sha, trigger)
}

/// `https://host/gitlab/group/project` → `group/project`, where GitLab is installed at `/gitlab`.
pub(super) fn path_of(homepage: &str, sub_path: &str) -> Option<String> {
    let url = url::Url::parse(homepage).ok()?;
    let below = url.path().strip_prefix(sub_path).filter(|rest| rest.starts_with('/'));
    let path = below.unwrap_or(url.path());
    Some(path.trim_matches('/').to_owned())
}

fn job(
    project: &Project,
    delivery: DeliveryId,
    subject: Subject,
    head: &str,
    source: Trigger,
) -> Work {
    let id = project.id.ok_or("a project without a number")?;
    let name = project.path_with_namespace.as_deref().ok_or("a project without a path")?;
    let name = RepoName::new(name).map_err(|_| "a project whose path we cannot hold")?;
    let head = CommitSha::new(head).map_err(|_| "a commit whose id we cannot hold")?;
    Ok(Job { delivery, repo: repo_id(id, name), subject, head, source })
}
