//! Draft notes: nobody is told of them until all are published at once.

use serde_json::{Value, json};

use super::{
    changes::{DiscussionState, Draft, MergeRequestState, NoteState, Resolved},
    discussions::position,
    notes::writable,
    request::{Outcome, Request, body, failure, flag, not_found, page, required, text},
    world::{ProjectState, World},
};
use crate::answer::Answer;

fn draft_json(project: &ProjectState, change: &MergeRequestState, draft: &Draft) -> Value {
    let code = draft.position.as_ref().and_then(|p| project.line_code(change, p));
    json!({
        "id": draft.id,
        "author_id": draft.author,
        "merge_request_id": change.id,
        "resolve_discussion": draft.resolve,
        "discussion_id": draft.discussion,
        "note": draft.note,
        "commit_id": null,
        "line_code": code,
        "position": draft.position.as_ref().map(|p| p.json()),
    })
}

/// One's own.
pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let ((at, iid), by) = (world.change_at(request)?, world.caller(request));
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let own = change.drafts.iter().filter(|d| d.author == by);
    let all = own.map(|d| draft_json(project, change, d)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let sent = body(request)?;
    let note = writable(required(&sent, "note")?)?;
    let position = position(world, (at, iid), &sent["position"])?;
    let discussion = text(&sent["in_reply_to_discussion_id"]);
    let known = &world.projects[at].merge_requests[&iid].discussions;
    if discussion.as_ref().is_some_and(|id| !known.iter().any(|d| d.id == *id)) {
        return Err(failure(404, "404 Discussion Not Found"));
    }
    let draft = Draft {
        id: world.id(),
        author: world.caller(request),
        note,
        position,
        discussion,
        resolve: flag(&sent["resolve_discussion"]).unwrap_or_default(),
    };
    let project = &mut world.projects[at];
    let answer = draft_json(project, &project.merge_requests[&iid], &draft);
    if let Some(change) = project.merge_requests.get_mut(&iid) {
        change.drafts.push(draft);
    }
    Ok(Answer::json(201, &answer))
}

/// Where one's own draft is that the route names.
fn at_draft(world: &World, request: &Request) -> Result<(usize, u64, usize), Box<Answer>> {
    let ((at, iid), by) = (world.change_at(request)?, world.caller(request));
    let id = request.number("draft");
    let drafts = &world.projects[at].merge_requests[&iid].drafts;
    let found = drafts.iter().position(|d| Some(d.id) == id && d.author == by);
    Ok((at, iid, found.ok_or_else(not_found)?))
}

pub(crate) fn edit(world: &mut World, request: &Request) -> Outcome {
    let (at, iid, index) = at_draft(world, request)?;
    let sent = body(request)?;
    let position = position(world, (at, iid), &sent["position"])?;
    let project = &mut world.projects[at];
    let change = project.merge_requests.get_mut(&iid).ok_or_else(not_found)?;
    let draft = &mut change.drafts[index];
    if let Some(note) = text(&sent["note"]) {
        draft.note = writable(note)?;
    }
    draft.position = position.or(draft.position.take());
    let change = &project.merge_requests[&iid];
    Ok(Answer::json(200, &draft_json(project, change, &change.drafts[index])))
}

pub(crate) fn remove(world: &mut World, request: &Request) -> Outcome {
    let (at, iid, index) = at_draft(world, request)?;
    if let Some(change) = world.projects[at].merge_requests.get_mut(&iid) {
        change.drafts.remove(index);
    }
    Ok(Answer::empty(204))
}

/// All of one's own become notes; whoever follows the merge request is told once.
pub(crate) fn publish(world: &mut World, request: &Request) -> Outcome {
    let ((at, iid), by, now) = (world.change_at(request)?, world.caller(request), world.now());
    let summary = text(&body(request)?["note"]);
    let change = world.projects[at].merge_requests.get_mut(&iid).ok_or_else(not_found)?;
    let (own, others) =
        std::mem::take(&mut change.drafts).into_iter().partition(|d| d.author == by);
    change.drafts = others;
    for draft in own {
        put(world, (at, iid), draft, &now);
    }
    if let Some(text) = summary {
        let note = NoteState::new(world.id(), by, &text, &now);
        let change = world.projects[at].merge_requests.get_mut(&iid).ok_or_else(not_found)?;
        change.discussions.push(DiscussionState::new(note, None, true));
    }
    Ok(Answer::empty(204))
}

fn put(world: &mut World, (at, iid): (usize, u64), draft: Draft, now: &str) {
    let note = NoteState::new(world.id(), draft.author, &draft.note, now);
    let Some(change) = world.projects[at].merge_requests.get_mut(&iid) else { return };
    let found = draft.discussion.as_deref().and_then(|id| change.discussion_mut(id));
    match found {
        Some(discussion) => {
            let by = note.author;
            discussion.individual = false;
            discussion.notes.push(note);
            if draft.resolve {
                discussion.resolved = Some(Resolved { by, at: now.to_owned() });
            }
        }
        None => {
            let individual = draft.position.is_none();
            change.discussions.push(DiscussionState::new(note, draft.position, individual));
        }
    }
}
