//! Commit statuses that somebody outside sets.

use serde_json::{Value, json};

use super::{
    json::{moment, user},
    request::{Outcome, Request, body, failure, int, page, required, text},
    world::{Status, World},
};
use crate::answer::Answer;

const STATES: &[&str] = &["pending", "running", "success", "failed", "canceled", "skipped"];
/// A description is cut off by nobody: it is refused.
const LONGEST: usize = 255;

fn status_json(world: &World, status: &Status) -> Value {
    json!({
        "id": status.id,
        "sha": status.sha,
        "ref": status.reference,
        "status": status.state,
        "name": status.name,
        "target_url": status.target_url,
        "description": status.description,
        "created_at": moment(&status.created),
        "started_at": status.started.as_deref().map(moment),
        "finished_at": status.finished.as_deref().map(moment),
        "allow_failure": false,
        "coverage": status.coverage,
        "pipeline_id": status.pipeline,
        "author": user(world, status.author),
    })
}

/// The newest of each name, unless all are asked for.
pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let all = request.query("all").is_some_and(|a| a != "false");
    let mut out: Vec<&Status> = Vec::new();
    for status in world.projects[at].statuses.iter().rev() {
        let is = |name: &str, value: &str| request.query(name).is_none_or(|v| v == value);
        let wanted = status.sha == request.param("sha")
            && is("name", &status.name)
            && is("ref", &status.reference)
            && is("pipeline_id", &status.pipeline.to_string());
        if wanted && (all || !out.iter().any(|s| s.name == status.name)) {
            out.push(status);
        }
    }
    out.sort_by_key(|s| s.id);
    let out = out.into_iter().map(|s| status_json(world, s)).collect();
    Ok(page(world, request, out))
}

/// What is still to come may change its state; what has ended is followed by another one.
pub(crate) fn set(world: &mut World, request: &Request) -> Outcome {
    let (at, sha) = (world.at(request)?, request.param("sha").to_owned());
    let sent = body(request)?;
    let state = required(&sent, "state")?;
    if !STATES.contains(&state.as_str()) {
        return Err(super::request::error(400, "state does not have a valid value"));
    }
    if !world.projects[at].commits.has(&sha) {
        return Err(failure(404, "404 Commit Not Found"));
    }
    let name = text(&sent["name"]).or(text(&sent["context"])).unwrap_or("default".to_owned());
    let description = text(&sent["description"]);
    if description.as_ref().is_some_and(|d| d.chars().count() > LONGEST) {
        let why =
            json!({ "message": { "description": ["is too long (maximum is 255 characters)"] } });
        return Err(Box::new(Answer::json(400, &why)));
    }
    let pipeline = world.pipeline(at, &sha, int(&sent["pipeline_id"]))?;
    let (id, author, now) = (world.id(), world.caller(request), world.now());
    let reference = text(&sent["ref"]).unwrap_or_else(|| world.branch_of(at, &sha));
    let statuses = &mut world.projects[at].statuses;
    let open = statuses.iter().rposition(|s| {
        s.sha == sha && s.name == name && matches!(s.state.as_str(), "pending" | "running")
    });
    let index = match open {
        Some(index) => {
            may_become(&statuses[index].state, &state)?;
            index
        }
        None => {
            statuses.push(Status {
                id,
                sha,
                reference,
                state: String::new(),
                name,
                target_url: None,
                description: None,
                coverage: None,
                pipeline,
                author,
                created: now.clone(),
                started: None,
                finished: None,
            });
            statuses.len() - 1
        }
    };
    let status = &mut statuses[index];
    status.target_url = text(&sent["target_url"]).or(status.target_url.take());
    status.description = description.or(status.description.take());
    status.coverage = sent["coverage"].as_f64().or(status.coverage);
    match state.as_str() {
        "pending" => {}
        "running" => status.started = Some(now),
        _ => status.finished = Some(now),
    }
    status.state = state;
    let status = &world.projects[at].statuses[index];
    Ok(Answer::json(201, &status_json(world, status)))
}

fn may_become(old: &str, new: &str) -> Result<(), Box<Answer>> {
    let event = match (old, new) {
        ("pending", "pending") | ("running", "pending") => "enqueue",
        ("running", "running") => "run",
        _ => return Ok(()),
    };
    let why = format!(
        "Cannot transition status via :{event} from :{old} (Reason(s): Status cannot transition via \"{event}\")"
    );
    Err(failure(400, &why))
}
