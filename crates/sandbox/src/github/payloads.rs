//! The bodies of deliveries.

use serde_json::{Value, json};

use super::{
    app::{LONG_AGO, installation_json, integration},
    changes::ChangeState,
    checks::check_json,
    json::{comment, inline, repository, user, whole_pull},
    world::{RepoState, World},
};

/// The body of `event` ("pull_request.opened"), about the change with this number where the event
/// is about one. `None` for an event that the sandbox does not know.
pub(crate) fn payload(world: &World, repo: &RepoState, number: u64, event: &str) -> Option<Value> {
    let (kind, action) = event.split_once('.').unwrap_or((event, ""));
    let change = repo.changes.get(&number);
    let mut out = match kind {
        "pull_request" => pull_request(world, repo, change?, action)?,
        "check_suite" => json!({ "check_suite": check_suite(world, repo, change?, action)? }),
        "check_run" => check_run(world, repo, change?, action)?,
        "code_scanning_alert" => alert(world, repo, change?, action)?,
        "installation" => installation(world, action)?,
        "installation_repositories" => repositories(world, action)?,
        "pull_request_review_comment" => review_comment(world, repo, change?, action)?,
        "issue_comment" => issue_comment(world, repo, change?, action)?,
        "push" => json!({}),
        "ping" => return Some(ping(world)),
        _ => return None,
    };
    if !action.is_empty() {
        out["action"] = json!(action);
    }
    if !kind.starts_with("installation") {
        out["repository"] = repository(&world.links, repo);
        out["installation"] = json!({
            "id": world.app.installation,
            "node_id": format!("I_{}", world.app.installation),
        });
    }
    let author = change.map_or("owner", |c| c.author.as_str());
    if out.get("sender").is_none() {
        out["sender"] = user(&world.links, author);
    }
    Some(out)
}

fn pull_request(
    world: &World,
    repo: &RepoState,
    change: &ChangeState,
    action: &str,
) -> Option<Value> {
    let known = [
        "opened",
        "synchronize",
        "reopened",
        "ready_for_review",
        "converted_to_draft",
        "closed",
        "edited",
        "labeled",
        "assigned",
    ];
    if !known.contains(&action) {
        return None;
    }
    let mut out = json!({
        "number": change.number,
        "pull_request": whole_pull(&world.links, repo, change),
    });
    match action {
        "synchronize" => {
            let before = change.heads.iter().rev().nth(1).unwrap_or(&change.base);
            out["before"] = json!(before);
            out["after"] = json!(change.head);
        }
        "edited" => out["changes"] = json!({ "title": { "from": "an older title" } }),
        "labeled" => {
            out["label"] = json!({
                "id": 1, "node_id": "LA_1", "name": "bug", "color": "d73a4a", "default": true,
                "description": null, "url": format!("{}/labels/bug", world.links.repo_api(&repo.full_name())),
            });
        }
        "assigned" => out["assignee"] = user(&world.links, &change.author),
        _ => {}
    }
    Some(out)
}

fn check_suite(
    world: &World,
    repo: &RepoState,
    change: &ChangeState,
    action: &str,
) -> Option<Value> {
    if !["completed", "requested", "rerequested"].contains(&action) {
        return None;
    }
    let id = repo.id + 2_000_000;
    let url = format!("{}/check-suites/{id}", world.links.repo_api(&repo.full_name()));
    let small = json!({
        "id": repo.id, "name": repo.name, "url": world.links.repo_api(&repo.full_name()),
    });
    // For a fork GitHub does not say which pull requests there are.
    let pulls = change.fork.is_none().then(|| {
        json!({
            "id": change.id,
            "number": change.number,
            "url": format!("{}/pulls/{}", world.links.repo_api(&repo.full_name()), change.number),
            "head": { "ref": change.branch, "sha": change.head, "repo": small },
            "base": { "ref": "main", "sha": change.base, "repo": small },
        })
    });
    let mut app = integration(world);
    app["name"] = json!("GitHub Advanced Security");
    app["slug"] = json!("github-advanced-security");
    app["id"] = json!(57_789);
    app["permissions"] = json!({ "checks": "write", "security_events": "write" });
    app["events"] = json!([]);
    let person = json!({ "name": "Author", "email": "author@example.com" });
    let mut out = json!({
        "id": id,
        "node_id": format!("CS_{id}"),
        "head_branch": if change.fork.is_some() { None } else { Some(&change.branch) },
        "head_sha": change.head,
        "status": if action == "completed" { "completed" } else { "queued" },
        "conclusion": if action == "completed" { Some("success") } else { None },
        "url": url,
        "before": change.base,
        "after": change.head,
        "pull_requests": pulls.into_iter().collect::<Vec<_>>(),
        "app": app,
        "created_at": change.updated,
        "updated_at": change.updated,
        "latest_check_runs_count": 1,
        "check_runs_url": format!("{url}/check-runs"),
        "head_commit": {
            "id": change.head, "tree_id": change.head, "message": "a commit",
            "timestamp": change.updated, "author": person, "committer": person,
        },
        "rerequestable": true,
        "runs_rerequestable": true,
    });
    if action != "completed" {
        out["app"]["permissions"] = json!({ "checks": "write" });
    }
    Some(out)
}

fn check_run(world: &World, repo: &RepoState, change: &ChangeState, action: &str) -> Option<Value> {
    if !["created", "completed", "rerequested", "requested_action"].contains(&action) {
        return None;
    }
    let check = repo.checks.iter().rev().find(|c| c.head == change.head)?;
    let links = &world.links;
    let mut run = check_json(&links.api, &links.web, &integration(world), repo, check);
    let suite = repo.id + 1_000_000;
    run["check_suite"] = json!({
        "id": suite,
        "node_id": format!("CS_{suite}"),
        "head_branch": change.branch,
        "head_sha": change.head,
        "status": "completed",
        "conclusion": check.conclusion,
        "url": format!("{}/check-suites/{suite}", links.repo_api(&repo.full_name())),
        "before": change.base,
        "after": change.head,
        "pull_requests": run["pull_requests"],
        "app": integration(world),
        "created_at": check.started,
        "updated_at": check.started,
    });
    let mut out = json!({ "check_run": run });
    if action == "requested_action" {
        out["requested_action"] = json!({ "identifier": "retriage" });
    }
    Some(out)
}

fn alert(world: &World, repo: &RepoState, change: &ChangeState, action: &str) -> Option<Value> {
    if !["appeared_in_branch", "created", "fixed", "reopened"].contains(&action) {
        return None;
    }
    let full = repo.full_name();
    let analysis = repo
        .analyses
        .iter()
        .rev()
        .find(|a| change.heads.contains(&a.commit) || a.commit == change.merge);
    let reference = analysis
        .map_or_else(|| format!("refs/pull/{}/merge", change.number), |a| a.reference.clone());
    let commit = analysis.map_or_else(|| change.head.clone(), |a| a.commit.clone());
    let sarif: Value =
        analysis.and_then(|a| serde_json::from_slice(&a.sarif).ok()).unwrap_or_default();
    let result = &sarif["runs"][0]["results"][0];
    let rule = result["ruleId"].as_str().unwrap_or("rule");
    let place = &result["locations"][0]["physicalLocation"];
    let line = place["region"]["startLine"].as_u64().unwrap_or(1);
    let instance = json!({
        "ref": reference,
        "analysis_key": "(default)",
        "environment": "{}",
        "category": "(default)",
        "state": "open",
        "commit_sha": commit,
        "message": { "text": result["message"]["text"].as_str().unwrap_or("a finding") },
        "location": {
            "path": place["artifactLocation"]["uri"].as_str().unwrap_or("unknown"),
            "start_line": line, "end_line": line, "start_column": 1, "end_column": 1,
        },
        "classifications": [],
    });
    let mut alert = json!({
        "number": 1,
        "created_at": change.updated,
        "updated_at": change.updated,
        "url": format!("{}/code-scanning/alerts/1", world.links.repo_api(&full)),
        "html_url": format!("{}/security/code-scanning/1", world.links.repo_web(&full)),
        "state": "open",
        "dismissed_by": null,
        "dismissed_at": null,
        "dismissed_reason": null,
        "dismissed_comment": null,
        "fixed_at": null,
        "rule": {
            "id": rule, "severity": "error", "description": rule, "name": rule,
            "full_description": rule, "tags": [], "help": "",
        },
        "tool": {
            "name": analysis.map_or("Semgrep OSS", |a| a.tool.as_str()),
            "version": analysis.and_then(|a| a.tool_version.clone()),
            "guid": null,
        },
        "most_recent_instance": instance,
        "instances_url": format!("{}/code-scanning/alerts/1/instances", world.links.repo_api(&full)),
    });
    if action == "fixed" {
        alert["state"] = json!("fixed");
    }
    let mut github = user(&world.links, "github");
    github["type"] = json!("Organization");
    Some(json!({ "alert": alert, "ref": reference, "commit_oid": commit, "sender": github }))
}

fn short(world: &World) -> Vec<Value> {
    let installed = world.repos.iter().filter(|r| r.installed);
    installed
        .map(|r| {
            json!({
                "id": r.id, "node_id": format!("R_{}", r.id), "name": r.name,
                "full_name": r.full_name(), "private": true,
            })
        })
        .collect()
}

fn installation(world: &World, action: &str) -> Option<Value> {
    if !["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"].contains(&action)
    {
        return None;
    }
    let mut installation = installation_json(world);
    if action == "suspend" {
        installation["suspended_at"] = json!(world.now());
        installation["suspended_by"] = user(&world.links, "owner");
    }
    Some(json!({
        "installation": installation,
        "repositories": short(world),
        "requester": null,
        "sender": user(&world.links, "owner"),
    }))
}

fn repositories(world: &World, action: &str) -> Option<Value> {
    let (added, removed) = match action {
        "added" => (short(world), Vec::new()),
        "removed" => (Vec::new(), short(world)),
        _ => return None,
    };
    Some(json!({
        "installation": installation_json(world),
        "repository_selection": "selected",
        "repositories_added": added,
        "repositories_removed": removed,
        "requester": null,
        "sender": user(&world.links, "owner"),
    }))
}

/// About the newest inline comment that a person wrote.
fn review_comment(
    world: &World,
    repo: &RepoState,
    change: &ChangeState,
    action: &str,
) -> Option<Value> {
    if !["created", "edited", "deleted"].contains(&action) {
        return None;
    }
    let all = change.threads.iter().flat_map(|t| t.comments.iter().map(move |c| (t, c)));
    let (thread, newest) =
        all.filter(|(_, c)| !c.author.ends_with("[bot]")).max_by_key(|(_, c)| c.id)?;
    let mut out = json!({
        "comment": inline(&world.links, repo, change, thread, newest),
        "pull_request": super::json::pull(&world.links, repo, change),
        "sender": user(&world.links, &newest.author),
    });
    if action == "edited" {
        out["changes"] = json!({ "body": { "from": "" } });
    }
    Some(out)
}

/// About the newest comment on the whole change that a person wrote.
fn issue_comment(
    world: &World,
    repo: &RepoState,
    change: &ChangeState,
    action: &str,
) -> Option<Value> {
    if !["created", "edited", "deleted"].contains(&action) {
        return None;
    }
    let links = &world.links;
    let newest = change.comments.iter().rfind(|c| !c.author.ends_with("[bot]"))?;
    let api = links.repo_api(&repo.full_name());
    let issue = format!("{api}/issues/{}", change.number);
    let html = format!("{}/pull/{}", links.repo_web(&repo.full_name()), change.number);
    let written = comment(links, repo, change, newest);
    let mut out = json!({
        "comment": written,
        "issue": {
            "url": issue, "repository_url": api, "labels_url": format!("{issue}/labels{{/name}}"),
            "comments_url": format!("{issue}/comments"), "events_url": format!("{issue}/events"),
            "html_url": html, "id": change.id, "node_id": format!("PR_{}", change.id),
            "number": change.number, "title": change.title, "user": user(links, &change.author),
            "labels": [], "state": if change.open { "open" } else { "closed" }, "locked": false,
            "assignee": null, "assignees": [], "milestone": null, "comments": change.comments.len(),
            "created_at": change.created, "updated_at": change.updated, "closed_at": null,
            "author_association": "MEMBER", "active_lock_reason": null, "body": null,
            "reactions": written["reactions"], "draft": change.draft,
            "pull_request": {
                "url": format!("{api}/pulls/{}", change.number), "html_url": html,
                "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"),
                "merged_at": null,
            },
        },
        "sender": user(links, &newest.author),
    });
    if action == "edited" {
        out["changes"] = json!({ "body": { "from": "" } });
    }
    Some(out)
}

fn ping(world: &World) -> Value {
    json!({
        "zen": "Keep it logically awesome.",
        "hook_id": 1,
        "hook": {
            "type": "App",
            "id": 1,
            "name": "web",
            "active": true,
            "events": world.app.events,
            "config": { "content_type": "json", "insecure_ssl": "0", "url": world.app.webhook_url.clone().unwrap_or_default() },
            "updated_at": LONG_AGO,
            "created_at": LONG_AGO,
            "app_id": world.app.id,
            "deliveries_url": format!("{}/app/hook/deliveries", world.links.api),
        },
    })
}
