//! One file at one commit, as its bytes.

use chaffinch_core::{CommitSha, ForgeError, RepoPath, SourceBytes};

use super::CONTENTS;
use crate::{
    api::{Accept, encode},
    handle::Handle,
};

/// Always through the base repository: it knows the commits of its pull requests, forks' too, and a
/// token for the fork is nothing that we could have.
pub(super) async fn file(
    handle: &Handle,
    path: &RepoPath,
    at: &CommitSha,
    limit: u64,
) -> Result<SourceBytes, ForgeError> {
    let segments: Vec<_> = path.as_str().split('/').map(encode).collect();
    let route = "/repos/{owner}/{repo}/contents/{path}";
    let path = format!("/contents/{}?ref={at}", segments.join("/"));
    let mut call = handle.get(route, &path, CONTENTS)?;
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
