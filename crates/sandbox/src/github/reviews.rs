//! Reviews and inline comments: all or nothing, and only on lines that the diff shows.

use serde_json::{Value, json};

use super::{
    changes::{BadPlace, CommentState, Place, ThreadState},
    json::{inline, user},
    request::{Outcome, Request, failure, invalid, json_body, not_found},
    world::World,
};
use crate::answer::Answer;

pub(crate) const LINE: &str = "Pull request review thread line must be part of the diff and Pull request review thread diff hunk can't be blank";
const START: &str = "Pull request review thread line must be part of the diff, Pull request review thread start line must be part of the same hunk as the line., and Pull request review thread diff hunk can't be blank";
const PATH: &str = "Pull request review thread path is invalid and Pull request review thread diff hunk can't be blank";
const ORDER: &str = "Pull request review thread start line must precede the end line.";
const MAX_BODY: usize = 65_536;

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let (at, number) = world.change_at(request)?;
    let body = json_body(request)?;
    let event = body["event"].as_str().map(str::to_owned);
    match event.as_deref() {
        None => world.problem("fake github: a review was left pending, nobody can see it"),
        Some("COMMENT") => {}
        Some(other) => world.problem(format!("fake github: a review with the event {other}")),
    }
    let text = body["body"].as_str().unwrap_or_default().to_owned();
    let empty = Vec::new();
    let wanted = body["comments"].as_array().unwrap_or(&empty);
    if event.is_some() && text.is_empty() && wanted.is_empty() {
        return Err(unprocessable(
            "Could not approve, comment or request changes: the review is empty",
        ));
    }
    let commit = commit(world, at, number, &body)?;
    let mut threads = Vec::new();
    for comment in wanted {
        threads.push(checked(world, at, number, &commit, comment).map_err(|why| {
            unprocessable(match why {
                Bad::Place(BadPlace::Path) => PATH,
                Bad::Place(BadPlace::Line) => LINE,
                Bad::Place(BadPlace::StartLine) => START,
                Bad::Place(BadPlace::Order) => ORDER,
                Bad::Blank => "Pull request review comment body can't be blank",
                Bad::Long => {
                    "Pull request review comment body is too long (maximum is 65536 characters)"
                }
            })
        })?);
    }
    let review = world.id();
    for (mut thread, text) in threads {
        add_comment(world, &mut thread, &text, Some(review));
        if let Some(change) = world.repos[at].changes.get_mut(&number) {
            change.threads.push(thread);
        }
    }
    let full = world.repos[at].full_name();
    let pull = format!("{}/pulls/{number}", world.links.repo_api(&full));
    let html = format!("{}/pull/{number}#pullrequestreview-{review}", world.links.repo_web(&full));
    let state = match event.as_deref() {
        None => "PENDING",
        Some("APPROVE") => "APPROVED",
        Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
        Some(_) => "COMMENTED",
    };
    let answer = json!({
        "id": review,
        "node_id": format!("PRR_{review}"),
        "user": user(&world.links, &world.app.login()),
        "body": text,
        "state": state,
        "html_url": html,
        "pull_request_url": pull,
        "_links": { "html": { "href": html }, "pull_request": { "href": pull } },
        "submitted_at": world.now(),
        "commit_id": commit,
        "author_association": "NONE",
    });
    if let Some(change) = world.repos[at].changes.get_mut(&number) {
        change.reviews += 1;
    }
    Ok(Answer::json(200, &answer))
}

pub(crate) fn comment(world: &mut World, request: &Request) -> Outcome {
    let body = json_body(request)?;
    if let Some(first) = body["in_reply_to"].as_u64() {
        return answer_to(world, request, first, &body);
    }
    let (at, number) = world.change_at(request)?;
    let commit = commit(world, at, number, &body)?;
    let field = |field: &str, code: &str| json!({ "resource": "PullRequestReviewComment", "code": code, "field": field });
    let (mut thread, text) = if body["subject_type"] == "file" {
        whole_file(world, at, number, &commit, &body)
    } else {
        checked(world, at, number, &commit, &body)
    }
    .map_err(|why| {
        let message = match why {
            Bad::Place(BadPlace::Path) => "path is invalid",
            Bad::Place(BadPlace::Order) => "start_line must precede the end line.",
            Bad::Place(_) => "line must be part of the diff",
            Bad::Blank => return invalid(json!([field("body", "missing_field")])),
            Bad::Long => return invalid(json!([too_long("PullRequestReviewComment")])),
        };
        let name = message.split(' ').next().unwrap_or_default();
        let name = format!("pull_request_review_thread.{name}");
        let mut first = field(&name, "custom");
        first["message"] = json!(format!("pull_request_review_thread.{message}"));
        invalid(json!([first, field("pull_request_review_thread.diff_hunk", "missing_field")]))
    })?;
    add_comment(world, &mut thread, &text, None);
    let repo = &mut world.repos[at];
    if let Some(change) = repo.changes.get_mut(&number) {
        change.threads.push(thread);
    }
    shown(world, at, number)
}

pub(crate) fn reply(world: &mut World, request: &Request) -> Outcome {
    let first = request.number("comment").ok_or_else(not_found)?;
    let body = json_body(request)?;
    answer_to(world, request, first, &body)
}

fn answer_to(world: &mut World, request: &Request, first: u64, body: &Value) -> Outcome {
    let (at, number) = world.change_at(request)?;
    let text = body["body"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(invalid(
            json!([{ "resource": "PullRequestReviewComment", "code": "missing_field", "field": "body" }]),
        ));
    }
    let thread = world.repos[at].changes.get(&number).and_then(|c| c.thread_of(first));
    let Some(thread) = thread else { return Err(not_found()) };
    let (id, login, now) = (world.id(), world.app.login(), world.now());
    let mut comment = CommentState::new(id, "PRRC", &login, text, &now);
    let repo = &mut world.repos[at];
    if let Some(change) = repo.changes.get_mut(&number) {
        comment.reply_to = change.threads[thread].comments.first().map(|c| c.id);
        change.threads[thread].comments.push(comment);
        let change = &world.repos[at].changes[&number];
        let thread = &change.threads[thread];
        if let Some(last) = thread.comments.last() {
            let shown = inline(&world.links, &world.repos[at], change, thread, last);
            return Ok(Answer::json(201, &shown));
        }
    }
    Err(not_found())
}

/// The newest thread's first comment.
fn shown(world: &World, at: usize, number: u64) -> Outcome {
    let repo = &world.repos[at];
    let change = &repo.changes[&number];
    let thread = change.threads.last().ok_or_else(not_found)?;
    let first = thread.comments.first().ok_or_else(not_found)?;
    Ok(Answer::json(201, &inline(&world.links, repo, change, thread, first)))
}

fn commit(world: &World, at: usize, number: u64, body: &Value) -> Result<String, Box<Answer>> {
    let repo = &world.repos[at];
    let change = &repo.changes[&number];
    match body["commit_id"].as_str() {
        None => Ok(change.head.clone()),
        Some(sha) if change.heads.iter().any(|h| h == sha) => Ok(sha.to_owned()),
        Some(sha) => Err(unprocessable(&format!("No commit found for SHA: {sha}"))),
    }
}

enum Bad {
    Place(BadPlace),
    Blank,
    Long,
}

fn text(wanted: &Value) -> Result<&str, Bad> {
    match wanted["body"].as_str() {
        None | Some("") => Err(Bad::Blank),
        Some(text) if text.chars().count() > MAX_BODY => Err(Bad::Long),
        Some(text) => Ok(text),
    }
}

/// A thread without comments where the wanted one may stand, and the text.
fn checked(
    world: &mut World,
    at: usize,
    number: u64,
    commit: &str,
    wanted: &Value,
) -> Result<(ThreadState, String), Bad> {
    let text = text(wanted)?;
    let line = wanted["line"].as_u64();
    if line.is_none() && wanted["position"].is_u64() {
        world.problem("fake github: `position` is closing down, use `line`");
    }
    let place = Place {
        path: wanted["path"].as_str().unwrap_or_default(),
        side: wanted["side"].as_str().unwrap_or("RIGHT"),
        line: line.ok_or(Bad::Place(BadPlace::Line))?,
        start: wanted["start_line"].as_u64(),
    };
    let repo = &world.repos[at];
    let hunk = repo.hunk(&repo.changes[&number], commit, &place).map_err(Bad::Place)?;
    let thread = ThreadState {
        node: format!("PRRT_{}", world.id()),
        path: place.path.to_owned(),
        side: place.side.to_owned(),
        line: Some(place.line),
        start_line: place.start,
        commit: commit.to_owned(),
        hunk,
        resolved_by: None,
        comments: Vec::new(),
    };
    Ok((thread, text.to_owned()))
}

fn whole_file(
    world: &mut World,
    at: usize,
    number: u64,
    commit: &str,
    wanted: &Value,
) -> Result<(ThreadState, String), Bad> {
    let text = text(wanted)?;
    let path = wanted["path"].as_str().unwrap_or_default();
    let repo = &world.repos[at];
    let files = repo.commits.compare(&repo.changes[&number].base, commit);
    if !files.iter().any(|f| f.path == path) {
        return Err(Bad::Place(BadPlace::Path));
    }
    let thread = ThreadState {
        node: format!("PRRT_{}", world.id()),
        path: path.to_owned(),
        side: "RIGHT".to_owned(),
        line: None,
        start_line: None,
        commit: commit.to_owned(),
        hunk: String::new(),
        resolved_by: None,
        comments: Vec::new(),
    };
    Ok((thread, text.to_owned()))
}

fn add_comment(world: &mut World, thread: &mut ThreadState, text: &str, review: Option<u64>) {
    let (id, login, now) = (world.id(), world.app.login(), world.now());
    let mut comment = CommentState::new(id, "PRRC", &login, text, &now);
    comment.review = review;
    thread.comments.push(comment);
}

/// `Unprocessable Entity` with an error that is a text, as reviews have it.
fn unprocessable(error: &str) -> Box<Answer> {
    let mut answer = failure(422, "Unprocessable Entity");
    let body = json!({
        "message": "Unprocessable Entity",
        "errors": [error],
        "documentation_url": "https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request",
        "status": "422",
    });
    answer.body = body.to_string().into();
    answer
}

pub(crate) fn too_long(resource: &str) -> Value {
    json!({
        "resource": resource,
        "code": "unprocessable",
        "field": "data",
        "message": "Body is too long (maximum is 65536 characters)",
    })
}
