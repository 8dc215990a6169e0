//! Pull requests and their files.

use serde_json::{Value, json};

use super::{
    json::{pull, whole_pull},
    request::{Outcome, Request, failure, page},
    world::World,
};
use crate::{
    answer::Answer,
    diff::Diff,
    tree::{FileChange, sha1},
};

/// Past these, GitHub leaves a file's `patch` out.
const MAX_PATCH: usize = 500_000;
const MAX_PATCH_LINES: usize = 20_000;
/// GitHub lists no more files of one pull request than this.
const MAX_FILES: usize = 3_000;

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let (at, number) = world.change_at(request)?;
    if request.header("accept").contains("diff") || request.header("accept").contains("patch") {
        world.problem("fake github: the whole diff of a change was asked for");
        return Err(failure(406, "Sorry, the diff exceeded the maximum number of lines"));
    }
    let repo = &world.repos[at];
    Ok(Answer::json(200, &whole_pull(&world.links, repo, &repo.changes[&number])))
}

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let state = request.query("state").unwrap_or("open").to_owned();
    let head = request.query("head").map(str::to_owned);
    let links = world.links.clone();
    let repo = world.at(request)?;
    let wanted = repo.changes.values().rev().filter(|c| match state.as_str() {
        "all" => true,
        "closed" => !c.open,
        _ => c.open,
    });
    let owner = |c: &super::changes::ChangeState| {
        c.fork.as_ref().map_or(repo.owner.clone(), |f| f.owner.clone())
    };
    let wanted = wanted
        .filter(|c| head.as_ref().is_none_or(|head| *head == format!("{}:{}", owner(c), c.branch)));
    let all = wanted.map(|c| pull(&links, repo, c)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn at_commit(world: &mut World, request: &Request) -> Outcome {
    let sha = request.param("sha").to_owned();
    let links = world.links.clone();
    let repo = world.at(request)?;
    if !repo.commits.has(&sha) {
        return Err(failure(422, &format!("No commit found for SHA: {sha}")));
    }
    // Commits that are only in a fork are not found this way.
    let own = repo.changes.values().filter(|c| c.fork.is_none());
    let with = own.filter(|c| c.heads.contains(&sha) || c.merge == sha);
    let all = with.map(|c| pull(&links, repo, c)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn files(world: &mut World, request: &Request) -> Outcome {
    let (at, number) = world.change_at(request)?;
    let repo = &world.repos[at];
    let change = &repo.changes[&number];
    let files = repo.commits.compare(&change.base, &change.head);
    let (api, web) =
        (world.links.repo_api(&repo.full_name()), world.links.repo_web(&repo.full_name()));
    let all = files.iter().take(MAX_FILES).map(|f| entry(f, &change.head, &api, &web)).collect();
    Ok(page(world, request, all))
}

fn entry(file: &FileChange, head: &str, api: &str, web: &str) -> Value {
    let path =
        file.path.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
    let blob = file.new.as_ref().or(file.old.as_ref());
    let mut out = json!({
        "sha": blob.map_or_else(|| sha1(b""), |b| b.sha()),
        "filename": file.path,
        "status": file.status,
        "additions": 0,
        "deletions": 0,
        "changes": 0,
        "blob_url": format!("{web}/blob/{head}/{path}"),
        "raw_url": format!("{web}/raw/{head}/{path}"),
        "contents_url": format!("{api}/contents/{path}?ref={head}"),
    });
    if let Some(previous) = &file.previous {
        out["previous_filename"] = json!(previous);
    }
    let Some((old, new)) = file.texts() else { return out };
    let diff = Diff::new(old, new);
    out["additions"] = json!(diff.added());
    out["deletions"] = json!(diff.removed());
    out["changes"] = json!(diff.added() + diff.removed());
    let patch = diff.patch();
    if !patch.is_empty() && patch.len() <= MAX_PATCH && patch.lines().count() <= MAX_PATCH_LINES {
        out["patch"] = json!(patch);
    }
    out
}
