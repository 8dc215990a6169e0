//! A merge request: who, what state, what of its diff is shown.

use std::sync::Arc;

use bytes::Bytes;

use super::Job;
use crate::{
    delivery::{Delivered, Signature},
    gitlab::{
        Inner,
        changes::{Fork, MergeRequestState},
        ci::CHILD,
        delivery::{Parcel, send},
        payloads::{header, payload, switch},
    },
};

/// A merge request.
#[derive(Clone)]
pub struct MergeRequest {
    pub(super) inner: Arc<Inner>,
    pub(super) at: usize,
    pub(super) iid: u64,
}

impl MergeRequest {
    fn get<T>(&self, read: impl FnOnce(&MergeRequestState) -> T) -> Option<T> {
        self.inner.world().projects[self.at].merge_requests.get(&self.iid).map(read)
    }

    pub(super) fn set(&self, edit: impl FnOnce(&mut MergeRequestState)) -> Self {
        let mut world = self.inner.world();
        let now = world.now();
        if let Some(change) = world.projects[self.at].merge_requests.get_mut(&self.iid) {
            change.updated = now;
            edit(change);
        }
        drop(world);
        self.clone()
    }

    /// Its number in the project.
    pub fn number(&self) -> u64 {
        self.iid
    }

    /// The proposed commit.
    pub fn head(&self) -> String {
        self.get(|c| c.head.clone()).unwrap_or_default()
    }

    /// The commit of the target branch that it started from.
    pub fn base(&self) -> String {
        self.get(|c| c.base.clone()).unwrap_or_default()
    }

    /// Its page.
    pub fn page(&self) -> String {
        let world = self.inner.world();
        world.links.change_web(&world.projects[self.at].path, self.iid)
    }

    crate::handles::states!();

    /// Its description.
    pub fn description(&self, text: &str) -> Self {
        self.set(|c| text.clone_into(&mut c.description))
    }

    /// Its author's name.
    pub fn author(&self, username: &str) -> Self {
        let id = self.inner.world().user(username);
        self.set(|c| c.author = id)
    }

    /// Lets it come from a fork in its author's own namespace.
    pub fn from_fork(&self) -> Self {
        let fork = {
            let mut world = self.inner.world();
            let id = world.id();
            let project = &world.projects[self.at];
            let author = project.merge_requests.get(&self.iid).map_or(0, |c| c.author);
            Fork {
                id,
                deleted: false,
                path: format!("{}/{}", world.username(author), project.names().1),
            }
        };
        self.set(|c| c.fork = Some(fork))
    }

    /// Lets it come from a fork that is gone.
    pub fn fork_deleted(&self) -> Self {
        let change = self.from_fork();
        change.set(|c| c.fork.iter_mut().for_each(|fork| fork.deleted = true))
    }

    /// Proposes the same commit as another merge request: one branch, proposed twice.
    pub fn same_head_as(&self, other: &Self) -> Self {
        let (head, branch) = (other.head(), other.get(|c| c.branch.clone()).unwrap_or_default());
        self.set(|c| {
            if let Some(version) = c.versions.last_mut() {
                version.head.clone_from(&head);
            }
            (c.head, c.branch) = (head, branch);
        })
    }

    /// GitLab has not prepared it: `diff_refs` is null, and there are no versions and no diffs, until
    /// it has been read this often.
    pub fn unprepared(&self, reads: u32) -> Self {
        self.set(|c| c.unprepared = reads)
    }

    /// The diff of a file is collapsed: it comes without text.
    pub fn collapse(&self, path: &str) -> Self {
        self.set(|c| c.collapsed.push(path.to_owned()))
    }

    /// The diff of a file is too large: it comes without text.
    pub fn too_large(&self, path: &str) -> Self {
        self.set(|c| c.too_large.push(path.to_owned()))
    }

    /// A job of the head's merge-request pipeline; both made if they are not there. It has succeeded.
    pub fn job(&self, name: &str) -> Job {
        let reference = format!("refs/merge-requests/{}/head", self.iid);
        Job::new(self, name, (&self.head(), &reference, "merge_request_event"))
    }

    /// A job of a pipeline that ran on what would come of merging the head now: a commit of its own.
    pub fn merge_job(&self, name: &str) -> Job {
        let (base, head) = (self.base(), self.head());
        let reference = format!("refs/merge-requests/{}/merge", self.iid);
        let mut world = self.inner.world();
        let project = &mut world.projects[self.at];
        let known = project.pipelines.iter().find(|p| p.head == head && p.reference == reference);
        let known = known.map(|p| p.sha.clone());
        let merge = known.unwrap_or_else(|| {
            let tree = project.commits.tree(&head);
            project.commit(tree, &[&base, &head])
        });
        drop(world);
        Job::new(self, name, (&merge, &reference, "merge_request_event"))
    }

    /// A job of a child pipeline: another pipeline of the head has started it, and lists leave it
    /// out.
    pub fn child_job(&self, name: &str) -> Job {
        let reference = format!("refs/merge-requests/{}/head", self.iid);
        Job::new(self, name, (&self.head(), &reference, CHILD))
    }

    /// A job of the pipeline of its branch.
    pub fn branch_job(&self, name: &str) -> Job {
        let branch = self.get(|c| c.branch.clone()).unwrap_or_default();
        Job::new(self, name, (&self.head(), &branch, "push"))
    }

    /// Delivers an event about it ("merge_request.open") to each hook that wants it. What became of
    /// the first delivery.
    pub async fn deliver(&self, event: &str) -> Delivered {
        deliver(&self.inner, self.at, self.iid, event).await
    }
}

pub(crate) async fn deliver(inner: &Arc<Inner>, at: usize, iid: u64, event: &str) -> Delivered {
    let mut parcels = parcels(inner, at, iid, event).into_iter();
    // Where no hook wants it, there is still a delivery that says so.
    let first = parcels.next().unwrap_or_else(|| parcel(0, event, "{}".into()));
    let first = send(inner, first).await;
    for parcel in parcels {
        send(inner, parcel).await;
    }
    first
}

fn parcel(hook: u64, event: &str, payload: Bytes) -> Parcel {
    Parcel { hook, event: event.to_owned(), payload, signature: Signature::Right, key: None }
}

/// One for each hook that wants it.
fn parcels(inner: &Inner, at: usize, iid: u64, event: &str) -> Vec<Parcel> {
    let mut world = inner.world();
    let body = world.projects.get(at).and_then(|project| payload(&world, project, iid, event));
    let Some(body) = body else {
        world.problem(format!("sandbox: there is no {event} about merge request {iid}"));
        return Vec::new();
    };
    let name = header(&body);
    let wants = world.projects[at].hooks.iter().filter(|h| h.wants(switch(name)));
    wants.map(|h| parcel(h.id, name, body.to_string().into())).collect()
}
