//! What is told of pipelines and jobs.

use serde_json::{Value, json};

use super::{commit, repository, short_project, spaced, user};
use crate::gitlab::{
    changes::MergeRequestState,
    ci::Pipeline,
    world::{ProjectState, World},
};

fn of_head<'p>(project: &'p ProjectState, change: &MergeRequestState) -> Option<&'p Pipeline> {
    project.pipelines.iter().rev().find(|p| p.head == change.head)
}

pub(super) fn pipeline(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    status: &str,
) -> Option<Value> {
    let pipeline = of_head(project, change)?;
    let builds = pipeline.jobs.iter().rev().map(|job| {
        json!({
            "id": job.id, "stage": job.stage, "name": job.name, "status": job.status,
            "created_at": spaced(&job.created), "started_at": spaced(&job.created),
            "finished_at": spaced(&job.created), "duration": 11.5, "queued_duration": 1.5,
            "failure_reason": null, "when": "on_success", "manual": false, "allow_failure": false,
            "user": user(world, change.author), "runner": null,
            "artifacts_file": { "filename": "artifacts.zip", "size": 1000 }, "environment": null,
        })
    });
    let by_request = pipeline.source == "merge_request_event";
    let merge_request = by_request.then(|| {
        json!({
            "id": change.id, "iid": change.iid, "title": change.title,
            "source_branch": change.branch, "source_project_id": project.id,
            "target_branch": "main", "target_project_id": project.id, "state": change.state(),
            "merge_status": "can_be_merged", "detailed_merge_status": "mergeable",
            "url": world.links.change_web(&project.path, change.iid),
        })
    });
    let web = world.links.project_web(&project.path);
    Some(json!({
        "object_kind": "pipeline",
        "object_attributes": {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "name": null,
            // A pipeline of a merge request names its branch here, and says so by its source alone.
            "ref": if by_request { &change.branch } else { &pipeline.reference },
            "tag": false,
            "sha": pipeline.sha,
            "before_sha": "0".repeat(40),
            "source": pipeline.source,
            "status": status,
            "detailed_status": if status == "success" { "passed" } else { status },
            "stages": ["test"],
            "created_at": spaced(&pipeline.created),
            "finished_at": spaced(&pipeline.created),
            "duration": 20,
            "queued_duration": 1,
            "variables": [],
            "url": format!("{web}/-/pipelines/{}", pipeline.id),
        },
        "merge_request": merge_request,
        "user": user(world, change.author),
        "project": short_project(world, project),
        "commit": commit(world, project, &pipeline.sha, &pipeline.created),
        "builds": builds.collect::<Vec<_>>(),
    }))
}

/// About the newest job of the head.
pub(super) fn build(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    status: &str,
) -> Option<Value> {
    let pipeline = of_head(project, change)?;
    let job = pipeline.jobs.last()?;
    let at = spaced(&job.created);
    Some(json!({
        "object_kind": "build",
        "ref": pipeline.reference,
        "tag": false,
        "before_sha": "0".repeat(40),
        "sha": pipeline.sha,
        "retries_count": 0,
        "build_id": job.id,
        "build_name": job.name,
        "build_stage": job.stage,
        "build_status": status,
        "build_created_at": at,
        "build_started_at": at,
        "build_finished_at": at,
        "build_duration": 11.5,
        "build_queued_duration": 1.5,
        "build_allow_failure": false,
        "build_failure_reason": "unknown_failure",
        "pipeline_id": pipeline.id,
        "runner": null,
        "project_id": project.id,
        "project_name": project.path.replace('/', " / "),
        "user": user(world, change.author),
        "commit": {
            "id": pipeline.id, "name": null, "sha": pipeline.sha, "message": "a commit\n",
            "author_name": "Author", "author_email": "author@example.com", "status": "running",
            "duration": null, "started_at": at, "finished_at": null,
        },
        "repository": repository(world, project),
        "project": short_project(world, project),
        "environment": null,
    }))
}
