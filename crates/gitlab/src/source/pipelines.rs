//! The pipelines that ran on a head, or on a merge of it.

use chaffinch_core::{Change, CommitSha, ForgeError};
use serde::Deserialize;

use super::READ;
use crate::{
    handle::{Handle, Listed},
    json::nullable,
};

/// Of a hundred pipelines each.
const MOST_PAGES: usize = 10;
/// Of twenty pipelines of a merge request each, those of its older heads among them.
const MOST_SHORT_PAGES: usize = 50;
/// Pipelines of one head that are looked at.
const MOST_PIPELINES: usize = 100;
/// Merges of one head whose child pipelines are asked for.
const MOST_COMMITS: usize = 20;
/// After so many merges of other heads, the newest first, all others are of older heads.
const MOST_OTHERS: usize = 20;

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
    /// Whether it is a child that was there before the newest pipeline of the head was: of an older one.
    #[serde(skip)]
    pub(crate) is_old_child: bool,
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
        rest.is_empty() || rest.starts_with(": [") || rest.strip_prefix(' ').is_some_and(is_part)
    })
}

/// The name of a job without what makes it a variant.
pub(super) fn plain_name(job: &str) -> &str {
    let name = job.split_once(": [").map_or(job, |(name, _)| name);
    name.rsplit_once(' ').filter(|(_, part)| is_part(part)).map_or(name, |(name, _)| name)
}

/// `1/3`
fn is_part(text: &str) -> bool {
    let is_number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    text.split_once('/').is_some_and(|(n, of)| is_number(n) && is_number(of))
}

/// What was found of a head's pipelines.
pub(super) struct Found {
    pub(super) pipelines: Vec<Pipeline>,
    /// Why there may be more of them.
    pub(super) gaps: Gaps,
}

/// Why not all was looked at, each a word or two.
#[derive(Default)]
pub(super) struct Gaps(pub(super) Vec<&'static str>);

impl Gaps {
    pub(super) fn note(&mut self, is_there: bool, why: &'static str) {
        if is_there && !self.0.contains(&why) {
            self.0.push(why);
        }
    }

    /// What GitLab withholds in the midst of what it shows is a gap. A failure is one.
    pub(super) fn unless_withheld<T>(
        &mut self,
        read: Result<T, ForgeError>,
        why: &'static str,
    ) -> Result<Option<T>, ForgeError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(ForgeError::NotFound | ForgeError::Denied { .. } | ForgeError::Refused { .. }) => {
                self.note(true, why);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Those of the head of `change`, newest first, and then their children.
pub(super) async fn of(handle: &Handle, change: &Change) -> Result<Found, ForgeError> {
    let number = change.id.number;
    let route = "/projects/{id}/merge_requests/{iid}/pipelines";
    let call = handle.get(route, &format!("/merge_requests/{number}/pipelines"), READ)?;
    let mut gaps = Gaps::default();
    let listed = match handle.list_as_told(call, MOST_SHORT_PAGES).await {
        // A project whose reports come from elsewhere may have no pipelines at all.
        Err(ForgeError::Denied { .. }) if !has_pipelines(handle).await? => {
            return Ok(Found { pipelines: Vec::new(), gaps });
        }
        listed => gaps.unless_withheld(listed, "pipelines-are-withheld")?,
    };
    let Some(listed) = listed else { return Ok(Found { pipelines: Vec::new(), gaps }) };
    let all = newest_first(listed, &mut gaps);

    let mut pipelines = Vec::new();
    let mut commits = vec![change.head.as_str().to_owned()];
    let mut others: Vec<String> = Vec::new();
    for pipeline in all.into_iter().filter(|pipeline| pipeline.is_here(handle)) {
        if !commits.contains(&pipeline.sha) {
            let of_merge = pipeline.is_of_merge(number) && !others.contains(&pipeline.sha);
            if !of_merge || others.len() == MOST_OTHERS {
                continue;
            }
            let merges = merges(handle, &pipeline.sha, &change.head).await;
            if gaps.unless_withheld(merges, "a-merge-is-withheld")? != Some(true) {
                others.push(pipeline.sha);
                continue;
            }
            others.clear();
            commits.push(pipeline.sha.clone());
        }
        pipelines.push(pipeline);
    }
    gaps.note(commits.len() > MOST_COMMITS, "more-than-20-merges");
    for commit in commits.iter().take(MOST_COMMITS) {
        let children = children(handle, commit, &mut gaps).await;
        let found = gaps.unless_withheld(children, "child-pipelines-are-withheld")?;
        let newest = pipelines.iter().filter(|p| !p.is_child).map(|p| p.id).max();
        pipelines.extend(found.unwrap_or_default().into_iter().map(|mut child| {
            child.is_old_child = newest.is_some_and(|newest| child.id < newest);
            child
        }));
    }
    gaps.note(pipelines.len() > MOST_PIPELINES, "more-than-100-pipelines");
    pipelines.truncate(MOST_PIPELINES);
    Ok(Found { pipelines, gaps })
}

/// Whether the project has CI/CD switched on; where GitLab does not say, it has.
async fn has_pipelines(handle: &Handle) -> Result<bool, ForgeError> {
    #[derive(Deserialize)]
    struct Project {
        #[serde(default, deserialize_with = "nullable")]
        builds_access_level: String,
    }
    let call = handle.get("/projects/{id}", "", READ)?;
    let project: Project = handle.send(&call).await?.json()?;
    Ok(project.builds_access_level != "disabled")
}

/// GitLab lists no child pipelines with the others.
async fn children(
    handle: &Handle,
    commit: &str,
    gaps: &mut Gaps,
) -> Result<Vec<Pipeline>, ForgeError> {
    let route = "/projects/{id}/pipelines";
    let path = format!("/pipelines?sha={commit}&source=parent_pipeline");
    let listed = handle.list(handle.get(route, &path, READ)?, MOST_PAGES).await?;
    let mut children = newest_first(listed, gaps);
    children.retain(|p| p.sha == commit);
    children.iter_mut().for_each(|child| child.is_child = true);
    Ok(children)
}

/// One that begins while pages are read moves others to the next page, where they are listed again.
fn newest_first(listed: Listed<Pipeline>, gaps: &mut Gaps) -> Vec<Pipeline> {
    gaps.note(!listed.complete, "the-list-of-pipelines-is-cut");
    let mut all = listed.items;
    all.sort_by_key(|pipeline| std::cmp::Reverse(pipeline.id));
    all.dedup_by_key(|pipeline| pipeline.id);
    all
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
        for job in ["a-sast", "a-sast: [a, b]", "a-sast 1/3"] {
            assert_eq!(plain_name(job), "a-sast");
        }
        assert_eq!(plain_name("my sast"), "my sast");
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
