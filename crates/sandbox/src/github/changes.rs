//! Pull requests, their threads and comments.

use super::world::RepoState;
use crate::diff::{Diff, Step};

pub(crate) struct ChangeState {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) author: String,
    pub(crate) branch: String,
    pub(crate) base: String,
    pub(crate) head: String,
    /// What GitHub would make by merging; a new one for each head.
    pub(crate) merge: String,
    /// Every head so far.
    pub(crate) heads: Vec<String>,
    pub(crate) open: bool,
    pub(crate) merged: bool,
    pub(crate) draft: bool,
    pub(crate) fork: Option<Fork>,
    pub(crate) threads: Vec<ThreadState>,
    pub(crate) comments: Vec<CommentState>,
    pub(crate) reviews: u64,
    pub(crate) created: String,
    pub(crate) updated: String,
}

pub(crate) struct Fork {
    pub(crate) owner: String,
    pub(crate) id: u64,
    pub(crate) deleted: bool,
}

pub(crate) struct ThreadState {
    pub(crate) node: String,
    pub(crate) path: String,
    /// `RIGHT` is the head, `LEFT` the base.
    pub(crate) side: String,
    /// The last line, as it was when the thread was opened; `None`: the file as a whole.
    pub(crate) line: Option<u64>,
    pub(crate) start_line: Option<u64>,
    /// The commit whose lines they are.
    pub(crate) commit: String,
    pub(crate) hunk: String,
    pub(crate) resolved_by: Option<String>,
    pub(crate) comments: Vec<CommentState>,
}

pub(crate) struct CommentState {
    pub(crate) id: u64,
    pub(crate) node: String,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created: String,
    pub(crate) updated: String,
    pub(crate) review: Option<u64>,
    pub(crate) reply_to: Option<u64>,
    pub(crate) minimized: Option<String>,
    /// Whether a test has looked at it since it was written.
    pub(crate) read: bool,
}

impl CommentState {
    pub(crate) fn new(id: u64, kind: &str, author: &str, body: &str, now: &str) -> Self {
        Self {
            id,
            node: format!("{kind}_{id}"),
            author: author.to_owned(),
            body: body.to_owned(),
            created: now.to_owned(),
            updated: now.to_owned(),
            review: None,
            reply_to: None,
            minimized: None,
            read: false,
        }
    }
}

/// Why a place takes no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadPlace {
    Path,
    Line,
    StartLine,
    Order,
}

/// The lines that a comment is to stand on.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a str,
    pub(crate) side: &'a str,
    pub(crate) line: u64,
    pub(crate) start: Option<u64>,
}

impl RepoState {
    /// The hunk text for a comment at `place`, as of `commit`.
    pub(crate) fn hunk(
        &self,
        change: &ChangeState,
        commit: &str,
        place: &Place<'_>,
    ) -> Result<String, BadPlace> {
        if place.start.is_some_and(|start| start >= place.line) {
            return Err(BadPlace::Order);
        }
        let files = self.commits.compare(&change.base, commit);
        let file = files.iter().find(|f| f.path == place.path).ok_or(BadPlace::Path)?;
        let (old, new) = file.texts().ok_or(BadPlace::Line)?;
        let diff = Diff::new(old, new);
        let number = |step: &Step| match (place.side, *step) {
            ("LEFT", Step::Keep { old, .. } | Step::Remove { old }) => Some(old as u64 + 1),
            ("RIGHT", Step::Keep { new, .. } | Step::Add { new }) => Some(new as u64 + 1),
            _ => None,
        };
        for hunk in diff.hunks() {
            let find = |line: u64| hunk.steps.iter().position(|s| number(s) == Some(line));
            let Some(last) = find(place.line) else { continue };
            if place.start.is_some_and(|start| find(start).is_none()) {
                return Err(BadPlace::StartLine);
            }
            let lines = hunk.steps[..=last].iter().map(|s| diff.line(*s));
            return Ok(std::iter::once(hunk.header.clone())
                .chain(lines)
                .collect::<Vec<_>>()
                .join("\n"));
        }
        Err(BadPlace::Line)
    }

    /// Where `line` of the thread's file stands at the current head; `None` once it is outdated.
    pub(crate) fn line_now(
        &self,
        change: &ChangeState,
        thread: &ThreadState,
        line: u64,
    ) -> Option<u64> {
        if thread.commit == change.head || thread.side == "LEFT" {
            return Some(line);
        }
        let moved = self.commits.moved(&thread.path, line, &thread.commit, &change.head)?;
        let place = Place { path: &thread.path, side: "RIGHT", line: moved, start: None };
        self.hunk(change, &change.head, &place).ok().map(|_| moved)
    }
}

impl ChangeState {
    pub(crate) fn comment_mut(&mut self, id: u64) -> Option<&mut CommentState> {
        self.threads.iter_mut().flat_map(|t| &mut t.comments).find(|c| c.id == id)
    }

    pub(crate) fn thread_of(&self, comment: u64) -> Option<usize> {
        self.threads.iter().position(|t| t.comments.iter().any(|c| c.id == comment))
    }
}
