//! Check runs.

use serde_json::{Value, json};

use super::{
    app::integration,
    request::{Outcome, Request, failure, json_body, not_found, page, paged},
    world::{CheckRun, RepoState, World},
};
use crate::answer::Answer;

const MAX_ANNOTATIONS: usize = 50;
const MAX_TEXT: usize = 65_535;

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let body = json_body(request)?;
    let missing = |field: &str| bad(&format!("\"{field}\" wasn't supplied."));
    let name = body["name"].as_str().ok_or_else(|| missing("name"))?.to_owned();
    let head = body["head_sha"].as_str().ok_or_else(|| missing("head_sha"))?.to_owned();
    let (id, now) = (world.id(), world.now());
    let repo = world.at(request)?;
    if !repo.commits.has(&head) {
        return Err(failure(422, &format!("No commit found for SHA: {head}")));
    }
    let mut check = CheckRun {
        id,
        name,
        head,
        status: "queued".to_owned(),
        conclusion: None,
        external_id: None,
        details_url: None,
        started: now.clone(),
        completed: None,
        title: None,
        summary: None,
        text: None,
        annotations: Vec::new(),
    };
    apply(&mut check, &body, &now)?;
    repo.checks.push(check);
    shown(world, request, id, 201)
}

pub(crate) fn update(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("check").ok_or_else(not_found)?;
    let body = json_body(request)?;
    let now = world.now();
    let repo = world.at(request)?;
    let check = repo.checks.iter_mut().find(|c| c.id == id).ok_or_else(not_found)?;
    apply(check, &body, &now)?;
    shown(world, request, id, 200)
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("check").ok_or_else(not_found)?;
    shown(world, request, id, 200)
}

pub(crate) fn notes(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("check").ok_or_else(not_found)?;
    let web = world.links.web.clone();
    let repo = world.at(request)?;
    let check = repo.checks.iter().find(|c| c.id == id).ok_or_else(not_found)?;
    let whole = |note: &Value| {
        let mut out = json!({
            "start_column": null, "end_column": null, "title": null, "raw_details": null,
            "blob_href": format!("{web}/{}/blob/{}/{}", repo.full_name(), check.head, note["path"].as_str().unwrap_or_default()),
        });
        if let (Some(out), Some(note)) = (out.as_object_mut(), note.as_object()) {
            out.extend(note.clone());
        }
        out
    };
    let all = check.annotations.iter().map(whole).collect();
    Ok(page(world, request, all))
}

pub(crate) fn at_commit(world: &mut World, request: &Request) -> Outcome {
    let app = integration(world);
    let links = world.links.clone();
    let name = request.query("check_name").map(str::to_owned);
    let latest = request.query("filter") != Some("all");
    let ours = request.query("app_id").is_none_or(|id| id == world.app.id.to_string());
    let repo = world.at(request)?;
    let sha = repo.resolve(request.param("sha"));
    let sha = sha.ok_or_else(|| {
        failure(422, &format!("No commit found for SHA: {}", request.param("sha")))
    })?;
    let mut found: Vec<&CheckRun> = repo.checks.iter().rev().collect();
    found.retain(|c| ours && c.head == sha && name.as_ref().is_none_or(|n| *n == c.name));
    if latest {
        let mut seen = Vec::new();
        found.retain(|c| {
            let new = !seen.contains(&c.name);
            seen.push(c.name.clone());
            new
        });
    }
    let all: Vec<_> =
        found.iter().map(|c| check_json(&links.api, &links.web, &app, repo, c)).collect();
    let total = all.len();
    Ok(paged(world, request, all, |shown| json!({ "total_count": total, "check_runs": shown })))
}

/// Takes over what the body says, or nothing at all.
fn apply(check: &mut CheckRun, body: &Value, now: &str) -> Result<(), Box<Answer>> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let output = &body["output"];
    let conclusion = text("conclusion");
    if body["status"] == "completed" && conclusion.is_none() && check.conclusion.is_none() {
        return Err(bad("Missing required field \"conclusion\"."));
    }
    let empty = Vec::new();
    let notes = output["annotations"].as_array().unwrap_or(&empty);
    if notes.len() > MAX_ANNOTATIONS {
        return Err(bad(&format!(
            "No more than {MAX_ANNOTATIONS} items are allowed; {} were supplied.",
            notes.len()
        )));
    }
    if output.is_object() {
        for field in ["title", "summary"] {
            if check.title.is_none() && output[field].as_str().is_none() {
                return Err(bad(&format!("\"{field}\" wasn't supplied.")));
            }
        }
    }
    for field in ["summary", "text"] {
        let length = output[field].as_str().map_or(0, |t| t.chars().count());
        if length > MAX_TEXT {
            return Err(bad(&format!(
                "Only {MAX_TEXT} characters are allowed; {length} were supplied."
            )));
        }
    }
    for note in notes {
        let complete = ["path", "message", "annotation_level"].iter().all(|f| note[f].is_string())
            && note["start_line"].is_u64()
            && note["end_line"].is_u64();
        if !complete {
            return Err(bad(
                "An annotation needs path, start_line, end_line, annotation_level and message.",
            ));
        }
    }
    if conclusion.is_some() {
        check.status = "completed".to_owned();
        check.completed = text("completed_at").or_else(|| Some(now.to_owned()));
        check.conclusion = conclusion;
    } else if let Some(status) = text("status") {
        if status != "completed" {
            (check.conclusion, check.completed) = (None, None);
        }
        check.status = status;
    }
    for (slot, name) in
        [(&mut check.external_id, "external_id"), (&mut check.details_url, "details_url")]
    {
        if let Some(value) = text(name) {
            *slot = Some(value);
        }
    }
    if let Some(started) = text("started_at") {
        check.started = started;
    }
    if let Some(name) = text("name") {
        check.name = name;
    }
    if output.is_object() {
        let part = |name: &str| output[name].as_str().map(str::to_owned);
        check.title = part("title").or(check.title.take());
        check.summary = part("summary").or(check.summary.take());
        check.text = part("text").or(check.text.take());
        check.annotations.extend(notes.iter().cloned());
    }
    Ok(())
}

fn bad(why: &str) -> Box<Answer> {
    failure(422, &format!("Invalid request.\n\n{why}"))
}

fn shown(world: &mut World, request: &Request, id: u64, status: u16) -> Outcome {
    let app = integration(world);
    let links = world.links.clone();
    let repo = world.at(request)?;
    let check = repo.checks.iter().find(|c| c.id == id).ok_or_else(not_found)?;
    Ok(Answer::json(status, &check_json(&links.api, &links.web, &app, repo, check)))
}

pub(crate) fn check_json(
    api: &str,
    web: &str,
    app: &Value,
    repo: &RepoState,
    check: &CheckRun,
) -> Value {
    let url = format!("{api}/repos/{}/check-runs/{}", repo.full_name(), check.id);
    let html = format!("{web}/{}/runs/{}", repo.full_name(), check.id);
    let small = json!({ "id": repo.id, "name": repo.name, "url": format!("{api}/repos/{}", repo.full_name()) });
    // GitHub names no pull requests of forks here.
    let pulls = repo.changes.values().filter(|c| c.head == check.head && c.fork.is_none());
    let pulls: Vec<Value> = pulls
        .map(|c| {
            json!({
                "id": c.id,
                "number": c.number,
                "url": format!("{api}/repos/{}/pulls/{}", repo.full_name(), c.number),
                "head": { "ref": c.branch, "sha": c.head, "repo": small },
                "base": { "ref": "main", "sha": c.base, "repo": small },
            })
        })
        .collect();
    json!({
        "id": check.id,
        "name": check.name,
        "node_id": format!("CR_{}", check.id),
        "head_sha": check.head,
        "external_id": check.external_id.clone().unwrap_or_default(),
        "url": url,
        "html_url": html,
        "details_url": check.details_url.clone().unwrap_or_else(|| html.clone()),
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": check.started,
        "completed_at": check.completed,
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": check.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": repo.id + 1_000_000 },
        "app": app,
        "pull_requests": pulls,
    })
}
