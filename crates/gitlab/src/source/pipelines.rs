//! The pipelines that ran on a head, or on a merge of it.

use chaffinch_core::{Change, CommitSha, ForgeError};
use serde::Deserialize;

use super::READ;
use crate::handle::Handle;
use crate::json::nullable;

/// Pipelines of one head that are looked at, newest first.
const MOST_PIPELINES: usize = 20;
/// Merges of one head whose child pipelines are asked for.
const MOST_COMMITS: usize = 4;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) id: u64,
    pub(crate) sha: String,
    #[serde(default)]
    pub(crate) r#ref: Option<String>,
    /// That of a fork's merge request may run in the fork, which is none of ours.
    #[serde(default)]
    project_id: Option<u64>,
    /// Whether another pipeline started it.
    #[serde(skip)]
    pub(crate) is_child: bool,
}

impl Pipeline {
    pub(crate) fn is_here(&self, handle: &Handle) -> bool {
        self.project_id.is_none_or(|project| project == handle.repo.id)
    }

    /// Whether it runs on what the merge of `number` would be, not on its head.
    pub(crate) fn is_of_merge(&self, number: u64) -> bool {
        let of = self.r#ref.as_deref().and_then(|r| r.strip_prefix("refs/merge-requests/"));
        let of = of.and_then(|rest| rest.split_once('/'));
        of.is_some_and(|(iid, kind)| iid.parse() == Ok(number) && matches!(kind, "merge" | "train"))
    }
}

/// `refs/merge-requests/7/head`, `…/merge` and `…/train` → 7.
pub(crate) fn merge_request_of(reference: &str) -> Option<u64> {
    let (number, kind) = reference.strip_prefix("refs/merge-requests/")?.split_once('/')?;
    matches!(kind, "head" | "merge" | "train").then(|| number.parse().ok())?
}

/// Whether a job of a pipeline is the one that `.gitlab-ci.yml` calls `name`, or one of its parallel
/// (`sast 1/3`) or matrix (`sast: [a, b]`) variants.
pub(crate) fn is_job(job: &str, name: &str) -> bool {
    job.strip_prefix(name).is_some_and(|rest| {
        let parallel = |rest: &str| {
            rest.split_once('/').is_some_and(|(n, of)| {
                [n, of].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            })
        };
        rest.is_empty() || rest.starts_with(": [") || rest.strip_prefix(' ').is_some_and(parallel)
    })
}

/// Those of the head of `change`, newest first, each before its children.
pub(super) async fn of(handle: &Handle, change: &Change) -> Result<Vec<Pipeline>, ForgeError> {
    let number = change.id.number;
    let route = "/projects/{id}/merge_requests/{iid}/pipelines";
    let call = handle.get(route, &format!("/merge_requests/{number}/pipelines"), READ)?;
    let mut all: Vec<Pipeline> = handle.send(&call).await?.json()?;
    all.retain(|pipeline| pipeline.is_here(handle));
    all.sort_by_key(|pipeline| std::cmp::Reverse(pipeline.id));
    all.truncate(MOST_PIPELINES);

    let mut ours = Vec::new();
    let mut commits = vec![change.head.as_str().to_owned()];
    for pipeline in all {
        let known = commits.contains(&pipeline.sha);
        if known
            || (pipeline.is_of_merge(number) && merges(handle, &pipeline.sha, &change.head).await?)
        {
            if !known {
                commits.push(pipeline.sha.clone());
            }
            ours.push(pipeline);
        }
    }
    for commit in commits.iter().take(MOST_COMMITS) {
        ours.extend(children(handle, commit).await?);
    }
    Ok(ours)
}

/// GitLab lists no child pipelines with the others.
async fn children(handle: &Handle, commit: &str) -> Result<Vec<Pipeline>, ForgeError> {
    let route = "/projects/{id}/pipelines";
    let path = format!("/pipelines?sha={commit}&source=parent_pipeline");
    let listed = handle.list::<Pipeline>(handle.get(route, &path, READ)?, 1).await?;
    let mut children = listed.items;
    children.retain(|p| p.sha == commit);
    children.sort_by_key(|pipeline| std::cmp::Reverse(pipeline.id));
    children.truncate(MOST_PIPELINES);
    children.iter_mut().for_each(|child| child.is_child = true);
    Ok(children)
}

/// Whether `commit` merges `head`. GitLab makes a new merge whenever a pipeline starts
/// on one, so the head of the newest is not that of all.
pub(crate) async fn merges(
    handle: &Handle,
    commit: &str,
    head: &CommitSha,
) -> Result<bool, ForgeError> {
    #[derive(Deserialize)]
    struct Commit {
        #[serde(default, deserialize_with = "nullable")]
        parent_ids: Vec<String>,
    }
    let Ok(commit) = CommitSha::new(commit) else { return Ok(false) };
    let route = "/projects/{id}/repository/commits/{sha}";
    let call = handle.get(route, &format!("/repository/commits/{commit}"), READ)?;
    let found: Commit = match handle.send(&call).await {
        // A merge that GitLab has forgotten is of no head that is still there.
        Err(ForgeError::NotFound) => return Ok(false),
        answer => answer?.json()?,
    };
    // A commit on top of the head has it as a parent too, but one only.
    Ok(found.parent_ids.len() > 1 && found.parent_ids.iter().any(|p| p == head.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_found_with_its_variants_and_no_others() {
        for job in ["sast", "sast: [a, b]", "sast 1/3", "sast 10/12"] {
            assert!(is_job(job, "sast"), "{job}");
        }
        for job in ["", "sas", "sast2", "sast-eslint", "sast a/b", "sast 1/", "sast: x", "my sast"]
        {
            assert!(!is_job(job, "sast"), "{job}");
        }
    }

    #[test]
    fn a_ref_tells_its_merge_request() {
        for (reference, number) in [
            ("refs/merge-requests/7/head", Some(7)),
            ("refs/merge-requests/7/merge", Some(7)),
            ("refs/merge-requests/7/train", Some(7)),
            ("refs/merge-requests/7/x", None),
            ("refs/merge-requests/x/head", None),
            ("main", None),
        ] {
            assert_eq!(merge_request_of(reference), number, "{reference}");
        }
    }
}
