//! Comments: inline ones, and those on the whole change.

use serde_json::json;

use super::{
    changes::CommentState,
    json::{comment, inline},
    request::{Outcome, Request, forbidden, invalid, json_body, not_found, page},
    reviews::too_long,
    world::World,
};
use crate::answer::Answer;

pub(crate) fn list_inline(world: &mut World, request: &Request) -> Outcome {
    let (at, number) = world.change_at(request)?;
    let repo = &world.repos[at];
    let change = &repo.changes[&number];
    let mut all: Vec<_> =
        change.threads.iter().flat_map(|t| t.comments.iter().map(move |c| (t, c))).collect();
    all.sort_by_key(|(_, c)| c.id);
    if request.query("direction") == Some("desc") {
        all.reverse();
    }
    let all = all.into_iter().map(|(t, c)| inline(&world.links, repo, change, t, c)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn one_inline(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("comment").ok_or_else(not_found)?;
    let links = world.links.clone();
    let repo = world.at(request)?;
    let change = repo.changes.values().find(|c| c.thread_of(id).is_some()).ok_or_else(not_found)?;
    let thread = change.threads.iter().find(|t| t.comments.iter().any(|c| c.id == id));
    let thread = thread.ok_or_else(not_found)?;
    let one = thread.comments.iter().find(|c| c.id == id).ok_or_else(not_found)?;
    Ok(Answer::json(200, &inline(&links, repo, change, thread, one)))
}

pub(crate) fn edit_inline(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("comment").ok_or_else(not_found)?;
    let text = body(request, "PullRequestReviewComment")?;
    let (now, login) = (world.now(), world.app.login());
    let repo = world.at(request)?;
    let found = repo.changes.values_mut().find_map(|c| c.comment_mut(id)).ok_or_else(not_found)?;
    let theirs = rewrite(found, &login, &text, &now).is_err();
    if theirs {
        world.problem(format!("fake github: somebody else's comment {id} was edited"));
        return Err(forbidden("pull_requests=write"));
    }
    one_inline(world, request)
}

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let (at, number) = world.change_at(request)?;
    let repo = &world.repos[at];
    let change = &repo.changes[&number];
    let all = change.comments.iter().map(|c| comment(&world.links, repo, change, c)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let (at, number) = world.change_at(request)?;
    let text = body(request, "IssueComment")?;
    let (id, login, now) = (world.id(), world.app.login(), world.now());
    if let Some(change) = world.repos[at].changes.get_mut(&number) {
        change.comments.push(CommentState::new(id, "IC", &login, &text, &now));
    }
    let repo = &world.repos[at];
    let change = &repo.changes[&number];
    let new = change.comments.last().ok_or_else(not_found)?;
    Ok(Answer::json(201, &comment(&world.links, repo, change, new)))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("comment").ok_or_else(not_found)?;
    let links = world.links.clone();
    let repo = world.at(request)?;
    let mut all = repo.changes.values().flat_map(|c| c.comments.iter().map(move |m| (c, m)));
    let (change, one) = all.find(|(_, m)| m.id == id).ok_or_else(not_found)?;
    Ok(Answer::json(200, &comment(&links, repo, change, one)))
}

pub(crate) fn edit(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("comment").ok_or_else(not_found)?;
    let text = body(request, "IssueComment")?;
    let (now, login) = (world.now(), world.app.login());
    let repo = world.at(request)?;
    let mut all = repo.changes.values_mut().flat_map(|c| &mut c.comments);
    let found = all.find(|c| c.id == id).ok_or_else(not_found)?;
    if rewrite(found, &login, &text, &now).is_err() {
        world.problem(format!("fake github: somebody else's comment {id} was edited"));
        return Err(forbidden("issues=write; pull_requests=write"));
    }
    one(world, request)
}

fn body(request: &Request, resource: &str) -> Result<String, Box<Answer>> {
    let value = json_body(request)?;
    let text = value["body"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(invalid(
            json!([{ "resource": resource, "code": "missing_field", "field": "body" }]),
        ));
    }
    if text.chars().count() > 65_536 {
        return Err(invalid(json!([too_long(resource)])));
    }
    Ok(text.to_owned())
}

struct Theirs;

fn rewrite(comment: &mut CommentState, login: &str, text: &str, now: &str) -> Result<(), Theirs> {
    if comment.author != login {
        return Err(Theirs);
    }
    // Writing the same again is nothing new to look at.
    comment.read &= comment.body == text;
    comment.body = text.to_owned();
    comment.updated = now.to_owned();
    Ok(())
}
