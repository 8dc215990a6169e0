//! Pipelines and their jobs.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    changes::MergeRequestState,
    json::{moment, user},
    request::{Outcome, Request, not_found, page},
    world::{ProjectState, World},
};
use crate::answer::Answer;

/// The source of a pipeline that another one has started. Lists leave it out, unless it is asked for.
pub(crate) const CHILD: &str = "parent_pipeline";

pub(crate) struct Pipeline {
    pub(crate) id: u64,
    pub(crate) iid: u64,
    /// What it ran on: a head, or what would come of merging it.
    pub(crate) sha: String,
    /// The head that it is about.
    pub(crate) head: String,
    /// A branch, or `refs/merge-requests/IID/head`, or `…/merge`.
    pub(crate) reference: String,
    pub(crate) source: &'static str,
    pub(crate) status: String,
    pub(crate) created: String,
    pub(crate) jobs: Vec<JobState>,
}

pub(crate) struct JobState {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) stage: String,
    pub(crate) status: String,
    /// Whether it was run again: lists then leave it out.
    pub(crate) retried: bool,
    pub(crate) artifacts: Vec<Artifact>,
    /// Whether artifacts are kept elsewhere: their addresses lead to another host.
    pub(crate) elsewhere: bool,
    /// Whether reporters may not read the artifacts.
    pub(crate) developers_only: bool,
    pub(crate) created: String,
}

pub(crate) struct Artifact {
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
    /// `sast`, where it is a report.
    pub(crate) report: Option<String>,
    /// Whether it is in the job's archive: a report alone is not, and no route of the API gives it.
    pub(crate) archived: bool,
}

impl Pipeline {
    pub(crate) fn json(&self, world: &World, project: &ProjectState) -> Value {
        json!({
            "id": self.id,
            "iid": self.iid,
            "project_id": project.id,
            "sha": self.sha,
            "ref": self.reference,
            "status": self.status,
            "source": self.source,
            "created_at": moment(&self.created),
            "updated_at": moment(&self.created),
            "web_url": format!("{}/-/pipelines/{}", world.links.project_web(&project.path), self.id),
        })
    }

    fn whole(&self, world: &World, project: &ProjectState) -> Value {
        let mut out = self.json(world, project);
        out["before_sha"] = json!("0".repeat(40));
        out["tag"] = json!(false);
        out["yaml_errors"] = Value::Null;
        out["user"] = user(world, 1);
        out["started_at"] = json!(moment(&self.created));
        out["finished_at"] = json!(moment(&self.created));
        out["duration"] = json!(20);
        out["coverage"] = Value::Null;
        out
    }
}

impl JobState {
    /// Whether it has ended, so that nothing more is to come of it.
    fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "created" | "pending" | "running" | "manual")
    }

    pub(crate) fn json(&self, world: &World, project: &ProjectState, pipeline: &Pipeline) -> Value {
        let archived = self.artifacts.iter().any(|a| a.archived);
        let mut files: Vec<Value> = Vec::new();
        if archived {
            files.push(json!({
                "file_type": "archive", "size": 1000, "filename": "artifacts.zip", "file_format": "zip",
            }));
        }
        let reports = self.artifacts.iter().filter_map(|a| Some((a, a.report.as_ref()?)));
        files.extend(reports.map(|(a, kind)| {
            let name = a.path.rsplit('/').next().unwrap_or(&a.path);
            json!({
                "file_type": kind, "size": a.bytes.len(), "filename": name, "file_format": "raw",
            })
        }));
        let archive = archived.then(|| json!({ "filename": "artifacts.zip", "size": 1000 }));
        let finished = self.has_ended().then(|| moment(&self.created));
        let mut out = json!({
            "id": self.id,
            "status": self.status,
            "stage": self.stage,
            "name": self.name,
            "ref": pipeline.reference,
            "tag": false,
            "coverage": null,
            "allow_failure": false,
            "created_at": moment(&self.created),
            "started_at": moment(&self.created),
            "finished_at": finished,
            "erased_at": null,
            "duration": 11.5,
            "queued_duration": 1.5,
            "user": user(world, 1),
            "commit": {
                "id": pipeline.sha, "short_id": &pipeline.sha[..8], "title": "a commit",
                "message": "a commit", "created_at": moment(&self.created), "parent_ids": [],
            },
            "pipeline": pipeline.json(world, project),
            "web_url": format!("{}/-/jobs/{}", world.links.project_web(&project.path), self.id),
            "artifacts": files,
            "runner": null,
            "runner_manager": null,
            "artifacts_expire_at": null,
            "archived": false,
            "tag_list": [],
        });
        if let Some(archive) = archive {
            out["artifacts_file"] = archive;
        }
        out
    }
}

impl World {
    /// The pipeline that a status belongs to: this one, or the newest of the commit, or a new one.
    pub(crate) fn pipeline(
        &mut self,
        at: usize,
        sha: &str,
        id: Option<u64>,
    ) -> Result<u64, Box<Answer>> {
        let mut all = self.projects[at].pipelines.iter().rev().filter(|p| p.sha == sha);
        if let Some(found) = all.find(|p| id.is_none_or(|id| p.id == id)) {
            return Ok(found.id);
        }
        if id.is_some() {
            return Err(not_found());
        }
        let branch = self.branch_of(at, sha);
        Ok(self.new_pipeline(at, (sha, sha), &branch, "external"))
    }

    pub(crate) fn new_pipeline(
        &mut self,
        at: usize,
        (sha, head): (&str, &str),
        reference: &str,
        source: &'static str,
    ) -> u64 {
        let (id, created) = (self.id(), self.now());
        let pipelines = &mut self.projects[at].pipelines;
        pipelines.push(Pipeline {
            id,
            iid: pipelines.len() as u64 + 1,
            sha: sha.to_owned(),
            head: head.to_owned(),
            reference: reference.to_owned(),
            source,
            status: "success".to_owned(),
            created,
            jobs: Vec::new(),
        });
        id
    }

    /// The branch that a commit is the head of.
    pub(crate) fn branch_of(&self, at: usize, sha: &str) -> String {
        let mut changes = self.projects[at].merge_requests.values();
        let has = |c: &&MergeRequestState| c.versions.iter().any(|v| v.head == sha);
        changes.find(has).map_or_else(|| "main".to_owned(), |c| c.branch.clone())
    }
}

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let project = &world.projects[at];
    let wanted = |p: &&Pipeline| {
        let is = |name: &str, value: &str| request.query(name).is_none_or(|v| v == value);
        is("sha", &p.sha)
            && is("ref", &p.reference)
            && is("status", &p.status)
            && is("source", p.source)
            && (p.source != CHILD || request.query("source").is_some())
    };
    let found = project.pipelines.iter().rev().filter(wanted);
    let all = found.map(|p| p.json(world, project)).collect();
    Ok(page(world, request, all))
}

/// Those of every head, the newest first.
pub(crate) fn of_change(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let own = |p: &&Pipeline| p.source != CHILD && change.versions.iter().any(|v| v.head == p.head);
    let found = project.pipelines.iter().rev().filter(own);
    let all = found.map(|p| p.json(world, project)).collect();
    Ok(page(world, request, all))
}

fn at_pipeline<'w>(
    world: &'w World,
    request: &Request,
) -> Result<(&'w ProjectState, &'w Pipeline), Box<Answer>> {
    let project = &world.projects[world.at(request)?];
    let id = request.number("pipeline");
    let found = project.pipelines.iter().find(|p| Some(p.id) == id);
    Ok((project, found.ok_or_else(not_found)?))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let (project, pipeline) = at_pipeline(world, request)?;
    Ok(Answer::json(200, &pipeline.whole(world, project)))
}

pub(crate) fn jobs(world: &mut World, request: &Request) -> Outcome {
    let (project, pipeline) = at_pipeline(world, request)?;
    let scopes: Vec<&str> = request
        .query
        .iter()
        .filter(|(n, _)| n == "scope[]" || n == "scope")
        .map(|(_, v)| v.as_str())
        .collect();
    let retried = request.query("include_retried") == Some("true");
    let wanted = |j: &&JobState| {
        (retried || !j.retried) && (scopes.is_empty() || scopes.contains(&j.status.as_str()))
    };
    let found = pipeline.jobs.iter().rev().filter(wanted);
    let all = found.map(|j| j.json(world, project, pipeline)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn job(world: &mut World, request: &Request) -> Outcome {
    let project = &world.projects[world.at(request)?];
    let id = request.number("job");
    let mut all = project.pipelines.iter().flat_map(|p| p.jobs.iter().map(move |j| (p, j)));
    let (pipeline, job) = all.find(|(_, j)| Some(j.id) == id).ok_or_else(not_found)?;
    Ok(Answer::json(200, &job.json(world, project, pipeline)))
}
