//! Handles on a repository and on a change, for whoever sets the scene.

mod change;
mod commits;
mod conversation;
mod events;

use std::sync::Arc;

use bytes::Bytes;

pub use change::Change;
pub(crate) use events::{deliver, redeliver};

use super::{Inner, changes::ChangeState, world::RepoState};
use crate::tree::Blob;

/// A repository. Its methods set the scene; they can be chained.
#[derive(Clone)]
pub struct Repo {
    inner: Arc<Inner>,
    at: usize,
}

impl Repo {
    pub(crate) fn new(inner: &Arc<Inner>, at: usize) -> Self {
        Self { inner: Arc::clone(inner), at }
    }

    fn with(&self, edit: impl FnOnce(&mut RepoState)) -> Self {
        edit(&mut self.inner.world().repos[self.at]);
        self.clone()
    }

    /// The forge's number for it.
    pub fn id(&self) -> u64 {
        self.inner.world().repos[self.at].id
    }

    /// A file that the next change adds, or alters where [`Repo::base_file`] has put another text.
    pub fn file(&self, path: &str, text: impl Into<Bytes>) -> Self {
        let blob = Blob::File(text.into());
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), blob);
        })
    }

    /// A file of the default branch. Changes that do not touch it have it too.
    pub fn base_file(&self, path: &str, text: impl Into<Bytes>) -> Self {
        let blob = Blob::File(text.into());
        self.with(|repo| {
            repo.base.insert(path.to_owned(), blob);
        })
    }

    /// A file of the next change that is this large, all `x`.
    pub fn huge_file(&self, path: &str, bytes: u64) -> Self {
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), Blob::Huge(bytes));
        })
    }

    /// A symbolic link of the next change.
    pub fn symlink(&self, path: &str, target: &str) -> Self {
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), Blob::Symlink(target.to_owned()));
        })
    }

    /// A submodule of the next change.
    pub fn submodule(&self, path: &str, url: &str) -> Self {
        self.with(|repo| {
            repo.proposed.insert(path.to_owned(), Blob::Submodule(url.to_owned()));
        })
    }

    /// A person and their role: `admin`, `maintain`, `write`, `triage`, `read` or `none`.
    pub fn person(&self, login: &str, role: &str) -> Self {
        self.with(|repo| {
            repo.roles.insert(login.to_owned(), role.to_owned());
        })
    }

    /// Takes the repository out of the installation.
    pub fn not_installed(&self) -> Self {
        self.with(|repo| repo.installed = false)
    }

    /// Switches code scanning off: its routes answer 403.
    pub fn without_code_scanning(&self) -> Self {
        self.with(|repo| repo.code_scanning = false)
    }

    /// The change with this number. If there is none, it is opened with the files that
    /// [`Repo::file`] and its like have named since the last one.
    pub fn change(&self, number: u64) -> Change {
        let mut world = self.inner.world();
        if !world.repos[self.at].changes.contains_key(&number) {
            let (id, now) = (world.id(), world.now());
            let repo = &mut world.repos[self.at];
            let base_tree = repo.base.clone();
            let mut head_tree = base_tree.clone();
            head_tree.append(&mut repo.proposed);
            let base = repo.commit(base_tree, &[]);
            let head = repo.commit(head_tree.clone(), &[&base]);
            let merge = repo.commit(head_tree, &[&base, &head]);
            let change = ChangeState {
                id,
                number,
                title: format!("Change {number}"),
                description: None,
                author: "contributor".to_owned(),
                branch: format!("change-{number}"),
                base,
                heads: vec![head.clone()],
                head,
                merge,
                open: true,
                merged: false,
                draft: false,
                fork: None,
                threads: Vec::new(),
                comments: Vec::new(),
                reviews: 0,
                created: now.clone(),
                updated: now,
            };
            repo.changes.insert(number, change);
        }
        Change { inner: Arc::clone(&self.inner), at: self.at, number }
    }
}
