//! Merge requests, their versions and diffs.

use serde_json::{Value, json};

use super::{
    changes::MergeRequestState,
    json::{merge_request, version as version_json, whole_merge_request},
    request::{Outcome, Request, flag, not_found, page},
    world::World,
};
use crate::{
    answer::Answer,
    diff::Diff,
    tree::{Blob, FileChange},
};

/// Past these, GitLab shows no diff of a file.
const MAX_PATCH: usize = 200 << 10;
const MAX_PATCH_LINES: usize = 5_000;

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let project = &world.projects[at];
    let wanted = |c: &&MergeRequestState| {
        let numbers = request.query.iter().filter(|(n, _)| n == "iids[]" || n == "iids");
        let mut numbers = numbers.flat_map(|(_, v)| v.split(',')).peekable();
        let is = |name: &str, value: &str| request.query(name).is_none_or(|v| v == value);
        let state = request.query("state").is_none_or(|s| s == "all" || s == c.state());
        state
            && is("source_branch", &c.branch)
            && is("target_branch", "main")
            && (numbers.peek().is_none() || numbers.any(|n| n.parse() == Ok(c.iid)))
    };
    let found = project.merge_requests.values().rev().filter(wanted);
    let all = found.map(|c| merge_request(world, project, c)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn at_commit(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let (project, sha) = (&world.projects[at], request.param("sha"));
    if !project.commits.has(sha) {
        return Err(super::request::failure(404, "404 Commit Not Found"));
    }
    let wanted = |c: &&MergeRequestState| {
        let state = request.query("state").is_none_or(|s| s == "all" || s == c.state());
        state && c.versions.iter().any(|v| v.head == sha)
    };
    let found = project.merge_requests.values().filter(wanted);
    let all = found.map(|c| merge_request(world, project, c)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let body = whole_merge_request(world, project, &project.merge_requests[&iid]);
    if let Some(change) = world.projects[at].merge_requests.get_mut(&iid) {
        change.unprepared = change.unprepared.saturating_sub(1);
    }
    Ok(Answer::json(200, &body))
}

pub(crate) fn versions(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let change = &world.projects[at].merge_requests[&iid];
    let prepared = change.versions.iter().rev().filter(|_| change.unprepared == 0);
    let all = prepared.map(|v| version_json(change, v)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn version(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let id = request.number("version");
    let version = change.versions.iter().find(|v| Some(v.id) == id).ok_or_else(not_found)?;
    let files = project.commits.compare(&version.base, &version.head);
    let mut out = version_json(change, version);
    out["commits"] = json!([]);
    out["diffs"] = files.iter().map(|f| entry(change, f, unidiff(request))).collect();
    Ok(Answer::json(200, &out))
}

pub(crate) fn diffs(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let files = match change.unprepared {
        0 => project.commits.compare(&change.base, &change.head),
        _ => Vec::new(),
    };
    let all = files.iter().map(|f| entry(change, f, unidiff(request))).collect();
    Ok(page(world, request, all))
}

pub(crate) fn raw_diffs(world: &mut World, request: &Request) -> Outcome {
    let (at, iid) = world.change_at(request)?;
    let project = &world.projects[at];
    let change = &project.merge_requests[&iid];
    let mut out = String::new();
    for file in project.commits.compare(&change.base, &change.head) {
        let old = file.previous.as_ref().unwrap_or(&file.path);
        out.push_str(&format!("diff --git a/{old} b/{}\n", file.path));
        match file.status {
            "added" => out.push_str("new file mode 100644\n"),
            "removed" => out.push_str("deleted file mode 100644\n"),
            "renamed" => out.push_str(&format!("rename from {old}\nrename to {}\n", file.path)),
            _ => {}
        }
        out.push_str(&patch(&file, true));
    }
    Ok(Answer::new(200, "text/plain; charset=utf-8", out))
}

fn unidiff(request: &Request) -> bool {
    request.query("unidiff").and_then(|v| flag(&json!(v))) == Some(true)
}

/// The text of a file's diff; with the names of both sides, if it is `whole`.
fn patch(file: &FileChange, whole: bool) -> String {
    let old = file.previous.as_ref().unwrap_or(&file.path);
    let Some((before, after)) = file.texts() else {
        return format!("Binary files a/{old} and b/{} differ\n", file.path);
    };
    let text = Diff::new(before, after).patch();
    if text.is_empty() {
        return text;
    }
    let side = |there: bool, letter: char, path: &str| match there {
        true => format!("{letter}/{path}"),
        false => "/dev/null".to_owned(),
    };
    let (from, to) =
        (side(file.old.is_some(), 'a', old), side(file.new.is_some(), 'b', &file.path));
    match whole {
        true => format!("--- {from}\n+++ {to}\n{text}\n"),
        false => format!("{text}\n"),
    }
}

fn entry(change: &MergeRequestState, file: &FileChange, whole: bool) -> Value {
    let huge = [&file.old, &file.new].into_iter().flatten().any(|b| matches!(b, Blob::Huge(_)));
    let text = if huge { String::new() } else { patch(file, whole) };
    let long = text.len() > MAX_PATCH || text.lines().count() > MAX_PATCH_LINES;
    let too_large = huge || long || change.too_large.contains(&file.path);
    let collapsed = change.collapsed.contains(&file.path);
    let mode = |blob: &Option<Blob>| match blob {
        None => "0",
        Some(Blob::Symlink(_)) => "120000",
        Some(Blob::Submodule(_)) => "160000",
        Some(_) => "100644",
    };
    json!({
        "diff": if too_large || collapsed { "" } else { &text },
        "collapsed": collapsed,
        "too_large": too_large,
        "new_path": file.path,
        "old_path": file.previous.as_ref().unwrap_or(&file.path),
        "a_mode": mode(&file.old),
        "b_mode": mode(&file.new),
        "new_file": file.old.is_none(),
        "renamed_file": file.previous.is_some(),
        "deleted_file": file.new.is_none(),
        "generated_file": false,
    })
}
