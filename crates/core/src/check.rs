//! The check run or commit status of one head.

use crate::{CommitSha, LineRange, RepoPath};

/// What the check of a head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The commit that it is about.
    pub head: CommitSha,
    /// The outcome.
    pub conclusion: Conclusion,
    /// One line, plain text.
    pub title: String,
    /// Markdown, already escaped.
    pub summary: String,
    /// Notes on lines; any number, the adapter sends them in portions.
    pub annotations: Vec<Annotation>,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Every finding was triaged and none stands.
    Success,
    /// At least one finding is real.
    Failure,
    /// Something could not be triaged, or waits for a human.
    Neutral,
}

/// A note on lines of a file, plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: RepoPath,
    /// The lines.
    pub lines: LineRange,
    /// How it is shown.
    pub level: AnnotationLevel,
    /// A title of at most 255 characters.
    pub title: String,
    /// The note.
    pub message: String,
}

/// How an annotation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationLevel {
    /// For information.
    Notice,
    /// Something to look at.
    Warning,
    /// Something to mend.
    Failure,
}
