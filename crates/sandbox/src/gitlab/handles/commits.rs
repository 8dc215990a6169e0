//! The commits of a merge request: what a push, a rebase or a garbage collection does to it.

use super::MergeRequest;
use crate::{
    gitlab::changes::{DiscussionState, NoteState, Version},
    tree::{Tree, write},
};

impl MergeRequest {
    crate::handles::pushes!();

    /// Pushes, which makes a new version, and a note by GitLab itself.
    fn commit(&self, edit: impl FnOnce(&mut Tree)) -> String {
        let head = self.head();
        let mut world = self.inner.world();
        let (version, note, now) = (world.id(), world.id(), world.now());
        let project = &mut world.projects[self.at];
        let mut tree = project.commits.tree(&head);
        edit(&mut tree);
        let sha = project.commit(tree, &[&head]);
        if let Some(change) = project.merge_requests.get_mut(&self.iid) {
            change.head.clone_from(&sha);
            change.updated.clone_from(&now);
            let text = format!("added 1 commit\n\n<ul><li>{} - a commit</li></ul>", &sha[..8]);
            let mut note = NoteState::new(note, change.author, &text, &now);
            note.system = true;
            change.discussions.push(DiscussionState::new(note, None, true));
            let base = change.base.clone();
            change.versions.push(Version { id: version, base, head: sha.clone(), created: now });
        }
        sha
    }

    /// The target branch gets a commit that writes these files, and the merge request is rebased onto
    /// it: base and head are others; the new head.
    pub fn rebase(&self, files: &[(&str, &str)]) -> String {
        let base = {
            let base = self.base();
            let mut world = self.inner.world();
            let project = &mut world.projects[self.at];
            let mut tree = project.commits.tree(&base);
            write(&mut tree, files);
            project.commit(tree, &[&base])
        };
        self.set(|c| c.base = base);
        self.commit(|tree| write(tree, files))
    }

    /// Lets the head's files be gone: reads at it answer 404.
    pub fn lose_head(&self) -> Self {
        let head = self.head();
        self.inner.world().projects[self.at].commits.lose(&head);
        self.clone()
    }
}
