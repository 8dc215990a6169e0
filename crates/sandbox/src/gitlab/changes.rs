//! Merge requests, their discussions and notes, and the lines that these stand on.

use serde_json::{Value, json};

use super::world::ProjectState;
use crate::{
    diff::{Diff, Step},
    tree::{FileChange, sha1},
};

pub(crate) struct MergeRequestState {
    pub(crate) id: u64,
    pub(crate) iid: u64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) author: u64,
    pub(crate) branch: String,
    pub(crate) base: String,
    pub(crate) head: String,
    /// The oldest first; one a push.
    pub(crate) versions: Vec<Version>,
    /// How many more times it is read before GitLab has prepared it.
    pub(crate) unprepared: u32,
    pub(crate) open: bool,
    pub(crate) merged: bool,
    pub(crate) draft: bool,
    pub(crate) fork: Option<Fork>,
    pub(crate) collapsed: Vec<String>,
    pub(crate) too_large: Vec<String>,
    pub(crate) discussions: Vec<DiscussionState>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) created: String,
    pub(crate) updated: String,
}

pub(crate) struct Fork {
    pub(crate) id: u64,
    pub(crate) path: String,
    pub(crate) deleted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: u64,
    pub(crate) base: String,
    pub(crate) head: String,
    pub(crate) created: String,
}

pub(crate) struct DiscussionState {
    pub(crate) id: String,
    pub(crate) position: Option<Position>,
    /// A note that nobody has answered, and that cannot be resolved.
    pub(crate) individual: bool,
    pub(crate) resolved: Option<Resolved>,
    pub(crate) notes: Vec<NoteState>,
}

#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) by: u64,
    pub(crate) at: String,
}

pub(crate) struct NoteState {
    pub(crate) id: u64,
    pub(crate) author: u64,
    pub(crate) body: String,
    pub(crate) created: String,
    pub(crate) updated: String,
    /// GitLab itself wrote it: "added 1 commit".
    pub(crate) system: bool,
    pub(crate) internal: bool,
    /// Whether a test has looked at it since it was written.
    pub(crate) read: bool,
}

/// What is not yet published; only its author sees it.
pub(crate) struct Draft {
    pub(crate) id: u64,
    pub(crate) author: u64,
    pub(crate) note: String,
    pub(crate) position: Option<Position>,
    pub(crate) discussion: Option<String>,
    pub(crate) resolve: bool,
}

impl NoteState {
    pub(crate) fn new(id: u64, author: u64, body: &str, now: &str) -> Self {
        Self {
            id,
            author,
            body: body.to_owned(),
            created: now.to_owned(),
            updated: now.to_owned(),
            system: false,
            internal: false,
            read: false,
        }
    }
}

impl DiscussionState {
    pub(crate) fn new(note: NoteState, position: Option<Position>, individual: bool) -> Self {
        let id = sha1(format!("discussion {}", note.id).as_bytes());
        Self { id, position, individual, resolved: None, notes: vec![note] }
    }

    pub(crate) fn is_system(&self) -> bool {
        self.notes.iter().all(|n| n.system)
    }
}

/// Where a note stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// `text` or `file`.
    pub(crate) kind: String,
    pub(crate) base: String,
    pub(crate) start: String,
    pub(crate) head: String,
    pub(crate) old_path: String,
    pub(crate) new_path: String,
    pub(crate) old_line: Option<u64>,
    pub(crate) new_line: Option<u64>,
    /// First and last line; the last is the position's own.
    pub(crate) range: Option<(End, End)>,
}

/// An end of a range of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) line_code: String,
    pub(crate) kind: Option<String>,
    pub(crate) old_line: Option<u64>,
    pub(crate) new_line: Option<u64>,
}

impl End {
    /// The line, counted on its own side.
    pub(crate) fn line(&self) -> Option<u64> {
        match self.kind.as_deref() {
            Some("old") => self.old_line.or(self.new_line),
            _ => self.new_line.or(self.old_line),
        }
    }

    fn json(&self) -> Value {
        json!({
            "line_code": self.line_code,
            "type": self.kind,
            "old_line": self.old_line,
            "new_line": self.new_line,
        })
    }
}

impl Position {
    pub(crate) fn is_on_base(&self) -> bool {
        self.new_line.is_none() && self.old_line.is_some()
    }

    pub(crate) fn line(&self) -> Option<u64> {
        self.new_line.or(self.old_line)
    }

    pub(crate) fn start_line(&self) -> Option<u64> {
        let (start, end) = self.range.as_ref()?;
        start.line().filter(|_| start != end)
    }

    pub(crate) fn json(&self) -> Value {
        let range = self
            .range
            .as_ref()
            .map(|(start, end)| json!({ "start": start.json(), "end": end.json() }));
        json!({
            "base_sha": self.base,
            "start_sha": self.start,
            "head_sha": self.head,
            "old_path": self.old_path,
            "new_path": self.new_path,
            "position_type": self.kind,
            "old_line": self.old_line,
            "new_line": self.new_line,
            "line_range": range,
        })
    }
}

/// One line of a diff as GitLab numbers it.
struct DiffLine {
    old: Option<u64>,
    new: Option<u64>,
    /// Where the counters of both sides stand: what its code is made of.
    counters: (u64, u64),
}

fn lines(file: &FileChange) -> Vec<DiffLine> {
    let Some((old, new)) = file.texts() else { return Vec::new() };
    let (mut old_next, mut new_next) = (1, 1);
    let mut out = Vec::new();
    for step in Diff::new(old, new).steps() {
        let counters = (old_next, new_next);
        let (old, new) = match step {
            Step::Keep { .. } => (true, true),
            Step::Remove { .. } => (true, false),
            Step::Add { .. } => (false, true),
        };
        out.push(DiffLine { old: old.then_some(old_next), new: new.then_some(new_next), counters });
        old_next += u64::from(old);
        new_next += u64::from(new);
    }
    out
}

impl ProjectState {
    /// The file of a merge request that a position names, between two commits.
    fn file_at(&self, base: &str, head: &str, position: &Position) -> Option<FileChange> {
        let is_it = |f: &FileChange| match (f.new.is_some(), f.old.is_some()) {
            (false, _) => f.path == position.old_path,
            (true, _) => f.path == position.new_path,
        };
        self.commits.compare(base, head).into_iter().find(is_it)
    }

    /// GitLab's code for the line of a position; `None` where the diff has no such line. An unchanged
    /// line needs both its numbers, wherever in the file it stands; a changed one has but one.
    pub(crate) fn line_code(
        &self,
        change: &MergeRequestState,
        position: &Position,
    ) -> Option<String> {
        let known = |v: &&Version| v.head == position.head && v.base == position.base;
        let version = change.versions.iter().find(known)?;
        let file = self.file_at(&version.base, &version.head, position)?;
        let (old, new) = (position.old_line, position.new_line);
        code(&file, old, new)
    }

    /// The code of one line of one file of a merge request.
    pub(crate) fn code_of(&self, position: &Position, end: &End) -> Option<String> {
        let file = self.file_at(&position.base, &position.head, position)?;
        code(&file, end.old_line, end.new_line)
    }

    /// Where a position stands at the current head; `None` once its lines are gone.
    pub(crate) fn traced(
        &self,
        change: &MergeRequestState,
        position: &Position,
    ) -> Option<Position> {
        if position.head == change.head && position.base == change.base {
            return Some(position.clone());
        }
        let file = self.file_at(&change.base, &change.head, position)?;
        let lines = lines(&file);
        let follow = |old: Option<u64>, new: Option<u64>| -> Option<(Option<u64>, Option<u64>)> {
            let found = match (old, new) {
                (old, None) => lines.iter().find(|l| l.old == old && l.new.is_none())?,
                (_, Some(new)) => {
                    let path = &position.new_path;
                    let new = self.commits.moved(path, new, &position.head, &change.head)?;
                    lines.iter().find(|l| l.new == Some(new))?
                }
            };
            Some((found.old, found.new))
        };
        let mut out = position.clone();
        (out.base, out.start) = (change.base.clone(), change.base.clone());
        out.head.clone_from(&change.head);
        if position.kind == "file" {
            return Some(out);
        }
        (out.old_line, out.new_line) = follow(position.old_line, position.new_line)?;
        let end = |end: &End| -> Option<End> {
            let (old_line, new_line) = follow(end.old_line, end.new_line)?;
            let line_code = code(&file, old_line, new_line)?;
            Some(End { line_code, kind: end.kind.clone(), old_line, new_line })
        };
        out.range = out.range.as_ref().and_then(|(s, e)| Some((end(s)?, end(e)?)));
        Some(out)
    }
}

fn code(file: &FileChange, old: Option<u64>, new: Option<u64>) -> Option<String> {
    let line = lines(file).into_iter().find(|l| l.old == old && l.new == new)?;
    let (old, new) = line.counters;
    Some(format!("{}_{old}_{new}", sha1(file.path.as_bytes())))
}

impl MergeRequestState {
    /// The number of the project that it comes from; none once that is gone.
    pub(crate) fn source_project(&self, own: u64) -> Option<u64> {
        match &self.fork {
            None => Some(own),
            Some(fork) => (!fork.deleted).then_some(fork.id),
        }
    }

    pub(crate) fn state(&self) -> &'static str {
        match self {
            c if c.merged => "merged",
            c if !c.open => "closed",
            _ => "opened",
        }
    }

    pub(crate) fn discussion_mut(&mut self, id: &str) -> Option<&mut DiscussionState> {
        self.discussions.iter_mut().find(|d| d.id == id)
    }

    pub(crate) fn discussion_of(&self, note: u64) -> Option<usize> {
        self.discussions.iter().position(|d| d.notes.iter().any(|n| n.id == note))
    }

    pub(crate) fn note_mut(&mut self, id: u64) -> Option<&mut NoteState> {
        self.discussions.iter_mut().flat_map(|d| &mut d.notes).find(|n| n.id == id)
    }

    /// Takes a note away; a discussion without any is gone too.
    pub(crate) fn remove_note(&mut self, id: u64) -> bool {
        let Some(at) = self.discussion_of(id) else { return false };
        self.discussions[at].notes.retain(|n| n.id != id);
        if self.discussions[at].notes.is_empty() {
            self.discussions.remove(at);
        }
        true
    }
}
