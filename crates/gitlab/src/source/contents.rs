//! One file at one commit, as its bytes.

use chaffinch_core::{CommitSha, ForgeError, RepoPath, SourceBytes};
use serde::Deserialize;

use super::READ;
use crate::{
    api::{Call, encode},
    handle::{Handle, PER_PAGE},
};

/// Names of one folder are read up to this many pages.
const MOST_PAGES: usize = 10;

/// Always through the target project: it keeps the commits of its merge requests, forks' too, under
/// `refs/merge-requests`, and a token for the fork is nothing that we could have.
///
/// A folder and a submodule are not found; of a link, GitLab gives the text: where it leads.
pub(super) async fn file(
    handle: &Handle,
    path: &RepoPath,
    at: &CommitSha,
    limit: u64,
) -> Result<SourceBytes, ForgeError> {
    let route = "/projects/{id}/repository/files/{path}/raw";
    let url = handle.url(&format!("/repository/files/{}/raw?ref={at}", encode(path.as_str())))?;
    let answer = handle.send(&Call::bytes(route, url, limit, READ)).await?;
    Ok(SourceBytes::new(answer.body))
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    name: String,
}

/// The names of the files of one folder, a thousand at most. The answer holds no content.
pub(super) async fn names(
    handle: &Handle,
    folder: &str,
    at: &CommitSha,
) -> Result<Vec<String>, ForgeError> {
    let route = "/projects/{id}/repository/tree";
    let path = format!("/repository/tree?path={}&ref={at}", encode(folder));
    let listed = handle.list::<Entry>(handle.get(route, &path, READ)?, MOST_PAGES).await?;
    // git keeps no empty folders; older servers answer so where there is none.
    if listed.items.is_empty() && !folder.is_empty() {
        return Err(ForgeError::NotFound);
    }
    let mut files: Vec<_> =
        listed.items.into_iter().filter(|e| e.kind == "blob").map(|e| e.name).collect();
    files.truncate(MOST_PAGES * PER_PAGE);
    Ok(files)
}
