//! What we ask of a forge: one repository at a time, file by file.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Change, ChangedLines, Check, Comment, CommentId, CommitSha, ForgeKind, NewThread, Posted,
    RepoId, RepoName, RepoPath, ReportId, SourceBytes, Thread,
};

/// A forge that knows us as an App or an integration.
#[async_trait]
pub trait Forge: Send + Sync {
    /// Which protocol it speaks.
    fn kind(&self) -> ForgeKind;

    /// Finds a repository by its name, if we are installed on it.
    async fn locate(&self, name: &RepoName) -> Result<RepoId, ForgeError>;

    /// Opens one repository: two credentials, each for this repository alone, each with the least
    /// permissions that its handle needs. A credential may be made only when it is first used.
    async fn open(&self, repo: &RepoId) -> Result<Access, ForgeError>;
}

/// Handles to one repository. The credential behind `source` cannot write; the one behind
/// `discussion` cannot read contents.
pub struct Access {
    /// Reads.
    pub source: Arc<dyn Source>,
    /// Writes what reviewers see.
    pub discussion: Arc<dyn Discussion>,
    /// Ends both.
    pub grant: Arc<dyn Grant>,
}

/// The credentials behind an [`Access`].
#[async_trait]
pub trait Grant: Send + Sync {
    /// Destroys them, where the forge can. To be called when the job is done, however it ended.
    async fn revoke(&self) -> Result<(), ForgeError>;
}

/// Reads one repository.
#[async_trait]
pub trait Source: Send + Sync {
    /// The change with this number.
    async fn change(&self, number: u64) -> Result<Change, ForgeError>;

    /// The numbers of the open changes whose head is `head`.
    async fn changes_at(&self, head: &CommitSha) -> Result<Vec<u64>, ForgeError>;

    /// The reports that the forge itself holds for the head of `change`; none is no error.
    async fn reports(&self, change: &Change) -> Result<Vec<RawReport>, ForgeError>;

    /// The lines that `change` touches.
    async fn changed_lines(&self, change: &Change) -> Result<ChangedLines, ForgeError>;

    /// One file at one commit. [`ForgeError::NotFound`] where there is no file of that name (a
    /// folder, a submodule and a link that leads nowhere are no files);
    /// [`ForgeError::Truncated`] where it is larger than the forge or we allow.
    async fn file(&self, path: &RepoPath, at: &CommitSha) -> Result<SourceBytes, ForgeError>;

    /// The names of the files directly in one folder (empty: the root) at one commit, not of what is
    /// in its folders. To be asked for only where the policy allows it. [`ForgeError::NotFound`]
    /// where there is no such folder; a forge may stop at some number of names (GitHub: 1,000).
    async fn names(&self, folder: &str, at: &CommitSha) -> Result<Vec<String>, ForgeError>;
}

/// A scanner's file, unread.
#[derive(Debug, Clone)]
pub struct RawReport {
    /// Names it within the repository.
    pub id: ReportId,
    /// Its bytes; none where it is missed.
    pub bytes: SourceBytes,
    /// Whether its scan is still running: there is one to wait for, and nothing to read yet.
    pub to_come: bool,
}

/// Writes what reviewers of a change see. Every method may be called again after a crash: callers
/// look for what they wrote before (by marker) and edit that.
#[async_trait]
pub trait Discussion: Send + Sync {
    /// Our threads on `change`: those that we started and that carry a finding's marker.
    async fn threads(&self, change: &Change) -> Result<Vec<Thread>, ForgeError>;

    /// Opens threads, so that people are notified once. The answer has one entry for each of
    /// `threads`, in order; a place that the forge does not take is no error.
    async fn post(&self, change: &Change, threads: &[NewThread])
    -> Result<Vec<Posted>, ForgeError>;

    /// Replaces the text of an inline comment of ours.
    async fn edit(&self, comment: &CommentId, body: &str) -> Result<(), ForgeError>;

    /// Marks a thread of ours as resolved.
    async fn resolve(&self, thread: &Thread) -> Result<(), ForgeError>;

    /// Undoes [`Discussion::resolve`]; a thread that is open stays so.
    async fn reopen(&self, thread: &Thread) -> Result<(), ForgeError>;

    /// Our summary of `change`, if there is one.
    async fn summary(&self, change: &Change) -> Result<Option<Comment>, ForgeError>;

    /// Writes the summary: a new one, or over `existing`.
    async fn put_summary(
        &self,
        change: &Change,
        existing: Option<&CommentId>,
        body: &str,
    ) -> Result<(), ForgeError>;

    /// Whether the check of a head has room for more than its title. Where it has none, what keeps it
    /// from green belongs in the summary too.
    fn check_has_room(&self) -> bool {
        true
    }

    /// Sets the one check of a head; an earlier one of ours on the same head is updated. Several changes
    /// may propose one head: where the forge can tell them apart, each has a check of its own.
    async fn check(&self, change: &Change, check: &Check) -> Result<(), ForgeError>;
}

/// Why a forge did not do it. Holds what a caller branches on, and no source.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ForgeError {
    /// It does not exist, or we may not know that it does.
    #[error("not found")]
    NotFound,
    /// We may not; `needs` says what would allow it ("contents: read").
    #[error("denied: needs {needs}")]
    Denied {
        /// The permission that is missing.
        needs: String,
    },
    /// Too many requests.
    #[error("rate limited until {until}")]
    RateLimited {
        /// When to come back.
        until: DateTime<Utc>,
    },
    /// It was understood and turned down; trying again changes nothing.
    #[error("refused: {why}")]
    Refused {
        /// The forge's words, at most 500 characters.
        why: String,
    },
    /// It is larger than `limit` bytes.
    #[error("larger than {limit} bytes")]
    Truncated {
        /// The bound that it breaks.
        limit: u64,
    },
    /// The forge did not answer, or answered that it cannot now; trying again may help.
    #[error("unavailable: {why}")]
    Unavailable {
        /// What happened ("timed out", "502").
        why: String,
    },
    /// Anything else; trying again is not expected to help.
    #[error("{0}")]
    Other(String),
}
