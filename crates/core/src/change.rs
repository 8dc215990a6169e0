//! A change (pull request or merge request) and the lines that it touches.

use serde::{Deserialize, Serialize};

use crate::{ChangeId, CommitSha, Hunk, LineKind, RepoPath};

/// What we know of a change: only what triage needs. No title, description, author or branch, so
/// that none of them can reach a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which change.
    pub id: ChangeId,
    /// The target commit.
    pub base: CommitSha,
    /// The proposed commit. Every read is pinned to it.
    pub head: CommitSha,
    /// Whether it can still be merged: neither closed nor merged.
    pub open: bool,
    /// Whether its author calls it unfinished.
    pub draft: bool,
    /// Whether the head lives in another repository (or in one that is gone).
    pub fork: bool,
}

/// Lines `start..=end`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineRange {
    /// The first line.
    pub start: u32,
    /// The last line, at least `start`.
    pub end: u32,
}

impl LineRange {
    /// A range; the two ends are put in order, and 0 counts as 1.
    pub fn new(a: u32, b: u32) -> Self {
        let (start, end) = (a.min(b).max(1), a.max(b).max(1));
        Self { start, end }
    }

    /// Whether `line` is inside.
    pub fn contains(self, line: u32) -> bool {
        (self.start..=self.end).contains(&line)
    }

    /// Whether the two have a line in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

/// What the forge says of the lines of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedLines {
    /// One entry a file, in the forge's order.
    pub files: Vec<ChangedFile>,
    /// False if the forge stopped listing (GitHub: after 3,000 files).
    pub complete: bool,
}

/// One file of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path at the head (at the base, if it was removed).
    pub path: RepoPath,
    /// Its path at the base, if it was renamed.
    pub previous: Option<RepoPath>,
    /// What happened to it.
    pub status: FileStatus,
    /// Its hunks; `None` if the forge withholds them (binary, or too large).
    pub hunks: Option<Vec<Hunk>>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStatus {
    /// It is new.
    Added,
    /// Its content differs.
    Modified,
    /// It is gone.
    Removed,
    /// It has another path, and perhaps other content.
    Renamed,
    /// Anything else that a forge may say (copied, mode changed, unchanged).
    Other,
}

impl ChangedLines {
    /// The entry for `path` at the head.
    pub fn file(&self, path: &RepoPath) -> Option<&ChangedFile> {
        self.files.iter().find(|f| &f.path == path && f.status != FileStatus::Removed)
    }
}

impl ChangedFile {
    /// Whether any line of `range` (at the head) was added or altered. Unknown hunks count as
    /// touched: it is not known that they were not.
    pub fn touches(&self, range: LineRange) -> bool {
        match &self.hunks {
            None => true,
            Some(hunks) => hunks.iter().flat_map(|h| &h.lines).any(|line| {
                line.kind == LineKind::Added && line.new.is_some_and(|n| range.contains(n))
            }),
        }
    }

    /// Whether the forge accepts a comment on `range` at the head: all of it inside one hunk.
    pub fn accepts_comment(&self, range: LineRange) -> bool {
        self.hunks.iter().flatten().any(|hunk| {
            hunk.new_lines()
                .is_some_and(|lines| lines.contains(range.start) && lines.contains(range.end))
        })
    }
}
