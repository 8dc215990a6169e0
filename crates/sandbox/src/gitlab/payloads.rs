//! The bodies of deliveries.

mod ci;

use ci::{build, pipeline};
use serde_json::{Value, json};

use super::{
    changes::MergeRequestState,
    world::{ProjectState, World},
};

/// The body of `event` ("merge_request.open") about the merge request with this number. `None` for
/// an event that the sandbox does not know, or about which there is nothing to tell.
pub(crate) fn payload(
    world: &World,
    project: &ProjectState,
    iid: u64,
    event: &str,
) -> Option<Value> {
    let (kind, action) = event.split_once('.').unwrap_or((event, ""));
    let change = project.merge_requests.get(&iid)?;
    match kind {
        "merge_request" => merge_request(world, project, change, action),
        "note" => note(world, project, change, action),
        "pipeline" => pipeline(world, project, change, action),
        "build" => build(world, project, change, action),
        "push" => Some(push(world, project, change)),
        _ => None,
    }
}

/// What `X-Gitlab-Event` says of a body.
pub(crate) fn header(payload: &Value) -> &'static str {
    match payload["object_kind"].as_str() {
        Some("merge_request") => "Merge Request Hook",
        Some("note") if payload["event_type"] == "confidential_note" => "Confidential Note Hook",
        Some("note") => "Note Hook",
        Some("pipeline") => "Pipeline Hook",
        Some("build") => "Job Hook",
        Some("push") => "Push Hook",
        _ => "System Hook",
    }
}

/// The switch of a hook that a body depends on.
pub(crate) fn switch(header: &str) -> &'static str {
    match header {
        "Merge Request Hook" => "merge_requests_events",
        "Note Hook" => "note_events",
        "Confidential Note Hook" => "confidential_note_events",
        "Pipeline Hook" => "pipeline_events",
        "Job Hook" => "job_events",
        "Push Hook" => "push_events",
        _ => "repository_update_events",
    }
}

/// `2026-11-01 12:00:00 UTC`, as most events have it.
fn spaced(time: &str) -> String {
    time.replace('T', " ").replace('Z', " UTC")
}

fn user(world: &World, id: u64) -> Value {
    let name = world.username(id);
    json!({
        "id": id, "name": name, "username": name, "avatar_url": null, "email": "[REDACTED]",
    })
}

/// A project as pipelines and jobs have it.
fn short_project(world: &World, project: &ProjectState) -> Value {
    let (group, name) = project.names();
    let web = world.links.project_web(&project.path);
    json!({
        "id": project.id,
        "name": name,
        "description": null,
        "web_url": web,
        "avatar_url": null,
        "git_ssh_url": format!("git@127.0.0.1:{}.git", project.path),
        "git_http_url": format!("{web}.git"),
        "namespace": group,
        "visibility_level": 0,
        "path_with_namespace": project.path,
        "default_branch": "main",
        "ci_config_path": "",
    })
}

/// The same as other events have it: with each address twice.
fn project_json(world: &World, project: &ProjectState) -> Value {
    let mut out = short_project(world, project);
    for (name, same) in [
        ("homepage", "web_url"),
        ("url", "git_ssh_url"),
        ("ssh_url", "git_ssh_url"),
        ("http_url", "git_http_url"),
    ] {
        out[name] = out[same].clone();
    }
    out
}

fn repository(world: &World, project: &ProjectState) -> Value {
    let web = world.links.project_web(&project.path);
    json!({
        "name": project.names().1, "url": format!("git@127.0.0.1:{}.git", project.path),
        "description": null, "homepage": web,
    })
}

fn commit(world: &World, project: &ProjectState, sha: &str, time: &str) -> Value {
    json!({
        "id": sha,
        "message": "a commit\n",
        "title": "a commit",
        "timestamp": time.replace('Z', "+00:00"),
        "url": format!("{}/-/commit/{sha}", world.links.project_web(&project.path)),
        "author": { "name": "Author", "email": "author@example.com" },
    })
}

/// A merge request as every event about it has it.
fn attributes(world: &World, project: &ProjectState, change: &MergeRequestState) -> Value {
    let source = match &change.fork {
        None => project_json(world, project),
        Some(fork) if fork.deleted => Value::Null,
        Some(fork) => {
            let mut own = project_json(world, project);
            (own["id"], own["path_with_namespace"]) = (json!(fork.id), json!(fork.path));
            own
        }
    };
    let pipeline = project.pipelines.iter().rev().find(|p| p.head == change.head).map(|p| p.id);
    let prefix = if change.draft { "Draft: " } else { "" };
    json!({
        "assignee_id": null,
        "assignee_ids": [],
        "author_id": change.author,
        "blocking_discussions_resolved": true,
        "created_at": spaced(&change.created),
        "description": change.description,
        "detailed_merge_status": if change.unprepared > 0 { "preparing" } else { "mergeable" },
        "draft": change.draft,
        "first_contribution": false,
        "head_pipeline_id": pipeline,
        "id": change.id,
        "iid": change.iid,
        "labels": [],
        "last_commit": commit(world, project, &change.head, &change.updated),
        "last_edited_at": null,
        "last_edited_by_id": null,
        "merge_commit_sha": null,
        "merge_error": null,
        "merge_status": if change.unprepared > 0 { "preparing" } else { "can_be_merged" },
        "merge_user_id": null,
        "milestone_id": null,
        "reviewer_ids": [],
        "source": source,
        "source_branch": change.branch,
        "source_project_id": change.source_project(project.id),
        "state": change.state(),
        "state_id": if change.open { 1 } else { 2 },
        "target": project_json(world, project),
        "target_branch": "main",
        "target_project_id": project.id,
        "time_change": 0,
        "time_estimate": 0,
        "title": format!("{prefix}{}", change.title),
        "total_time_spent": 0,
        "updated_at": spaced(&change.updated),
        "updated_by_id": null,
        "url": world.links.change_web(&project.path, change.iid),
        "work_in_progress": change.draft,
    })
}

fn merge_request(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    action: &str,
) -> Option<Value> {
    let mut attributes = attributes(world, project, change);
    let mut changes = json!({});
    match action {
        "open" => changes = json!({ "id": { "previous": null, "current": change.id } }),
        // New commits are told from other updates by this field alone.
        "update" => {
            let before = change.versions.iter().rev().nth(1).map_or(&change.base, |v| &v.head);
            attributes["oldrev"] = json!(before);
            changes = json!({ "updated_at": { "previous": spaced(&change.created), "current": spaced(&change.updated) } });
        }
        "edit" => {
            changes = json!({ "title": { "previous": "an older title", "current": change.title } });
        }
        "ready" | "draft" => {
            let draft = action == "draft";
            changes = json!({ "draft": { "previous": !draft, "current": draft } });
        }
        "reopen" | "close" | "merge" | "approved" | "unapproved" | "approval" | "unapproval" => {}
        // Some updates tell no action at all.
        "" => {}
        _ => return None,
    }
    match action {
        "" => {}
        "edit" | "ready" | "draft" => attributes["action"] = json!("update"),
        action => attributes["action"] = json!(action),
    }
    Some(json!({
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": user(world, change.author),
        "project": project_json(world, project),
        "repository": repository(world, project),
        "object_attributes": attributes,
        "labels": [],
        "changes": changes,
    }))
}

/// About the newest note that a person, or anybody if no person, has written.
fn note(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    action: &str,
) -> Option<Value> {
    if !["create", "update"].contains(&action) {
        return None;
    }
    let pairs = change.discussions.iter().flat_map(|d| d.notes.iter().map(move |n| (d, n)));
    let newest = pairs.max_by_key(|(_, n)| (!n.system, !world.is_bot(n.author), n.id));
    let (discussion, note) = newest?;
    let position = discussion.position.as_ref();
    let position = position.map(|p| project.traced(change, p).unwrap_or_else(|| p.clone()));
    let kind = match (&position, discussion.individual) {
        (Some(_), _) => Some("DiffNote"),
        (None, false) => Some("DiscussionNote"),
        (None, true) => None,
    };
    let web = world.links.change_web(&project.path, change.iid);
    let attributes = json!({
        "attachment": null,
        "author_id": note.author,
        "change_position": null,
        "commit_id": null,
        "created_at": spaced(&note.created),
        "discussion_id": discussion.id,
        "id": note.id,
        "internal": note.internal,
        "line_code": position.as_ref().and_then(|p| project.line_code(change, p)),
        "note": note.body,
        "noteable_id": change.id,
        "noteable_type": "MergeRequest",
        "original_position": position.as_ref().map(|p| p.json()),
        "position": position.as_ref().map(|p| p.json()),
        "project_id": project.id,
        "resolved_at": null,
        "resolved_by_id": null,
        "resolved_by_push": null,
        "st_diff": null,
        "system": note.system,
        "type": kind,
        "updated_at": spaced(&note.updated),
        "updated_by_id": null,
        "description": note.body,
        "url": format!("{web}#note_{}", note.id),
        "action": action,
    });
    Some(json!({
        "object_kind": "note",
        "event_type": if note.internal { "confidential_note" } else { "note" },
        "user": user(world, note.author),
        "project_id": project.id,
        "project": project_json(world, project),
        "object_attributes": attributes,
        "repository": repository(world, project),
        "merge_request": self::attributes(world, project, change),
    }))
}

fn push(world: &World, project: &ProjectState, change: &MergeRequestState) -> Value {
    let before = change.versions.iter().rev().nth(1).map_or(&change.base, |v| &v.head);
    json!({
        "object_kind": "push",
        "event_name": "push",
        "before": before,
        "after": change.head,
        "ref": format!("refs/heads/{}", change.branch),
        "ref_protected": false,
        "checkout_sha": change.head,
        "user_id": change.author,
        "user_name": world.username(change.author),
        "user_username": world.username(change.author),
        "project_id": project.id,
        "project": project_json(world, project),
        "commits": [commit(world, project, &change.head, &change.updated)],
        "total_commits_count": 1,
        "repository": repository(world, project),
    })
}
