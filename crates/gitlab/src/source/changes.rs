//! Merge requests: one by its number, or those that propose a commit.

use chaffinch_core::{Change, ChangeId, CommitSha, ForgeError};
use serde::Deserialize;

use super::{READ, pipelines::Pipeline};
use crate::handle::Handle;
use crate::json::nullable;

/// How many pages of open merge requests are searched for a head, a hundred a page: of those that hold
/// the commit, and then of all.
const MOST_PAGES: usize = 3;

#[derive(Deserialize)]
pub(crate) struct MergeRequest {
    iid: u64,
    state: String,
    #[serde(default, deserialize_with = "nullable")]
    draft: bool,
    /// What `draft` was called before.
    #[serde(default, deserialize_with = "nullable")]
    work_in_progress: bool,
    /// Null while there is no commit.
    #[serde(default)]
    sha: Option<String>,
    /// Null for a moment after it was opened.
    #[serde(default)]
    pub(crate) diff_refs: Option<DiffRefs>,
    /// Null once the fork is gone.
    #[serde(default)]
    source_project_id: Option<u64>,
    #[serde(default)]
    target_project_id: Option<u64>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) source_branch: String,
    /// `35`, or `1000+` where not all are listed.
    #[serde(default)]
    pub(crate) changes_count: Option<String>,
    #[serde(default)]
    pub(crate) head_pipeline: Option<Pipeline>,
    #[cfg(feature = "leaks")]
    #[serde(default)]
    title: String,
    #[cfg(feature = "leaks")]
    author: Option<Author>,
}

#[cfg(feature = "leaks")]
#[derive(Deserialize)]
struct Author {
    username: String,
}

/// The three commits that a diff, and so a position in it, is between.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct DiffRefs {
    pub(crate) base_sha: String,
    pub(crate) start_sha: String,
    pub(crate) head_sha: String,
}

impl MergeRequest {
    pub(crate) fn is_fork(&self, handle: &Handle) -> bool {
        self.source_project_id != Some(handle.repo.id)
    }

    pub(crate) fn proposes(&self, head: &CommitSha, handle: &Handle) -> bool {
        self.state == "opened"
            && self.sha.as_deref() == Some(head.as_str())
            && self.target_project_id.is_none_or(|target| target == handle.repo.id)
    }
}

pub(crate) async fn merge_request(
    handle: &Handle,
    number: u64,
) -> Result<MergeRequest, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}";
    let call = handle.get(route, &format!("/merge_requests/{number}"), READ)?;
    handle.send(&call).await?.json()
}

pub(super) async fn one(handle: &Handle, number: u64) -> Result<Change, ForgeError> {
    let found = merge_request(handle, number).await?;
    #[cfg(feature = "leaks")]
    {
        use chaffinch_core::leaks::{Leak, overhear};
        overhear(Leak::Title, &found.title);
        overhear(Leak::Author, found.author.as_ref().map_or("", |author| &author.username));
    }
    let not_ready = |why: &str| ForgeError::Unavailable { why: format!("gitlab: {why}") };
    let commit =
        |sha: &str| CommitSha::new(sha).map_err(|e| ForgeError::Other(format!("gitlab: {e}")));
    let open = found.state == "opened";
    let head = found.sha.as_deref().ok_or_else(|| not_ready("a merge request without a commit"))?;
    let base = match &found.diff_refs {
        Some(refs) => refs.start_sha.as_str(),
        None if open => return Err(not_ready("the diff is not made yet")),
        // Nobody will make it any more, and nobody looks at it.
        None => head,
    };
    Ok(Change {
        id: ChangeId { repo: handle.repo.clone(), number },
        base: commit(base)?,
        head: commit(head)?,
        open,
        draft: found.draft || found.work_in_progress,
        fork: found.is_fork(handle),
    })
}

/// GitLab's own look-up may not know commits that are only in a fork; then the open merge requests are
/// searched, the last to be updated first: a push is an update, so the one that is looked for because
/// of a push is near the top, however many there are.
pub(super) async fn at(handle: &Handle, head: &CommitSha) -> Result<Vec<u64>, ForgeError> {
    let route = "/projects/{id}/repository/commits/{sha}/merge_requests";
    let path = format!("/repository/commits/{head}/merge_requests?state=opened");
    let call = handle.get(route, &path, READ)?;
    let known = match handle.list::<MergeRequest>(call, MOST_PAGES).await {
        Ok(listed) => numbers(&listed.items, head, handle),
        Err(ForgeError::NotFound | ForgeError::Refused { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    if !known.is_empty() {
        return Ok(known);
    }
    let route = "/projects/{id}/merge_requests";
    let path = "/merge_requests?state=opened&order_by=updated_at&sort=desc";
    let open = handle.list::<MergeRequest>(handle.get(route, path, READ)?, MOST_PAGES).await?;
    let found = numbers(&open.items, head, handle);
    if found.is_empty() && !open.complete {
        // No error: most heads that no open merge request has are those of branches, and looking
        // again would find the one that was missed even further down.
        tracing::warn!(
            repository = %handle.repo.name, %head, searched = open.items.len(),
            "no open merge request has this head among those that were updated last; others were not searched"
        );
    }
    Ok(found)
}

fn numbers(all: &[MergeRequest], head: &CommitSha, handle: &Handle) -> Vec<u64> {
    let mut numbers: Vec<u64> =
        all.iter().filter(|m| m.proposes(head, handle)).map(|m| m.iid).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
