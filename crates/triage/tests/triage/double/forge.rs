use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use chaffinch_core::{
    Change, ChangeId, ChangedFile, ChangedLines, Check, Comment, CommentId, CommitSha, Discussion,
    FileStatus, ForgeError, Grant, Marker, MarkerKind, NewThread, Posted, RawReport, RepoPath,
    Source, SourceBytes, Thread, ThreadId, parse_patch,
};

use super::sha;

/// A forge with one repository and one change. It keeps what is written, and refuses a comment
/// outside a hunk as a forge does.
pub(crate) struct FakeForge {
    state: Mutex<State>,
}

struct State {
    change: Change,
    reports: Vec<RawReport>,
    changed: ChangedLines,
    files: BTreeMap<RepoPath, Result<Vec<u8>, ForgeError>>,
    fetched: Vec<String>,
    listed: Vec<String>,
    threads: Vec<Thread>,
    summary: Option<Comment>,
    checks: BTreeMap<CommitSha, Check>,
    writes: Vec<String>,
    refuses: bool,
    fails: BTreeMap<&'static str, ForgeError>,
    moves_on_post: bool,
}

impl FakeForge {
    pub(crate) fn new(id: ChangeId) -> Self {
        let change =
            Change { id, base: sha('b'), head: sha('a'), open: true, draft: false, fork: false };
        let changed = ChangedLines { files: Vec::new(), complete: true };
        Self {
            state: Mutex::new(State {
                change,
                reports: Vec::new(),
                changed,
                files: BTreeMap::new(),
                fetched: Vec::new(),
                listed: Vec::new(),
                threads: Vec::new(),
                summary: None,
                checks: BTreeMap::new(),
                writes: Vec::new(),
                refuses: false,
                fails: BTreeMap::new(),
                moves_on_post: false,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn head(&self) -> CommitSha {
        self.state().change.head.clone()
    }

    pub(crate) fn set(&self, edit: impl FnOnce(&mut Change)) {
        edit(&mut self.state().change);
    }

    /// New commits: the reports of the old head are no longer there.
    pub(crate) fn push(&self, head: CommitSha) {
        let mut state = self.state();
        state.change.head = head;
        state.reports.clear();
    }

    /// The file at the head, all of whose lines the change adds.
    pub(crate) fn adds(&self, path: &str, text: &str) {
        let lines: Vec<String> = text.lines().map(|line| format!("+{line}")).collect();
        self.file(path, text);
        self.diff(path, &format!("@@ -0,0 +1,{} @@\n{}", lines.len(), lines.join("\n")));
    }

    /// The file at the head.
    pub(crate) fn file(&self, path: &str, text: &str) {
        self.state().files.insert(path.parse().unwrap(), Ok(text.as_bytes().to_vec()));
    }

    pub(crate) fn no_file(&self, path: &str, error: ForgeError) {
        self.state().files.insert(path.parse().unwrap(), Err(error));
    }

    /// What the change does to the file.
    pub(crate) fn diff(&self, path: &str, patch: &str) {
        self.hunks(path, Some(parse_patch(patch).unwrap()));
    }

    pub(crate) fn hunks(&self, path: &str, hunks: Option<Vec<chaffinch_core::Hunk>>) {
        let path: RepoPath = path.parse().unwrap();
        let mut state = self.state();
        state.changed.files.retain(|file| file.path != path);
        let status = FileStatus::Modified;
        state.changed.files.push(ChangedFile { path, previous: None, status, hunks });
    }

    pub(crate) fn unlisted_rest(&self) {
        self.state().changed.complete = false;
    }

    pub(crate) fn report(&self, bytes: Vec<u8>) {
        let mut state = self.state();
        let id = format!("r-{}", state.reports.len()).parse().unwrap();
        state.reports.push(RawReport { id, bytes: SourceBytes::new(bytes), to_come: false });
    }

    pub(crate) fn clear_reports(&self) {
        self.state().reports.clear();
    }

    pub(crate) fn only_report(&self, bytes: Vec<u8>) {
        self.state().reports.clear();
        self.report(bytes);
    }

    /// From now on, `method` fails; `None` heals it.
    pub(crate) fn fails(&self, method: &'static str, error: Option<ForgeError>) {
        match error {
            Some(error) => self.state().fails.insert(method, error),
            None => self.state().fails.remove(method),
        };
    }

    pub(crate) fn refuses_comments(&self) {
        self.state().refuses = true;
    }

    /// While files are read, somebody pushes.
    pub(crate) fn moves_while_read(&self) {
        self.state().moves_on_post = true;
    }

    pub(crate) fn somebody_replies(&self) {
        self.state().threads.iter_mut().for_each(|thread| thread.has_replies = true);
    }

    pub(crate) fn somebody_resolves(&self) {
        self.state().threads.iter_mut().for_each(|thread| thread.resolved = true);
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.state().threads.iter().map(|thread| thread.first.body.clone()).collect()
    }

    /// Each thread as `path:line`, with `resolved` behind it.
    pub(crate) fn threads_at(&self) -> Vec<String> {
        let show = |thread: &Thread| {
            let at = thread.at.as_ref().unwrap();
            let resolved = if thread.resolved { " resolved" } else { "" };
            format!("{}:{}{resolved}", at.path, at.lines.start)
        };
        self.state().threads.iter().map(show).collect()
    }

    pub(crate) fn summary_text(&self) -> Option<String> {
        self.state().summary.as_ref().map(|comment| comment.body.clone())
    }

    /// The check of the head of now.
    pub(crate) fn head_check(&self) -> Option<Check> {
        let state = self.state();
        state.checks.get(&state.change.head).cloned()
    }

    /// The check's conclusion and title.
    pub(crate) fn check_line(&self) -> String {
        let check = self.head_check().unwrap();
        format!("{:?}: {}", check.conclusion, check.title)
    }

    /// What was written since this was last asked.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().writes)
    }

    pub(crate) fn listed(&self) -> Vec<String> {
        self.state().listed.clone()
    }

    pub(crate) fn fetched(&self) -> Vec<String> {
        self.state().fetched.clone()
    }

    fn may(&self, method: &'static str) -> Result<MutexGuard<'_, State>, ForgeError> {
        let state = self.state();
        match state.fails.get(method) {
            Some(error) => Err(error.clone()),
            None => Ok(state),
        }
    }
}

#[async_trait]
impl Source for FakeForge {
    async fn change(&self, number: u64) -> Result<Change, ForgeError> {
        let state = self.may("change")?;
        assert_eq!(number, state.change.id.number);
        Ok(state.change.clone())
    }

    async fn changes_at(&self, _: &CommitSha) -> Result<Vec<u64>, ForgeError> {
        panic!("the engine asked for the changes of a head")
    }

    async fn reports(&self, change: &Change) -> Result<Vec<RawReport>, ForgeError> {
        let state = self.may("reports")?;
        assert_eq!(change.head, state.change.head);
        Ok(state.reports.clone())
    }

    async fn changed_lines(&self, _: &Change) -> Result<ChangedLines, ForgeError> {
        Ok(self.may("changed_lines")?.changed.clone())
    }

    async fn file(&self, path: &RepoPath, at: &CommitSha) -> Result<SourceBytes, ForgeError> {
        let mut state = self.may("file")?;
        // Also where the head has moved on meanwhile: the job's own is the one that it began with.
        let moved = state.moves_on_post && *at != sha('c');
        assert!(moved || *at == state.change.head, "every read is pinned to the head");
        state.fetched.push(path.to_string());
        let found = match state.files.get(path) {
            Some(Ok(bytes)) => Ok(SourceBytes::new(bytes.clone())),
            Some(Err(error)) => Err(error.clone()),
            None => Err(ForgeError::NotFound),
        };
        if state.moves_on_post {
            state.change.head = sha('c');
        }
        found
    }

    async fn names(&self, folder: &str, at: &CommitSha) -> Result<Vec<String>, ForgeError> {
        let mut state = self.may("names")?;
        assert_eq!(*at, state.change.head);
        state.listed.push(folder.to_owned());
        let inside = |path: &RepoPath| match path.as_str().rsplit_once('/') {
            Some((parent, name)) => (parent == folder).then(|| name.to_owned()),
            None => folder.is_empty().then(|| path.to_string()),
        };
        Ok(state.files.keys().filter_map(inside).collect())
    }
}

#[async_trait]
impl Discussion for FakeForge {
    async fn threads(&self, _: &Change) -> Result<Vec<Thread>, ForgeError> {
        Ok(self.may("threads")?.threads.clone())
    }

    async fn post(
        &self,
        change: &Change,
        threads: &[NewThread],
    ) -> Result<Vec<Posted>, ForgeError> {
        let mut state = self.may("post")?;
        assert_eq!(change.head, state.change.head);
        state.writes.push(format!("post {}", threads.len()));
        let mut posted = Vec::new();
        for thread in threads {
            let file = state.changed.file(&thread.at.path);
            if state.refuses || !file.is_some_and(|f| f.accepts_comment(thread.at.lines)) {
                posted.push(Posted::Refused("line must be part of the diff".into()));
                continue;
            }
            let id = CommentId(format!("c-{}", state.threads.len()));
            let marker = Marker::find(&thread.body).unwrap();
            assert!(matches!(marker.kind, MarkerKind::Finding { .. }));
            let first = Comment { id: id.clone(), body: thread.body.clone() };
            let id_of_thread = ThreadId(format!("t-{}", state.threads.len()));
            state.threads.push(Thread {
                id: id_of_thread,
                first,
                marker,
                at: Some(thread.at.clone()),
                resolved: false,
                resolved_by_us: false,
                has_replies: false,
            });
            posted.push(Posted::OnLine(id));
        }
        Ok(posted)
    }

    async fn edit(&self, comment: &CommentId, body: &str) -> Result<(), ForgeError> {
        let mut state = self.may("edit")?;
        let thread = state.threads.iter_mut().find(|thread| thread.first.id == *comment);
        let thread = thread.ok_or(ForgeError::NotFound)?;
        thread.first.body = body.to_owned();
        state.writes.push(format!("edit {}", comment.0));
        Ok(())
    }

    async fn resolve(&self, thread: &Thread) -> Result<(), ForgeError> {
        let mut state = self.may("resolve")?;
        let ours = state.threads.iter_mut().find(|other| other.id == thread.id);
        let ours = ours.ok_or(ForgeError::NotFound)?;
        (ours.resolved, ours.resolved_by_us) = (true, true);
        state.writes.push(format!("resolve {}", thread.id.0));
        Ok(())
    }

    async fn reopen(&self, thread: &Thread) -> Result<(), ForgeError> {
        let mut state = self.may("reopen")?;
        let ours = state.threads.iter_mut().find(|other| other.id == thread.id);
        let ours = ours.ok_or(ForgeError::NotFound)?;
        assert!(ours.resolved_by_us, "what a person closed stays closed");
        (ours.resolved, ours.resolved_by_us) = (false, false);
        state.writes.push(format!("reopen {}", thread.id.0));
        Ok(())
    }

    async fn summary(&self, _: &Change) -> Result<Option<Comment>, ForgeError> {
        Ok(self.may("summary")?.summary.clone())
    }

    async fn put_summary(
        &self,
        _: &Change,
        existing: Option<&CommentId>,
        body: &str,
    ) -> Result<(), ForgeError> {
        let mut state = self.may("put_summary")?;
        assert_eq!(existing.is_some(), state.summary.is_some(), "one summary a change");
        assert_eq!(Marker::find(body), Some(Marker { kind: MarkerKind::Summary }));
        state.writes.push("summary".into());
        state.summary = Some(Comment { id: CommentId("s".into()), body: body.to_owned() });
        Ok(())
    }

    async fn check(&self, _: &Change, check: &Check) -> Result<(), ForgeError> {
        let mut state = self.may("check")?;
        state.checks.insert(check.head.clone(), check.clone());
        Ok(())
    }
}

#[async_trait]
impl Grant for FakeForge {
    async fn revoke(&self) -> Result<(), ForgeError> {
        Ok(())
    }
}

/// The paths that were fetched more than once.
pub(crate) fn repeated(fetched: &[String]) -> BTreeSet<&str> {
    let twice = fetched.iter().enumerate().filter(|(i, path)| fetched[..*i].contains(path));
    twice.map(|(_, path)| path.as_str()).collect()
}
