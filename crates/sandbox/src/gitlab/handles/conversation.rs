//! What stands on a merge request: ours to read, people's to write.

use super::MergeRequest;
use crate::{
    gitlab::{
        changes::{DiscussionState, NoteState, Resolved},
        views,
    },
    views::{CheckView, ThreadView, checks_text},
};

impl MergeRequest {
    /// Its threads on lines and files.
    pub fn threads(&self) -> Vec<ThreadView> {
        let mut world = self.inner.world();
        let all = views::inline(&world, self.at, self.iid);
        views::threads(&mut world, self.at, self.iid, &all)
    }

    /// Its thread at `path:line`, or at `path`, as text. More than one are shown one after the other;
    /// if there is none, the text says which there are.
    pub fn thread(&self, place: &str) -> String {
        views::thread(&mut self.inner.world(), self.at, self.iid, place)
    }

    /// The bots' notes on it as a whole, as text.
    pub fn summary(&self) -> String {
        views::summary(&mut self.inner.world(), self.at, self.iid)
    }

    /// The statuses of its head, as text.
    pub fn check(&self) -> String {
        checks_text(&self.checks())
    }

    /// The statuses of its head, the newest of each name.
    pub fn checks(&self) -> Vec<CheckView> {
        let head = self.head();
        let world = self.inner.world();
        views::statuses(&world, self.at, &head).into_iter().map(views::status).collect()
    }

    /// How many drafts wait to be published.
    pub fn drafts(&self) -> usize {
        let world = self.inner.world();
        world.projects[self.at].merge_requests.get(&self.iid).map_or(0, |c| c.drafts.len())
    }

    /// A person answers in the thread at `path:line`. The note's number, if there is such a thread.
    pub fn reply(&self, place: &str, username: &str, text: &str) -> Option<u64> {
        let index =
            views::find(&self.inner.world(), self.at, self.iid, place).into_iter().next()?;
        let note = self.written(username, text);
        let id = note.id;
        self.set(|c| c.discussions[index].notes.push(note));
        Some(id)
    }

    /// A person answers the bots' first note on the whole. The note's number, if there is one.
    pub fn reply_to_summary(&self, username: &str, text: &str) -> Option<u64> {
        let index = {
            let world = self.inner.world();
            let change = world.projects[self.at].merge_requests.get(&self.iid)?;
            let is_it = |d: &DiscussionState| {
                d.position.is_none() && d.notes.iter().any(|n| world.is_bot(n.author))
            };
            change.discussions.iter().position(is_it)?
        };
        let note = self.written(username, text);
        let id = note.id;
        self.set(|c| {
            c.discussions[index].individual = false;
            c.discussions[index].notes.push(note);
        });
        Some(id)
    }

    /// A person writes on it as a whole. The note's number.
    pub fn comment(&self, username: &str, text: &str) -> u64 {
        let note = self.written(username, text);
        let id = note.id;
        self.set(|c| c.discussions.push(DiscussionState::new(note, None, true)));
        id
    }

    /// The same, for those alone who work on the project.
    pub fn comment_internally(&self, username: &str, text: &str) -> u64 {
        let id = self.comment(username, text);
        self.set(|c| {
            if let Some(note) = c.note_mut(id) {
                note.internal = true;
            }
        });
        id
    }

    /// A person edits a note. Whether there is one.
    pub fn edit_note(&self, id: u64, text: &str) -> bool {
        let now = self.inner.world().now();
        let mut there = false;
        self.set(|c| {
            if let Some(note) = c.note_mut(id) {
                there = true;
                text.clone_into(&mut note.body);
                note.updated = now;
            }
        });
        there
    }

    fn written(&self, username: &str, text: &str) -> NoteState {
        let mut world = self.inner.world();
        let (id, author, now) = (world.id(), world.user(username), world.now());
        let mut note = NoteState::new(id, author, text, &now);
        note.read = true;
        note
    }

    /// A person resolves the thread at `path:line`, or opens it again. Whether there is one.
    pub fn resolve(&self, place: &str, username: &str, resolved: bool) -> bool {
        let mut world = self.inner.world();
        let Some(at) = views::find(&world, self.at, self.iid, place).into_iter().next() else {
            return false;
        };
        let by = Resolved { by: world.user(username), at: world.now() };
        drop(world);
        self.set(|c| c.discussions[at].resolved = resolved.then_some(by));
        true
    }

    /// A person takes a note away. Whether there was one.
    pub fn delete_note(&self, id: u64) -> bool {
        let mut there = false;
        self.set(|c| there = c.remove_note(id));
        there
    }
}
