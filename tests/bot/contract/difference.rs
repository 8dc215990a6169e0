//! Where two forges differ behind the same ports.

use chaffinch_core::ForgeKind::{self, GitHub, GitLab};

/// What some forge has, and another has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Credentials are made for one job, and destroyed after it.
    MakesTokens,
    /// A thread is resolved, and not only hidden.
    ResolvesThreads,
    /// A check has a text and notes on lines, besides its title.
    ChecksHaveRoom,
    /// A check that is neither good nor bad is called so.
    ChecksAreNeutral,
    /// Changes that propose one head have a check each.
    ChecksAreOfChanges,
    /// A link to a file reads as that file.
    FollowsLinks,
    /// A head whose files are gone is told from a file that is not there.
    KeepsReports,
}

/// Which, who has it, and why the others have not.
pub(crate) const DIFFERENCES: [(Difference, ForgeKind, &str); 7] = [
    (
        Difference::MakesTokens,
        GitHub,
        "GitLab makes no token for one job: the operator's two, of one project, are used for all",
    ),
    (
        Difference::ResolvesThreads,
        GitLab,
        "GitHub asks for write access to contents, which we never have: a thread is hidden there",
    ),
    (
        Difference::ChecksHaveRoom,
        GitHub,
        "a commit status is one sentence: what is behind it stands in the summary",
    ),
    (
        Difference::ChecksAreNeutral,
        GitHub,
        "GitLab knows no such state that ends a pipeline: `canceled` is neither green nor red",
    ),
    (
        Difference::ChecksAreOfChanges,
        GitLab,
        "GitHub has one check run of a name for a commit, and shows it on every pull request of that",
    ),
    (
        Difference::FollowsLinks,
        GitHub,
        "GitLab gives what is stored, which is the path that the link leads to",
    ),
    (
        Difference::KeepsReports,
        GitHub,
        "code scanning is a place of its own; on GitLab a report is a file of a job in a pipeline",
    ),
];

impl Difference {
    pub(crate) fn holds_on(self, forge: ForgeKind) -> bool {
        DIFFERENCES.iter().any(|(difference, has, _)| *difference == self && *has == forge)
    }
}
