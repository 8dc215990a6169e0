//! One file at one commit, as its bytes.

use chaffinch_core::{CommitSha, ForgeError, RepoPath, SourceBytes};
use serde::Deserialize;
use serde_json::Value;

use super::CONTENTS;
use crate::{
    api::{Accept, encode},
    handle::Handle,
};

const ROUTE: &str = "/repos/{owner}/{repo}/contents/{path}";

/// Always through the base repository: it knows the commits of its pull requests, forks' too, and a
/// token for the fork is nothing that we could have.
pub(super) async fn file(
    handle: &Handle,
    path: &RepoPath,
    at: &CommitSha,
    limit: u64,
) -> Result<SourceBytes, ForgeError> {
    let mut call = handle.get(ROUTE, &address(path.as_str(), at), CONTENTS)?;
    // The JSON form holds no content above 1 MB; the raw one goes up to 100 MB.
    call.accept = Accept::Raw;
    call.limit = limit;
    let answer = handle.send(&call).await?;
    // What is no file (a folder, a submodule, a link that leads nowhere) is described in JSON. A file
    // never has this type, a JSON file neither: its answer is `application/vnd.github.raw+json`.
    match answer.media_type() {
        "application/json" | "application/vnd.github.object+json" => Err(ForgeError::NotFound),
        _ => Ok(SourceBytes::new(answer.body)),
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    name: String,
}

/// The names of the files of one folder: what GitHub answers where a path is a folder's, at most
/// 1,000 entries. The answer holds no content.
pub(super) async fn names(
    handle: &Handle,
    folder: &str,
    at: &CommitSha,
) -> Result<Vec<String>, ForgeError> {
    let call = handle.get(ROUTE, &address(folder, at), CONTENTS)?;
    let found: Value = handle.send(&call).await?.json()?;
    // A file is described by an object.
    if !found.is_array() {
        return Err(ForgeError::NotFound);
    }
    let entries: Vec<Entry> = serde_json::from_value(found)
        .map_err(|_| ForgeError::Other("GitHub's list of a folder cannot be read".into()))?;
    let files = entries.into_iter().filter(|e| e.kind == "file" || e.kind == "symlink");
    Ok(files.map(|entry| entry.name).collect())
}

fn address(path: &str, at: &CommitSha) -> String {
    let segments: Vec<_> = path.split('/').map(encode).collect();
    format!("/contents/{}?ref={at}", segments.join("/"))
}
