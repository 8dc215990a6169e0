//! What stands on a change: ours to read, people's to write.

use super::Change;
use crate::{
    github::{changes::CommentState, views},
    views::{CheckView, ThreadView, checks_text},
};

impl Change {
    /// Its threads.
    pub fn threads(&self) -> Vec<ThreadView> {
        views::threads(&mut self.inner.world(), self.at, self.number)
    }

    /// Its thread at `path:line`, or at `path` for the file as a whole, as text. More than one are
    /// shown one after the other; if there is none, the text says which there are.
    pub fn thread(&self, place: &str) -> String {
        views::thread(&mut self.inner.world(), self.at, self.number, place)
    }

    /// The App's comments on it as a whole, as text.
    pub fn summary(&self) -> String {
        views::summary(&mut self.inner.world(), self.at, self.number)
    }

    /// The checks of its head, as text.
    pub fn check(&self) -> String {
        checks_text(&self.checks())
    }

    /// The checks of its head.
    pub fn checks(&self) -> Vec<CheckView> {
        let head = self.head();
        let world = self.inner.world();
        world.repos[self.at].checks.iter().filter(|c| c.head == head).map(views::check).collect()
    }

    /// A person answers in the thread at `path:line`. The comment's id, if there is such a thread.
    pub fn reply(&self, place: &str, login: &str, text: &str) -> Option<u64> {
        let mut world = self.inner.world();
        let (id, now) = (world.id(), world.now());
        let at = views::find(&world, self.at, self.number, place).into_iter().next()?;
        let change = world.repos[self.at].changes.get_mut(&self.number)?;
        let thread = change.threads.get_mut(at)?;
        let mut comment = CommentState::new(id, "PRRC", login, text, &now);
        comment.reply_to = thread.comments.first().map(|c| c.id);
        comment.read = true;
        thread.comments.push(comment);
        Some(id)
    }

    /// A person writes on it as a whole. The comment's id.
    pub fn comment(&self, login: &str, text: &str) -> u64 {
        let mut world = self.inner.world();
        let (id, now) = (world.id(), world.now());
        let mut comment = CommentState::new(id, "IC", login, text, &now);
        comment.read = true;
        if let Some(change) = world.repos[self.at].changes.get_mut(&self.number) {
            change.comments.push(comment);
        }
        id
    }

    /// A person resolves the thread at `path:line`, or opens it again. Whether there is one.
    pub fn resolve(&self, place: &str, login: &str, resolved: bool) -> bool {
        let mut world = self.inner.world();
        let Some(at) = views::find(&world, self.at, self.number, place).into_iter().next() else {
            return false;
        };
        if let Some(change) = world.repos[self.at].changes.get_mut(&self.number) {
            change.threads[at].resolved_by = resolved.then(|| login.to_owned());
        }
        true
    }
}
