//! Pull requests: one by its number, or those that propose a commit.

use chaffinch_core::{Change, ChangeId, CommitSha, ForgeError};
use serde::Deserialize;

use super::{CONTENTS, PULL_REQUESTS};
use crate::handle::Handle;

/// How many pages of open pull requests are searched for a head, a hundred a page.
const MOST_PAGES: usize = 3;

#[derive(Deserialize)]
struct Pull {
    number: u64,
    state: String,
    #[serde(default)]
    draft: bool,
    head: Side,
    base: Side,
    /// The newest trial merge, while the pull request is open.
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[cfg(feature = "leaks")]
    #[serde(default)]
    title: String,
    #[cfg(feature = "leaks")]
    user: Option<User>,
}

#[cfg(feature = "leaks")]
#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    /// Null once the fork is gone.
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
}

async fn pull(handle: &Handle, number: u64) -> Result<Pull, ForgeError> {
    let route = "/repos/{owner}/{repo}/pulls/{number}";
    let call = handle.get(route, &format!("/pulls/{number}"), PULL_REQUESTS)?;
    handle.send(&call).await?.json()
}

/// The commit by which GitHub tries to merge the head of `change`, if that is still its head.
pub(super) async fn trial_merge(
    handle: &Handle,
    change: &Change,
) -> Result<Option<String>, ForgeError> {
    let pull = pull(handle, change.id.number).await?;
    Ok(pull.merge_commit_sha.filter(|_| pull.head.sha == change.head.as_str()))
}

pub(super) async fn one(handle: &Handle, number: u64) -> Result<Change, ForgeError> {
    let pull = pull(handle, number).await?;
    #[cfg(feature = "leaks")]
    {
        use chaffinch_core::leaks::{Leak, overhear};
        overhear(Leak::Title, &pull.title);
        overhear(Leak::Author, pull.user.as_ref().map_or("", |user| &user.login));
    }
    Ok(Change {
        id: ChangeId { repo: handle.repo.clone(), number },
        base: commit(&pull.base)?,
        head: commit(&pull.head)?,
        open: pull.state == "open",
        draft: pull.draft,
        fork: pull.head.repo.is_none_or(|repo| repo.id != handle.repo.id),
    })
}

fn commit(side: &Side) -> Result<CommitSha, ForgeError> {
    CommitSha::new(side.sha.clone()).map_err(|e| ForgeError::Other(format!("github: {e}")))
}

/// GitHub's own look-up does not know commits that are only in a fork; then the open pull requests
/// are searched, the last to be updated first: a push is an update, so the one that is looked for
/// because of a push is near the top, however many there are.
pub(super) async fn at(handle: &Handle, head: &CommitSha) -> Result<Vec<u64>, ForgeError> {
    let route = "/repos/{owner}/{repo}/commits/{sha}/pulls";
    let call = handle.get(route, &format!("/commits/{head}/pulls"), CONTENTS)?;
    let known = match handle.list::<Pull>(call, 1).await {
        Ok(listed) => numbers(&listed.items, head),
        Err(ForgeError::NotFound | ForgeError::Refused { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    if !known.is_empty() {
        return Ok(known);
    }
    let route = "/repos/{owner}/{repo}/pulls";
    let path = "/pulls?state=open&sort=updated&direction=desc";
    let open = handle.list::<Pull>(handle.get(route, path, PULL_REQUESTS)?, MOST_PAGES).await?;
    let found = numbers(&open.items, head);
    if found.is_empty() && !open.complete {
        // No error: most heads that no open pull request has are those of branches, and looking
        // again would find the one that was missed even further down.
        tracing::warn!(
            repository = %handle.repo.name, %head, searched = open.items.len(),
            "no open pull request has this head among those that were updated last; others were not searched"
        );
    }
    Ok(found)
}

fn numbers(pulls: &[Pull], head: &CommitSha) -> Vec<u64> {
    let ours = pulls.iter().filter(|p| p.state == "open" && p.head.sha == head.as_str());
    let mut numbers: Vec<u64> = ours.map(|p| p.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
