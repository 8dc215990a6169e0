//! One file at one commit.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::json;

use super::{
    request::{Outcome, Request, error, failure, page},
    world::World,
};
use crate::{answer::Answer, tree::Blob};

struct Found {
    path: String,
    commit: String,
    blob: String,
    bytes: Bytes,
}

/// The commit that the request names: nothing but a commit's id will do, for a branch may move between
/// two reads.
fn commit(world: &mut World, request: &Request) -> Result<String, Box<Answer>> {
    let Some(reference) = request.query("ref") else {
        return Err(error(400, "ref is missing"));
    };
    if reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(reference.to_owned());
    }
    let text = format!("fake gitlab: {} was read at {reference}, not at a commit", request.path);
    world.problem(text.clone());
    Err(failure(501, &text))
}

fn find(world: &mut World, request: &Request) -> Result<Found, Box<Answer>> {
    let commit = commit(world, request)?;
    let project = world.project_mut(request)?;
    let tree = project.commits.get(&commit).ok_or_else(|| failure(404, "404 Commit Not Found"))?;
    let path = request.param("file").to_owned();
    let blob = tree.get(&path).ok_or_else(|| failure(404, "404 File Not Found"))?;
    let bytes = match blob {
        Blob::File(bytes) => bytes.clone(),
        Blob::Huge(size) => Bytes::from(vec![b'x'; usize::try_from(*size).unwrap_or_default()]),
        // A link is a file that holds where it leads.
        Blob::Symlink(target) => Bytes::from(target.clone()),
        Blob::Submodule(_) => return Err(failure(404, "404 File Not Found")),
    };
    Ok(Found { path, blob: blob.sha(), bytes, commit })
}

impl Found {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn digest(&self) -> String {
        hex::encode(digest(&SHA256, &self.bytes))
    }

    fn headers(&self, answer: Answer, reference: &str) -> Answer {
        answer
            .header("x-gitlab-blob-id", &self.blob)
            .header("x-gitlab-commit-id", &self.commit)
            .header("x-gitlab-content-sha256", self.digest())
            .header("x-gitlab-encoding", "base64")
            .header("x-gitlab-execute-filemode", "false")
            .header("x-gitlab-file-name", self.name())
            .header("x-gitlab-file-path", &self.path)
            .header("x-gitlab-last-commit-id", &self.commit)
            .header("x-gitlab-ref", reference)
            .header("x-gitlab-size", self.bytes.len().to_string())
    }
}

pub(crate) fn get(world: &mut World, request: &Request) -> Outcome {
    let found = find(world, request)?;
    let body = json!({
        "file_name": found.name(),
        "file_path": found.path,
        "size": found.bytes.len(),
        "encoding": "base64",
        "content_sha256": found.digest(),
        "ref": found.commit,
        "blob_id": found.blob,
        "commit_id": found.commit,
        "last_commit_id": found.commit,
        "execute_filemode": false,
        "content": BASE64_STANDARD.encode(&found.bytes),
    });
    Ok(found.headers(Answer::json(200, &body), &found.commit))
}

pub(crate) fn raw(world: &mut World, request: &Request) -> Outcome {
    let found = find(world, request)?;
    let text = !found.bytes.iter().take(8000).any(|b| *b == 0);
    let kind = if text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    Ok(found.headers(Answer::new(200, kind, found.bytes.clone()), &found.commit))
}

/// The names in a folder: a problem, unless it is allowed.
pub(crate) fn tree(world: &mut World, request: &Request) -> Outcome {
    let folder = request.query("path").unwrap_or_default().trim_matches('/').to_owned();
    let whole = request.query("recursive").is_some_and(|r| r != "false");
    if whole || !world.listing {
        world.problem(format!("fake gitlab: a folder was listed: {folder}"));
        return Err(failure(501, "fake gitlab: a folder was listed"));
    }
    let commit = commit(world, request)?;
    let folder = if folder.is_empty() { folder } else { format!("{folder}/") };
    let entries = world.project_mut(request)?.listed(&commit, &folder);
    if entries.is_empty() {
        return Err(failure(404, "404 invalid revision or path Not Found"));
    }
    Ok(page(world, request, entries))
}
