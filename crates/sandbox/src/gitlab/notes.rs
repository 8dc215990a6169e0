//! Notes: written on the whole, edited, taken away.

use serde_json::json;

use super::{
    changes::{DiscussionState, NoteState},
    json::{moment, note as note_json, user},
    request::{Outcome, Request, body, flag, forbidden, not_found, page, required, text},
    world::{MAINTAINER, World},
};
use crate::{answer::Answer, calls::Caller};

/// What a position may be on.
pub(crate) const WRITTEN_TO: &[&str] = &["text", "image", "file"];
/// The longest note.
const LONGEST: usize = 1_000_000;

/// The text, unless it is too long.
pub(crate) fn writable(text: String) -> Result<String, Box<Answer>> {
    if text.chars().count() <= LONGEST {
        return Ok(text);
    }
    let why = r#"400 Bad request - Note {:note=>["is too long (maximum is 1000000 characters)"]}"#;
    Err(super::request::failure(400, why))
}

/// The newest first, unless it is asked for otherwise.
pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let pairs = change.discussions.iter().flat_map(|d| d.notes.iter().map(move |n| (d, n)));
    let mut all: Vec<_> = pairs
        .filter(|(_, n)| match request.query("activity_filter") {
            Some("only_comments") => !n.system,
            Some("only_activity") => n.system,
            _ => true,
        })
        .collect();
    all.sort_by_key(|(_, n)| n.id);
    if request.query("sort") != Some("asc") {
        all.reverse();
    }
    let all = all.into_iter().map(|(d, n)| note_json(world, project, change, d, n)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let sent = body(request)?;
    let text = writable(required(&sent, "body")?)?;
    let mut note = NoteState::new(world.id(), world.caller(request), &text, &world.now());
    note.internal = flag(&sent["internal"]).or(flag(&sent["confidential"])).unwrap_or_default();
    let id = note.id;
    if let Some(change) = world.projects[at].merge_requests.get_mut(&iid) {
        change.discussions.push(DiscussionState::new(note, None, true));
    }
    Ok(Answer::json(201, &shown(world, (at, iid), id)?))
}

fn shown(
    world: &World,
    (at, iid): (usize, u64),
    id: u64,
) -> Result<serde_json::Value, Box<Answer>> {
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let discussion = change.discussion_of(id).map(|d| &change.discussions[d]);
    let discussion = discussion.ok_or_else(not_found)?;
    let note = discussion.notes.iter().find(|n| n.id == id).ok_or_else(not_found)?;
    Ok(note_json(world, project, change, discussion, note))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let place = world.change_at(request)?;
    let id = request.number("note").ok_or_else(not_found)?;
    Ok(Answer::json(200, &shown(world, place, id)?))
}

/// Who wrote it may, and maintainers.
fn may_change(world: &mut World, request: &Request) -> Result<(usize, u64, u64), Box<Answer>> {
    let (at, iid) = world.change_at(request)?;
    let id = request.number("note").ok_or_else(not_found)?;
    let by = world.caller(request);
    let role = if let Caller::Access { role, .. } = &request.caller { *role } else { 0 };
    let change = world.projects[at].merge_requests.get_mut(&iid).ok_or_else(not_found)?;
    let author = change.note_mut(id).ok_or_else(not_found)?.author;
    if author == by {
        return Ok((at, iid, id));
    }
    world.problem(format!("fake gitlab: somebody else's note {id} was changed"));
    if role < MAINTAINER { Err(forbidden()) } else { Ok((at, iid, id)) }
}

pub(crate) fn edit(world: &mut World, request: &Request) -> Outcome {
    let sent = body(request)?;
    if sent.get("resolved").is_some() && sent.get("body").is_none() {
        return super::discussions::resolve(world, request);
    }
    let (at, iid, id) = may_change(world, request)?;
    let now = world.now();
    let change = world.projects[at].merge_requests.get_mut(&iid).ok_or_else(not_found)?;
    let note = change.note_mut(id).ok_or_else(not_found)?;
    if let Some(new) = text(&sent["body"]) {
        // Writing the same again is nothing new to look at.
        note.read &= note.body == new;
        note.body = writable(new)?;
        note.updated = now;
    }
    one(world, request)
}

pub(crate) fn remove(world: &mut World, request: &Request) -> Outcome {
    let (at, iid, id) = may_change(world, request)?;
    if let Some(change) = world.projects[at].merge_requests.get_mut(&iid) {
        change.remove_note(id);
    }
    Ok(Answer::empty(204))
}

pub(crate) fn award(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let id = request.number("note").ok_or_else(not_found)?;
    let name = required(&body(request)?, "name")?;
    shown(world, (at, iid), id)?;
    let (number, by, now) = (world.id(), world.caller(request), moment(&world.now()));
    let out = json!({
        "id": number,
        "name": name,
        "user": user(world, by),
        "created_at": now,
        "updated_at": now,
        "awardable_id": id,
        "awardable_type": "Note",
        "url": null,
    });
    Ok(Answer::json(201, &out))
}
