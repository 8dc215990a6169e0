//! Handles for whoever sets the scene: on a project, and on what is in it.

mod commits;
mod conversation;
mod hook;
mod job;
mod merge_request;
mod token;

use std::sync::Arc;

use bytes::Bytes;

pub use hook::Hook;
pub use job::Job;
pub use merge_request::MergeRequest;
pub(crate) use merge_request::deliver;
pub use token::AccessToken;

use super::{
    Inner,
    changes::{MergeRequestState, Version},
    hooks::HookState,
    world::ProjectState,
};
use crate::tree::Blob;

/// A project. Its methods set the scene; they can be chained.
#[derive(Clone)]
pub struct Project {
    inner: Arc<Inner>,
    at: usize,
}

impl Project {
    pub(crate) fn new(inner: &Arc<Inner>, at: usize) -> Self {
        Self { inner: Arc::clone(inner), at }
    }

    fn with(&self, edit: impl FnOnce(&mut ProjectState)) -> Self {
        edit(&mut self.inner.world().projects[self.at]);
        self.clone()
    }

    fn propose(&self, path: &str, blob: Blob) -> Self {
        self.with(|project| drop(project.proposed.insert(path.to_owned(), blob)))
    }

    /// The forge's number for it.
    pub fn id(&self) -> u64 {
        self.inner.world().projects[self.at].id
    }

    /// A file that the next merge request adds, or alters where [`Project::base_file`] has put
    /// another text.
    pub fn file(&self, path: &str, text: impl Into<Bytes>) -> Self {
        self.propose(path, Blob::File(text.into()))
    }

    /// A file of the next merge request that is this large, all `x`.
    pub fn huge_file(&self, path: &str, bytes: u64) -> Self {
        self.propose(path, Blob::Huge(bytes))
    }

    /// A symbolic link of the next merge request.
    pub fn symlink(&self, path: &str, target: &str) -> Self {
        self.propose(path, Blob::Symlink(target.to_owned()))
    }

    /// A submodule of the next merge request.
    pub fn submodule(&self, path: &str, url: &str) -> Self {
        self.propose(path, Blob::Submodule(url.to_owned()))
    }

    /// A file of the default branch. Merge requests that do not touch it have it too.
    pub fn base_file(&self, path: &str, text: impl Into<Bytes>) -> Self {
        let blob = Blob::File(text.into());
        self.with(|project| drop(project.base.insert(path.to_owned(), blob)))
    }

    /// A person and their role: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner; 0 none.
    pub fn person(&self, username: &str, role: u64) -> Self {
        self.inner.world().user(username);
        self.with(|project| {
            project.roles.insert(username.to_owned(), role);
        })
    }

    /// A project access token: `read_api`, `read_repository`, `api`, …; a role as people have one.
    /// It acts as a user of its own.
    pub fn token(&self, name: &str, scopes: &[&str], role: u64) -> AccessToken {
        let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
        let id = self.inner.world().token(self.at, name, &scopes, role);
        AccessToken::new(&self.inner, id)
    }

    /// A webhook that is told of merge requests, notes, pipelines and jobs, without any secret.
    pub fn hook(&self, url: &str) -> Hook {
        let mut world = self.inner.world();
        let mut hook = HookState::new(&mut world, url);
        let events = ["merge_requests_events", "note_events", "pipeline_events", "job_events"];
        hook.events = events.map(str::to_owned).into();
        let id = hook.id;
        world.projects[self.at].hooks.push(hook);
        drop(world);
        Hook::new(&self.inner, self.at, id)
    }

    /// Its webhooks, however they were made.
    pub fn hooks(&self) -> Vec<Hook> {
        let ids: Vec<u64> =
            self.inner.world().projects[self.at].hooks.iter().map(|h| h.id).collect();
        ids.into_iter().map(|id| Hook::new(&self.inner, self.at, id)).collect()
    }

    /// The merge request with this number. If there is none, it is opened with the files that
    /// [`Project::file`] and its like have named since the last one.
    pub fn merge_request(&self, iid: u64) -> MergeRequest {
        let mut world = self.inner.world();
        if !world.projects[self.at].merge_requests.contains_key(&iid) {
            let (id, version, now) = (world.id(), world.id(), world.now());
            let author = world.user("contributor");
            let project = &mut world.projects[self.at];
            let base_tree = project.base.clone();
            let mut head_tree = base_tree.clone();
            head_tree.append(&mut project.proposed);
            let base = project.commit(base_tree, &[]);
            let head = project.commit(head_tree, &[&base]);
            let first = Version {
                id: version,
                base: base.clone(),
                head: head.clone(),
                created: now.clone(),
            };
            let change = MergeRequestState {
                id,
                iid,
                title: format!("Change {iid}"),
                description: String::new(),
                author,
                branch: format!("change-{iid}"),
                base,
                head,
                versions: vec![first],
                unprepared: 0,
                open: true,
                merged: false,
                draft: false,
                fork: None,
                collapsed: Vec::new(),
                too_large: Vec::new(),
                discussions: Vec::new(),
                drafts: Vec::new(),
                created: now.clone(),
                updated: now,
            };
            project.merge_requests.insert(iid, change);
        }
        MergeRequest { inner: Arc::clone(&self.inner), at: self.at, iid }
    }
}
