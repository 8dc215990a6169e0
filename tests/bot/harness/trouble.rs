//! What the bot asks of a forge, step by step, and what may go wrong with it.

use std::ops::Deref;

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Faults as GitHubFaults, GitLabFaults, Plans, Trouble};

/// One thing that the bot asks of a forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    ReadChange,
    ReadLines,
    ReadFile,
    ListReports,
    ReadReport,
    ReadThreads,
    /// Posts one thread. (GitHub takes several in the same way.)
    PostThread,
    /// Posts several, as one.
    PostThreads,
    PostSummary,
    SetCheck,
}

impl Step {
    /// Its method and route.
    pub(crate) fn on(self, forge: ForgeKind) -> (&'static str, &'static str) {
        match (forge, self) {
            (ForgeKind::GitHub, Self::ReadChange) => {
                ("GET", "/repos/{owner}/{repo}/pulls/{number}")
            }
            (ForgeKind::GitHub, Self::ReadLines) => {
                ("GET", "/repos/{owner}/{repo}/pulls/{number}/files")
            }
            (ForgeKind::GitHub, Self::ReadFile) => ("GET", "/repos/{owner}/{repo}/contents/{path}"),
            (ForgeKind::GitHub, Self::ListReports) => {
                ("GET", "/repos/{owner}/{repo}/code-scanning/analyses")
            }
            (ForgeKind::GitHub, Self::ReadReport) => {
                ("GET", "/repos/{owner}/{repo}/code-scanning/analyses/{analysis}")
            }
            (ForgeKind::GitHub, Self::ReadThreads) => ("POST", "/graphql"),
            (ForgeKind::GitHub, Self::PostThread | Self::PostThreads) => {
                ("POST", "/repos/{owner}/{repo}/pulls/{number}/reviews")
            }
            (ForgeKind::GitHub, Self::PostSummary) => {
                ("POST", "/repos/{owner}/{repo}/issues/{number}/comments")
            }
            (ForgeKind::GitHub, Self::SetCheck) => ("POST", "/repos/{owner}/{repo}/check-runs"),
            (ForgeKind::GitLab, Self::ReadChange) => ("GET", "/projects/{id}/merge_requests/{iid}"),
            (ForgeKind::GitLab, Self::ReadLines) => {
                ("GET", "/projects/{id}/merge_requests/{iid}/diffs")
            }
            (ForgeKind::GitLab, Self::ReadFile) => {
                ("GET", "/projects/{id}/repository/files/{file}/raw")
            }
            (ForgeKind::GitLab, Self::ListReports) => {
                ("GET", "/projects/{id}/merge_requests/{iid}/pipelines")
            }
            (ForgeKind::GitLab, Self::ReadReport) => {
                ("GET", "/projects/{id}/jobs/{job}/artifacts/{path}")
            }
            (ForgeKind::GitLab, Self::ReadThreads) => {
                ("GET", "/projects/{id}/merge_requests/{iid}/discussions")
            }
            (ForgeKind::GitLab, Self::PostThread) => {
                ("POST", "/projects/{id}/merge_requests/{iid}/discussions")
            }
            (ForgeKind::GitLab, Self::PostThreads) => {
                ("POST", "/projects/{id}/merge_requests/{iid}/draft_notes/bulk_publish")
            }
            (ForgeKind::GitLab, Self::PostSummary) => {
                ("POST", "/projects/{id}/merge_requests/{iid}/notes")
            }
            (ForgeKind::GitLab, Self::SetCheck) => ("POST", "/projects/{id}/statuses/{sha}"),
        }
    }
}

/// Trouble as the forge words it.
pub(crate) enum Faults {
    GitHub(GitHubFaults),
    GitLab(GitLabFaults),
}

impl Deref for Faults {
    type Target = Plans;

    fn deref(&self) -> &Plans {
        match self {
            Self::GitHub(faults) => faults,
            Self::GitLab(faults) => faults,
        }
    }
}

impl Faults {
    fn kind(&self) -> ForgeKind {
        match self {
            Self::GitHub(_) => ForgeKind::GitHub,
            Self::GitLab(_) => ForgeKind::GitLab,
        }
    }

    /// The next request of this step has this trouble.
    pub(crate) fn at(&self, step: Step, trouble: Trouble) {
        let (method, route) = step.on(self.kind());
        self.next(method, route, trouble);
    }

    /// It is answered so, and not done.
    pub(crate) fn answers(&self, step: Step, status: u16, message: &str) {
        let (method, route) = step.on(self.kind());
        match self {
            Self::GitHub(faults) => drop(faults.answer(method, route, status, message)),
            Self::GitLab(faults) => drop(faults.answer(method, route, status, message)),
        }
    }

    /// It meets the limit of requests, for so many seconds.
    pub(crate) fn limits(&self, step: Step, seconds: u32) {
        let (method, route) = step.on(self.kind());
        match self {
            Self::GitHub(faults) => {
                faults.secondary_limit(method, route, Some(seconds.into()));
            }
            Self::GitLab(faults) => drop(faults.rate_limited(method, route, seconds.into())),
        }
    }

    /// Something else happens just before it is done.
    pub(crate) fn just_before(&self, step: Step, what: impl FnOnce() + Send + 'static) {
        self.at(step, Trouble::Meanwhile(Box::new(what)));
    }
}
