//! The commits of a change: what a push, a rebase or a garbage collection does to it.

use super::Change;
use crate::tree::Tree;

impl Change {
    crate::handles::pushes!();

    fn commit(&self, edit: impl FnOnce(&mut Tree)) -> String {
        let head = self.head();
        let sha = {
            let mut world = self.inner.world();
            let repo = &mut world.repos[self.at];
            let mut tree = repo.commits.tree(&head);
            edit(&mut tree);
            let base = repo.changes.get(&self.number).map(|c| c.base.clone()).unwrap_or_default();
            let sha = repo.commit(tree.clone(), &[&head]);
            let merge = repo.commit(tree, &[&base, &sha]);
            if let Some(change) = repo.changes.get_mut(&self.number) {
                change.head.clone_from(&sha);
                change.heads.push(sha.clone());
                change.merge = merge;
            }
            sha
        };
        self.set(|_| ());
        sha
    }

    /// Lets the head's files be gone: reads at it answer 404.
    pub fn lose_head(&self) -> Self {
        let (head, merge) = (self.head(), self.merge_commit());
        let mut world = self.inner.world();
        world.repos[self.at].commits.lose(&head);
        world.repos[self.at].commits.lose(&merge);
        drop(world);
        self.clone()
    }

    /// The default branch moves, so GitHub makes another trial merge of the same head; its sha.
    pub fn base_moves(&self) -> String {
        let mut world = self.inner.world();
        let repo = &mut world.repos[self.at];
        let Some(change) = repo.changes.get(&self.number) else { return String::new() };
        let (head, base) = (change.head.clone(), change.base.clone());
        let tip = repo.commit(repo.commits.tree(&base), &[&base]);
        let merge = repo.commit(repo.commits.tree(&head), &[&tip, &head]);
        if let Some(change) = repo.changes.get_mut(&self.number) {
            change.merge.clone_from(&merge);
        }
        merge
    }
}
