//! GraphQL: review threads and what can be done to them. Answers 200 even where it refuses.

mod parse;

use parse::{Field, parse};
use serde_json::{Map, Value, json};

use super::{
    changes::{ChangeState, CommentState, ThreadState},
    request::{Outcome, Request, json_body},
    routes::holds,
    world::{RepoState, World},
};
use crate::{answer::Answer, calls::Caller};

/// Lists that come in pages.
const CONNECTIONS: &[&str] = &["reviewThreads", "comments", "parents"];

struct Refusal {
    kind: &'static str,
    message: String,
}

fn refusal(kind: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { kind, message: message.into() }
}

pub(crate) fn run(world: &mut World, request: &Request) -> Outcome {
    let body = json_body(request)?;
    let query = body["query"].as_str().unwrap_or_default();
    let operation = match parse(query, &body["variables"]) {
        Ok(operation) => operation,
        Err(why) => {
            world.problem(format!("fake github: unreadable graphql: {why}"));
            return Ok(Answer::json(200, &json!({ "errors": [{ "message": why }] })));
        }
    };
    let (mut data, mut errors) = (Map::new(), Vec::new());
    for field in &operation.fields {
        let done = if operation.mutation {
            mutate(world, request, field)
        } else {
            look(world, request, field)
        };
        match done {
            Ok(value) => {
                data.insert(field.alias.clone(), value);
            }
            Err(no) => {
                if no.kind == "undefinedField" {
                    world.problem(format!("fake github: graphql: {}", no.message));
                }
                data.insert(field.alias.clone(), Value::Null);
                errors
                    .push(json!({ "type": no.kind, "path": [field.alias], "message": no.message }));
            }
        }
    }
    let mut answer = json!({ "data": data });
    if !errors.is_empty() {
        answer["errors"] = Value::Array(errors);
    }
    Ok(Answer::json(200, &answer))
}

fn look(world: &World, request: &Request, field: &Field) -> Result<Value, Refusal> {
    let argument =
        |name: &str| field.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let all = match field.name.as_str() {
        "repository" => {
            let full = format!("{}/{}", argument("owner"), argument("name"));
            let unknown = || {
                let message = format!("Could not resolve to a Repository with the name '{full}'.");
                refusal("NOT_FOUND", message)
            };
            let repo = world.repo(&full).map(|at| &world.repos[at]).ok_or_else(unknown)?;
            if !sees(request, repo) {
                return Err(unknown());
            }
            repository(world, request, repo, field)?
        }
        "node" => {
            let id = argument("id");
            let (repo, change, thread) = find_thread(world, request, id)?;
            may(request, "pull_requests", "read")?;
            thread_json(&world.repos[repo], change, thread)
        }
        "viewer" => json!({ "__typename": "Bot", "login": world.app.login() }),
        other => return Err(no_field(other, "Query")),
    };
    project(&all, &field.fields)
}

fn repository(
    world: &World,
    request: &Request,
    repo: &RepoState,
    field: &Field,
) -> Result<Value, Refusal> {
    let mut out = json!({
        "__typename": "Repository",
        "id": format!("R_{}", repo.id),
        "databaseId": repo.id,
        "name": repo.name,
        "nameWithOwner": repo.full_name(),
        "isPrivate": true,
    });
    for wanted in field.fields.iter().filter(|f| f.name == "object") {
        may(request, "contents", "read")?;
        let oid = wanted.arguments.get("oid").and_then(Value::as_str).unwrap_or_default();
        out["object"] = commit_json(repo, oid);
    }
    // Each pull request is asked for by number, perhaps under an alias.
    for wanted in field.fields.iter().filter(|f| f.name == "pullRequest") {
        may(request, "pull_requests", "read")?;
        let number = wanted.arguments.get("number").and_then(Value::as_u64).unwrap_or_default();
        let change = repo.changes.get(&number).ok_or_else(|| {
            let message =
                format!("Could not resolve to a PullRequest with the number of {number}.");
            refusal("NOT_FOUND", message)
        })?;
        let threads = change.threads.iter().map(|t| thread_json(repo, change, t));
        out["pullRequest"] = json!({
            "__typename": "PullRequest",
            "id": format!("PR_{}", change.id),
            "databaseId": change.id,
            "number": number,
            "state": if change.merged { "MERGED" } else if change.open { "OPEN" } else { "CLOSED" },
            "isDraft": change.draft,
            "headRefOid": change.head,
            "baseRefOid": change.base,
            "url": format!("{}/pull/{number}", world.links.repo_web(&repo.full_name())),
            "reviewThreads": threads.collect::<Vec<_>>(),
        });
    }
    Ok(out)
}

/// `null` where there is no such commit.
fn commit_json(repo: &RepoState, oid: &str) -> Value {
    if !repo.commits.has(oid) {
        return Value::Null;
    }
    let parent = |oid: &String| json!({ "__typename": "Commit", "oid": oid });
    let parents: Vec<Value> = repo.commits.parents(oid).iter().map(parent).collect();
    json!({ "__typename": "Commit", "oid": oid, "parents": parents })
}

fn mutate(world: &mut World, request: &Request, field: &Field) -> Result<Value, Refusal> {
    let input = field.arguments.get("input").cloned().unwrap_or_default();
    let id = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let login = world.app.login();
    let all = match field.name.as_str() {
        "resolveReviewThread" | "unresolveReviewThread" => {
            let (at, number, index) = {
                let (at, change, thread) = find_thread(world, request, &id("threadId"))?;
                let index = change.threads.iter().position(|t| t.node == thread.node);
                (at, change.number, index.unwrap_or_default())
            };
            // GitHub asks for more than one would think here: github/gh-aw#35726.
            may(request, "pull_requests", "write")?;
            may(request, "contents", "write")?;
            let resolve = field.name == "resolveReviewThread";
            let repo = &mut world.repos[at];
            if let Some(change) = repo.changes.get_mut(&number) {
                change.threads[index].resolved_by = resolve.then_some(login);
            }
            let repo = &world.repos[at];
            let change = &repo.changes[&number];
            json!({ "thread": thread_json(repo, change, &change.threads[index]) })
        }
        "minimizeComment" | "unminimizeComment" => {
            let wanted = id("subjectId");
            let reason = (field.name == "minimizeComment").then(|| id("classifier"));
            may(request, "pull_requests", "write").or_else(|_| may(request, "issues", "write"))?;
            let seen: Vec<u64> =
                world.repos.iter().filter(|r| sees(request, r)).map(|r| r.id).collect();
            let repos = world.repos.iter_mut().filter(|r| seen.contains(&r.id));
            let mut comments = repos.flat_map(|r| r.changes.values_mut()).flat_map(|c| {
                c.threads.iter_mut().flat_map(|t| &mut t.comments).chain(&mut c.comments)
            });
            let unknown = || {
                refusal(
                    "NOT_FOUND",
                    format!("Could not resolve to a node with the global id of '{wanted}'"),
                )
            };
            let comment = comments.find(|c| c.node == wanted).ok_or_else(unknown)?;
            comment.minimized = reason.clone();
            let comment = reason.is_some().then_some("minimizedComment");
            let reason = reason.map(|r| r.to_lowercase());
            let state = json!({ "isMinimized": reason.is_some(), "minimizedReason": reason });
            json!({ comment.unwrap_or("unminimizedComment"): state })
        }
        other => {
            world.problem(format!("fake github: unexpected mutation {other}"));
            return Err(no_field(other, "Mutation"));
        }
    };
    let mut all = all;
    all["clientMutationId"] = input["clientMutationId"].clone();
    project(&all, &field.fields)
}

fn find_thread<'a>(
    world: &'a World,
    request: &Request,
    id: &str,
) -> Result<(usize, &'a ChangeState, &'a ThreadState), Refusal> {
    let seen = world.repos.iter().enumerate().filter(|(_, r)| sees(request, r));
    let mut all = seen.flat_map(|(at, repo)| {
        repo.changes.values().flat_map(move |c| c.threads.iter().map(move |t| (at, c, t)))
    });
    all.find(|(_, _, thread)| thread.node == id).ok_or_else(|| {
        refusal("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"))
    })
}

fn sees(request: &Request, repo: &RepoState) -> bool {
    matches!(&request.caller, Caller::Token { repositories, .. } if repositories.contains(&repo.full_name()))
}

fn may(request: &Request, permission: &str, level: &str) -> Result<(), Refusal> {
    match &request.caller {
        Caller::Token { permissions, .. } if holds(permissions, permission, level) => Ok(()),
        _ => Err(refusal("FORBIDDEN", "Resource not accessible by integration")),
    }
}

fn thread_json(repo: &RepoState, change: &ChangeState, thread: &ThreadState) -> Value {
    let now = |line: Option<u64>| line.and_then(|l| repo.line_now(change, thread, l));
    let line = now(thread.line);
    json!({
        "__typename": "PullRequestReviewThread",
        "id": thread.node,
        "isResolved": thread.resolved_by.is_some(),
        "isOutdated": thread.line.is_some() && line.is_none(),
        "isCollapsed": thread.resolved_by.is_some(),
        "path": thread.path,
        "line": line,
        "originalLine": thread.line,
        "startLine": now(thread.start_line),
        "originalStartLine": thread.start_line,
        "diffSide": thread.side,
        "subjectType": if thread.line.is_some() { "LINE" } else { "FILE" },
        "viewerCanResolve": false,
        "resolvedBy": thread.resolved_by.as_ref().map(|login| actor(login)),
        "comments": thread.comments.iter().map(comment_json).collect::<Vec<_>>(),
    })
}

fn comment_json(comment: &CommentState) -> Value {
    json!({
        "__typename": "PullRequestReviewComment",
        "id": comment.node,
        "databaseId": comment.id,
        "fullDatabaseId": comment.id.to_string(),
        "body": comment.body,
        "author": actor(&comment.author),
        "createdAt": comment.created,
        "updatedAt": comment.updated,
        "viewerDidAuthor": comment.author.ends_with("[bot]"),
        "isMinimized": comment.minimized.is_some(),
        "minimizedReason": comment.minimized.as_ref().map(|m| m.to_lowercase()),
    })
}

/// Here a bot's login has no `[bot]`.
fn actor(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({ "__typename": kind, "login": login.trim_end_matches("[bot]") })
}

fn no_field(name: &str, kind: &str) -> Refusal {
    refusal("undefinedField", format!("Field '{name}' doesn't exist on type '{kind}'"))
}

/// Just what was asked for, in its order.
fn project(value: &Value, fields: &[Field]) -> Result<Value, Refusal> {
    match value {
        Value::Array(items) => items.iter().map(|item| project(item, fields)).collect(),
        Value::Object(object) => {
            let kind = object.get("__typename").and_then(Value::as_str).unwrap_or("Object");
            let mut out = Map::new();
            for field in fields {
                if field.on.as_deref().is_some_and(|on| on != kind) {
                    continue;
                }
                let found = object.get(&field.name).ok_or_else(|| no_field(&field.name, kind))?;
                let paged;
                let found = match found {
                    Value::Array(items) if CONNECTIONS.contains(&field.name.as_str()) => {
                        paged = connection(items, field)?;
                        &paged
                    }
                    other => other,
                };
                out.insert(field.alias.clone(), project(found, &field.fields)?);
            }
            Ok(Value::Object(out))
        }
        leaf => Ok(leaf.clone()),
    }
}

fn connection(items: &[Value], field: &Field) -> Result<Value, Refusal> {
    let number = |name: &str| field.arguments.get(name).and_then(Value::as_u64).map(|n| n as usize);
    let name = &field.name;
    let (first, last) = (number("first"), number("last"));
    let size = first.or(last).ok_or_else(|| {
        let message = format!("You must provide a `first` or `last` value to properly paginate the `{name}` connection.");
        refusal("MISSING_PAGINATION_BOUNDARIES", message)
    })?;
    if size > 100 {
        let message = format!(
            "Requesting {size} records on the `{name}` connection exceeds the `first` limit of 100 records."
        );
        return Err(refusal("EXCESSIVE_PAGINATION", message));
    }
    let cursor = |at: usize| format!("Y3Vyc29y{at}");
    let position = |name: &str| {
        let text = field.arguments.get(name).and_then(Value::as_str)?;
        text.strip_prefix("Y3Vyc29y")?.parse::<usize>().ok()
    };
    let from = position("after").map_or(0, |at| at + 1).min(items.len());
    let to = position("before").unwrap_or(items.len()).clamp(from, items.len());
    let (start, end) = match first {
        Some(first) => (from, (from + first).min(to)),
        None => (to.saturating_sub(size).max(from), to),
    };
    let shown = &items[start..end];
    let edges: Vec<Value> = shown
        .iter()
        .enumerate()
        .map(|(i, node)| json!({ "cursor": cursor(start + i), "node": node }))
        .collect();
    Ok(json!({
        "totalCount": items.len(),
        "nodes": shown,
        "edges": edges,
        "pageInfo": {
            "hasNextPage": end < items.len(),
            "hasPreviousPage": start > 0,
            "startCursor": shown.first().map(|_| cursor(start)),
            "endCursor": shown.last().map(|_| cursor(end - 1)),
        },
    }))
}
