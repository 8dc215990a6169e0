//! A change: who, what state, which reports.

use std::sync::Arc;

use super::events::deliver;
use crate::{
    delivery::Delivered,
    github::{
        Inner,
        changes::{ChangeState, Fork},
        scanning::keep,
    },
};

/// A pull request.
#[derive(Clone)]
pub struct Change {
    pub(super) inner: Arc<Inner>,
    pub(super) at: usize,
    pub(super) number: u64,
}

impl Change {
    fn with<T>(&self, edit: impl FnOnce(&mut ChangeState) -> T) -> Option<T> {
        let mut world = self.inner.world();
        let now = world.now();
        let change = world.repos[self.at].changes.get_mut(&self.number)?;
        change.updated = now;
        Some(edit(change))
    }

    pub(super) fn set(&self, edit: impl FnOnce(&mut ChangeState)) -> Self {
        self.with(edit);
        self.clone()
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The proposed commit.
    pub fn head(&self) -> String {
        self.with(|c| c.head.clone()).unwrap_or_default()
    }

    /// The target commit.
    pub fn base(&self) -> String {
        self.with(|c| c.base.clone()).unwrap_or_default()
    }

    /// The commit that GitHub would make by merging it now.
    pub fn merge_commit(&self) -> String {
        self.with(|c| c.merge.clone()).unwrap_or_default()
    }

    /// Its page.
    pub fn page(&self) -> String {
        let world = self.inner.world();
        let repo = world.links.repo_web(&world.repos[self.at].full_name());
        format!("{repo}/pull/{}", self.number)
    }

    crate::handles::states!();

    /// Its description.
    pub fn description(&self, text: &str) -> Self {
        self.set(|c| c.description = Some(text.to_owned()))
    }

    /// Its author's login.
    pub fn author(&self, login: &str) -> Self {
        self.set(|c| login.clone_into(&mut c.author))
    }

    /// Lets it come from a fork.
    pub fn from_fork(&self) -> Self {
        let id = self.inner.world().id();
        self.set(|c| c.fork = Some(Fork { owner: c.author.clone(), id, deleted: false }))
    }

    /// Lets it come from a fork that is gone.
    pub fn fork_deleted(&self) -> Self {
        let id = self.inner.world().id();
        self.set(|c| c.fork = Some(Fork { owner: c.author.clone(), id, deleted: true }))
    }

    /// Proposes the same commit as another change: one branch, two pull requests.
    pub fn same_head_as(&self, other: &Self) -> Self {
        let (head, merge) = (other.head(), other.merge_commit());
        self.set(|c| {
            c.heads.push(head.clone());
            (c.head, c.merge) = (head, merge);
        })
    }

    /// A code-scanning upload for the head, on `refs/pull/N/head`. SARIF.
    pub fn report(&self, sarif: impl AsRef<[u8]>) -> Self {
        self.analysis(sarif, &format!("refs/pull/{}/head", self.number), &self.head())
    }

    /// A code-scanning upload for the merge commit, on `refs/pull/N/merge`. SARIF.
    pub fn report_on_merge(&self, sarif: impl AsRef<[u8]>) -> Self {
        self.analysis(sarif, &format!("refs/pull/{}/merge", self.number), &self.merge_commit())
    }

    /// A code-scanning upload for any commit, on any ref. SARIF.
    pub fn analysis(&self, sarif: impl AsRef<[u8]>, reference: &str, commit: &str) -> Self {
        keep(&mut self.inner.world(), self.at, reference, commit, sarif.as_ref());
        self.clone()
    }

    /// Delivers an event about it ("pull_request.opened").
    pub async fn deliver(&self, event: &str) -> Delivered {
        deliver(&self.inner, self.at, self.number, event).await
    }
}
