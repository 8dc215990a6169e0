//! GitLab's objects as it writes them.

use serde_json::{Value, json};

use super::{
    changes::{DiscussionState, MergeRequestState, NoteState, Version},
    ci::CHILD,
    world::{ProjectState, World},
};
use crate::tree::sha1;

/// When everything of the fixed scenery was made.
pub(crate) const LONG_AGO: &str = "2026-01-01T00:00:00.000Z";

/// With milliseconds, as the API has it.
pub(crate) fn moment(time: &str) -> String {
    time.replace('Z', ".000Z")
}

pub(crate) fn user(world: &World, id: u64) -> Value {
    let name = world.username(id);
    json!({
        "id": id,
        "username": name,
        "public_email": "",
        "name": if world.is_bot(id) { "chaffinch" } else { name },
        "state": "active",
        "locked": false,
        "avatar_url": null,
        "web_url": format!("{}/{name}", world.links.web),
    })
}

pub(crate) fn namespace(world: &World, path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or(path);
    json!({
        "id": 1,
        "name": name,
        "path": name,
        "kind": "group",
        "full_path": path,
        "parent_id": null,
        "avatar_url": null,
        "web_url": format!("{}/groups/{path}", world.links.web),
    })
}

pub(crate) fn project(world: &World, project: &ProjectState, role: u64) -> Value {
    let (group, name) = project.names();
    let web = world.links.project_web(&project.path);
    json!({
        "id": project.id,
        "description": null,
        "name": name,
        "name_with_namespace": project.path.replace('/', " / "),
        "path": name,
        "path_with_namespace": project.path,
        "created_at": LONG_AGO,
        "default_branch": "main",
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": format!("git@127.0.0.1:{}.git", project.path),
        "http_url_to_repo": format!("{web}.git"),
        "web_url": web,
        "readme_url": null,
        "forks_count": 0,
        "avatar_url": null,
        "star_count": 0,
        "last_activity_at": LONG_AGO,
        "visibility": "private",
        "namespace": namespace(world, group),
        "merge_requests_enabled": true,
        "jobs_enabled": true,
        "merge_requests_access_level": "enabled",
        "builds_access_level": "enabled",
        "public_jobs": false,
        "archived": false,
        "empty_repo": false,
        "creator_id": 1,
        "permissions": {
            "project_access": { "access_level": role, "notification_level": 3 },
            "group_access": null,
        },
    })
}

/// A merge request as lists have it.
pub(crate) fn merge_request(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
) -> Value {
    let (iid, path) = (change.iid, &project.path);
    let notes = change.discussions.iter().flat_map(|d| &d.notes).filter(|n| !n.system).count();
    let open = |d: &DiscussionState| !d.individual && !d.is_system() && d.resolved.is_none();
    json!({
        "id": change.id,
        "iid": iid,
        "project_id": project.id,
        "title": if change.draft { format!("Draft: {}", change.title) } else { change.title.clone() },
        "description": change.description,
        "state": change.state(),
        "created_at": moment(&change.created),
        "updated_at": moment(&change.updated),
        "merged_by": null,
        "merge_user": null,
        "merged_at": null,
        "closed_by": null,
        "closed_at": null,
        "target_branch": "main",
        "source_branch": change.branch,
        "user_notes_count": notes,
        "upvotes": 0,
        "downvotes": 0,
        "author": user(world, change.author),
        "assignees": [],
        "assignee": null,
        "reviewers": [],
        "source_project_id": change.source_project(project.id),
        "target_project_id": project.id,
        "labels": [],
        "draft": change.draft,
        "imported": false,
        "imported_from": "none",
        "work_in_progress": change.draft,
        "milestone": null,
        "merge_when_pipeline_succeeds": false,
        "merge_status": if change.unprepared > 0 { "checking" } else { "can_be_merged" },
        "detailed_merge_status": if change.unprepared > 0 { "preparing" } else { "mergeable" },
        "merge_after": null,
        "sha": change.head,
        "merge_commit_sha": null,
        "squash_commit_sha": null,
        "discussion_locked": null,
        "should_remove_source_branch": null,
        "force_remove_source_branch": true,
        "prepared_at": (change.unprepared == 0).then(|| moment(&change.created)),
        "reference": format!("!{iid}"),
        "references": {
            "short": format!("!{iid}"), "relative": format!("!{iid}"), "full": format!("{path}!{iid}"),
        },
        "web_url": world.links.change_web(path, iid),
        "time_stats": {
            "time_estimate": 0, "total_time_spent": 0,
            "human_time_estimate": null, "human_total_time_spent": null,
        },
        "squash": false,
        "squash_on_merge": false,
        "task_completion_status": { "count": 0, "completed_count": 0 },
        "has_conflicts": false,
        "blocking_discussions_resolved": !change.discussions.iter().any(open),
        "approvals_before_merge": null,
    })
}

/// With what only its own address tells.
pub(crate) fn whole_merge_request(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
) -> Value {
    let mut out = merge_request(world, project, change);
    let pipeline =
        project.pipelines.iter().rev().find(|p| p.head == change.head && p.source != CHILD);
    let pipeline = pipeline.map(|p| p.json(world, project));
    let refs = (change.unprepared == 0).then(
        || json!({ "base_sha": change.base, "head_sha": change.head, "start_sha": change.base }),
    );
    let count = project.commits.compare(&change.base, &change.head).len();
    let more = json!({
        "subscribed": false,
        "changes_count": refs.as_ref().map(|_| count.to_string()),
        "latest_build_started_at": null,
        "latest_build_finished_at": null,
        "first_deployed_to_production_at": null,
        "pipeline": pipeline,
        "head_pipeline": pipeline,
        "diff_refs": refs,
        "merge_error": null,
        "first_contribution": false,
        "user": { "can_merge": false },
    });
    if let (Some(out), Value::Object(more)) = (out.as_object_mut(), more) {
        out.extend(more);
    }
    out
}

pub(crate) fn version(change: &MergeRequestState, version: &Version) -> Value {
    json!({
        "id": version.id,
        "head_commit_sha": version.head,
        "base_commit_sha": version.base,
        "start_commit_sha": version.base,
        "created_at": moment(&version.created),
        "merge_request_id": change.id,
        "state": "collected",
        "real_size": "1",
        "patch_id_sha": sha1(version.head.as_bytes()),
    })
}

/// What a discussion is called in a note's `type`.
fn kind(discussion: &DiscussionState) -> Option<&'static str> {
    match discussion {
        d if d.position.is_some() => Some("DiffNote"),
        d if !d.individual => Some("DiscussionNote"),
        _ => None,
    }
}

pub(crate) fn note(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    discussion: &DiscussionState,
    note: &NoteState,
) -> Value {
    let resolvable = !discussion.individual && !note.system;
    let mut out = json!({
        "id": note.id,
        "type": kind(discussion),
        "body": note.body,
        "author": user(world, note.author),
        "created_at": moment(&note.created),
        "updated_at": moment(&note.updated),
        "system": note.system,
        "noteable_id": change.id,
        "noteable_type": "MergeRequest",
        "project_id": project.id,
        "resolvable": resolvable,
        "confidential": note.internal,
        "internal": note.internal,
        "imported": false,
        "imported_from": "none",
        "noteable_iid": change.iid,
        "commands_changes": {},
    });
    if let Some(position) = &discussion.position {
        let now = project.traced(change, position).unwrap_or_else(|| position.clone());
        out["commit_id"] = Value::Null;
        out["suggestions"] = suggestions(note, now.new_line.filter(|_| now.head == change.head));
        out["position"] = now.json();
    }
    if resolvable {
        let resolved = discussion.resolved.as_ref();
        out["resolved"] = json!(resolved.is_some());
        out["resolved_by"] = json!(resolved.map(|r| user(world, r.by)));
        out["resolved_at"] = json!(resolved.map(|r| moment(&r.at)));
    }
    out
}

/// The suggestions in a note, each with the lines that it would replace.
fn suggestions(note: &NoteState, line: Option<u64>) -> Value {
    let mut out = Vec::new();
    let mut lines = note.body.lines();
    while let Some(start) = lines.next() {
        let Some(span) = start.trim_start_matches('`').strip_prefix("suggestion") else { continue };
        let fence = &start[..start.len() - start.trim_start_matches('`').len()];
        if fence.len() < 3 {
            continue;
        }
        let numbers = span.strip_prefix(":-").and_then(|s| s.split_once('+'));
        let number = |t: &str| t.trim().parse::<u64>().ok();
        let (above, below) =
            numbers.and_then(|(a, b)| Some((number(a)?, number(b)?))).unwrap_or((0, 0));
        let content: Vec<&str> = lines.by_ref().take_while(|l| *l != fence).collect();
        out.push(json!({
            "id": note.id * 10 + out.len() as u64,
            "from_line": line.map(|l| l.saturating_sub(above)),
            "to_line": line.map(|l| l + below),
            "appliable": line.is_some(),
            "applied": false,
            "from_content": "",
            "to_content": content.iter().map(|l| format!("{l}\n")).collect::<String>(),
        }));
    }
    Value::Array(out)
}

pub(crate) fn discussion(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    discussion: &DiscussionState,
) -> Value {
    let notes = discussion.notes.iter().map(|n| note(world, project, change, discussion, n));
    json!({
        "id": discussion.id,
        "individual_note": discussion.individual,
        "notes": notes.collect::<Vec<_>>(),
    })
}
