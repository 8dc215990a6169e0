//! Discussions: opened on lines or on the whole, answered, resolved.

use serde_json::Value;

use super::{
    changes::{DiscussionState, End, NoteState, Position, Resolved},
    json::{discussion as discussion_json, note as note_json},
    notes::{WRITTEN_TO, writable},
    request::{Outcome, Request, body, error, failure, flag, forbidden, int, page, required, text},
    world::{DEVELOPER, World},
};
use crate::{answer::Answer, calls::Caller};

/// What GitLab says of a line that its diff does not have.
pub(crate) const NO_LINE: &str =
    r#"400 Bad request - Note {:line_code=>["can't be blank", "must be a valid line code"]}"#;

fn no_discussion() -> Box<Answer> {
    failure(404, "404 Discussion Not Found")
}

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let all = change.discussions.iter().map(|d| discussion_json(world, project, change, d));
    Ok(page(world, request, all.collect()))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let id = request.param("discussion");
    let found = change.discussions.iter().find(|d| d.id == id).ok_or_else(no_discussion)?;
    Ok(Answer::json(200, &discussion_json(world, project, change, found)))
}

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let sent = body(request)?;
    let text = writable(required(&sent, "body")?)?;
    let position = position(world, (at, iid), &sent["position"])?;
    let note = NoteState::new(world.id(), world.caller(request), &text, &world.now());
    let discussion = DiscussionState::new(note, position, false);
    let project = &world.projects[at];
    let answer = discussion_json(world, project, &project.merge_requests[&iid], &discussion);
    if let Some(change) = world.projects[at].merge_requests.get_mut(&iid) {
        change.discussions.push(discussion);
    }
    Ok(Answer::json(201, &answer))
}

pub(crate) fn reply(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let text = writable(required(&body(request)?, "body")?)?;
    let note = NoteState::new(world.id(), world.caller(request), &text, &world.now());
    let id = request.param("discussion");
    let change = world.projects[at].merge_requests.get_mut(&iid).ok_or_else(no_discussion)?;
    let discussion = change.discussion_mut(id).ok_or_else(no_discussion)?;
    // What is answered becomes a discussion.
    discussion.individual = false;
    discussion.notes.push(note);
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let discussion = change.discussions.iter().find(|d| d.id == id).ok_or_else(no_discussion)?;
    let note = discussion.notes.last().ok_or_else(no_discussion)?;
    Ok(Answer::json(201, &note_json(world, project, change, discussion, note)))
}

/// Developers may, and whoever opened the merge request.
pub(crate) fn resolve(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let wanted = flag(&body(request)?["resolved"]);
    let wanted = wanted.ok_or_else(|| error(400, "resolved is missing"))?;
    let (by, now) = (world.caller(request), world.now());
    let role = if let Caller::Access { role, .. } = &request.caller { *role } else { 0 };
    let change = world.projects[at].merge_requests.get_mut(&iid).ok_or_else(no_discussion)?;
    let author = change.author;
    let found = change.discussion_mut(request.param("discussion")).ok_or_else(no_discussion)?;
    if role < DEVELOPER && by != author {
        return Err(forbidden());
    }
    if found.individual {
        return Err(failure(403, "403 Forbidden - Discussion can't be resolved"));
    }
    found.resolved = wanted.then(|| found.resolved.take().unwrap_or(Resolved { by, at: now }));
    one(world, request)
}

/// A position as it was sent, if it names a line that the diff has.
pub(crate) fn position(
    world: &mut World,
    (at, iid): (usize, u64),
    sent: &Value,
) -> Result<Option<Position>, Box<Answer>> {
    if sent.is_null() {
        return Ok(None);
    }
    let Some(kind) = text(&sent["position_type"]) else {
        return Err(error(400, "position[position_type] is missing"));
    };
    if !WRITTEN_TO.contains(&kind.as_str()) {
        return Err(error(400, "position[position_type] does not have a valid value"));
    }
    let word = |name: &str| text(&sent[name]).unwrap_or_default();
    let (old_path, new_path) = (word("old_path"), word("new_path"));
    let either = |a: &String, b: &String| if a.is_empty() { b.clone() } else { a.clone() };
    let position = Position {
        base: word("base_sha"),
        start: word("start_sha"),
        head: word("head_sha"),
        old_line: int(&sent["old_line"]),
        new_line: int(&sent["new_line"]),
        range: range(&sent["line_range"]),
        old_path: either(&old_path, &new_path),
        new_path: either(&new_path, &old_path),
        kind,
    };
    let shas = [&position.base, &position.start, &position.head];
    let lines = position.line().is_some() || position.kind == "file";
    if shas.iter().any(|s| s.is_empty()) || position.new_path.is_empty() || !lines {
        let message = serde_json::json!({ "message": { "position": ["is incomplete"] } });
        return Err(Box::new(Answer::json(400, &message)));
    }
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    if position.kind == "text" && project.line_code(change, &position).is_none() {
        return Err(failure(400, NO_LINE));
    }
    // GitLab takes these as they are, and shows a range that is none.
    let ends = position.range.iter().flat_map(|(start, end)| [start, end]);
    let wrong = ends.filter(|e| project.code_of(&position, e).as_ref() != Some(&e.line_code));
    let wrong: Vec<String> = wrong.map(|e| e.line_code.clone()).collect();
    for code in wrong {
        world.problem(format!("fake gitlab: {code} is no line code of !{iid}"));
    }
    if let Some((_, end)) = &position.range
        && (end.old_line, end.new_line) != (position.old_line, position.new_line)
    {
        world.problem(format!("fake gitlab: a range on !{iid} does not end where its note stands"));
    }
    Ok(Some(position))
}

fn range(sent: &Value) -> Option<(End, End)> {
    let end = |sent: &Value| -> Option<End> {
        Some(End {
            line_code: text(&sent["line_code"])?,
            kind: text(&sent["type"]),
            old_line: int(&sent["old_line"]),
            new_line: int(&sent["new_line"]),
        })
    };
    Some((end(&sent["start"])?, end(&sent["end"])?))
}
