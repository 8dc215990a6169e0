//! A fake GitLab.

mod access_tokens;
mod account;
mod artifacts;
mod changes;
mod ci;
mod commits;
mod delivery;
mod discussions;
mod dispatch;
mod drafts;
mod faults;
mod files;
mod handles;
mod hooks;
mod json;
mod links;
mod merge_requests;
mod notes;
mod options;
mod pages;
mod payloads;
mod request;
mod routes;
mod statuses;
mod views;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artifacts::Objects;
use bytes::Bytes;
use chaffinch_core::{ForgeKind, RepoId, RepoName};
pub use delivery::sign_delivery;
use delivery::{Parcel, send};
pub use faults::GitLabFaults;
pub use handles::{AccessToken, Hook, Job, MergeRequest, Project};
use links::Links;
pub use options::GitLabOptions;
use world::World;

use crate::{
    SandboxError,
    delivery::{Delivered, Signature},
    listen::{Listening, bind},
    wire::Wire,
};

/// A fake GitLab on the loopback, served until dropped.
pub struct GitLab {
    inner: Arc<Inner>,
    _listening: (Listening, Listening),
}

pub(crate) struct Inner {
    world: Mutex<World>,
    links: Links,
    base_path: String,
    banner: Option<String>,
    wire: Wire,
}

impl Inner {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GitLab {
    /// Takes a port for GitLab and one for what it keeps elsewhere, and serves.
    ///
    /// # Errors
    /// [`SandboxError`] where there is no port, or no schemas in the named folder.
    pub async fn start(options: GitLabOptions) -> Result<Self, SandboxError> {
        let (bound, objects) = (bind(options.port).await?, bind(0).await?);
        let base_path = options.base_path.trim_end_matches('/').to_owned();
        let links = Links::new(bound.address, objects.address, &base_path);
        let wire = Wire::new(options.record, options.schemas, "gitlab", "/api/v4")?;
        let inner = Arc::new(Inner {
            world: Mutex::new(World::new(options.clock, links.clone(), options.rate_limit)),
            links,
            base_path,
            banner: options.banner,
            wire,
        });
        let objects = objects.serve(Arc::new(Objects(Arc::clone(&inner))));
        let listening = bound.serve(Arc::clone(&inner));
        Ok(Self { inner, _listening: (listening, objects) })
    }

    /// The address that people know, base path included.
    pub fn url(&self) -> String {
        self.inner.links.web.to_string()
    }

    /// The address of the API.
    pub fn api_url(&self) -> String {
        self.inner.links.api.to_string()
    }

    /// The address of the host that keeps artifacts: it must never be sent a token.
    pub fn objects_url(&self) -> String {
        self.inner.links.objects.to_string()
    }

    /// The project with this path (`group/subgroup/name`), made if it is not there.
    pub fn project(&self, path: &str) -> Project {
        let at = self.inner.world().project_or_new(path);
        Project::new(&self.inner, at)
    }

    /// The projects, as the forge would name them to us.
    pub fn repositories(&self) -> Vec<RepoId> {
        let world = self.inner.world();
        let repos = world.projects.iter().filter_map(|project| {
            Some(RepoId {
                forge: ForgeKind::GitLab,
                installation: project.id,
                id: project.id,
                name: RepoName::new(project.path.clone()).ok()?,
            })
        });
        repos.collect()
    }

    /// A person's role in a group, and so in every project below it.
    pub fn group_member(&self, group: &str, username: &str, role: u64) {
        let mut world = self.inner.world();
        world.user(username);
        let members = world.groups.entry(group.to_owned()).or_default();
        members.insert(username.to_owned(), role);
    }

    /// The number of a user.
    pub fn user_id(&self, username: &str) -> u64 {
        self.inner.world().user(username)
    }

    /// The merge request with this number, in the first project that has one; opened in the first
    /// project (`acme/shop` where there is none) if none has.
    pub fn merge_request(&self, iid: u64) -> MergeRequest {
        let (found, first) = {
            let world = self.inner.world();
            let found = world.projects.iter().position(|p| p.merge_requests.contains_key(&iid));
            (found, world.projects.first().map(|p| p.path.clone()))
        };
        match found {
            Some(at) => Project::new(&self.inner, at).merge_request(iid),
            None => self.project(first.as_deref().unwrap_or("acme/shop")).merge_request(iid),
        }
    }

    /// Whether lists say how long they are: above 10,000 entries GitLab does not.
    pub fn set_totals(&self, totals: bool) {
        self.inner.world().totals = totals;
    }

    /// Trouble on demand.
    pub fn faults(&self) -> GitLabFaults {
        GitLabFaults { inner: Arc::clone(&self.inner) }
    }

    /// Delivers an event ("merge_request.open", "note.create", "pipeline.success", "build.failed",
    /// "push") about the merge request with this number to each hook of its project that wants it.
    /// What became of the first delivery; status 0, and why, where there was none.
    pub async fn deliver(&self, event: &str, iid: u64) -> Delivered {
        let at = {
            let world = self.inner.world();
            let found = world.projects.iter().position(|p| p.merge_requests.contains_key(&iid));
            found.unwrap_or_default()
        };
        handles::deliver(&self.inner, at, iid, event).await
    }

    /// Delivers any bytes to every hook of every project; `event` is what `X-Gitlab-Event` says.
    pub async fn deliver_raw(
        &self,
        event: &str,
        payload: impl Into<Bytes>,
        signature: Signature,
    ) -> Vec<Delivered> {
        let payload = payload.into();
        let hooks: Vec<u64> =
            self.inner.world().projects.iter().flat_map(|p| &p.hooks).map(|h| h.id).collect();
        let mut out = Vec::new();
        for hook in hooks {
            let (event, signature) = (event.to_owned(), signature.clone());
            let parcel = Parcel { hook, event, payload: payload.clone(), signature, key: None };
            out.push(send(&self.inner, parcel).await);
        }
        out
    }

    /// The payload of an event, without delivering it.
    pub fn payload(&self, event: &str, iid: u64) -> Option<serde_json::Value> {
        let world = self.inner.world();
        let project = world.projects.iter().find(|p| p.merge_requests.contains_key(&iid))?;
        payloads::payload(&world, project, iid, event)
    }

    /// Delivers an earlier delivery again, under the same `Idempotency-Key`. `None` if there was
    /// none.
    pub async fn redeliver(&self, delivery: &str) -> Option<Delivered> {
        let parcel = {
            let world = self.inner.world();
            let (hook, first) = world.deliveries.iter().find(|(_, d)| d.delivery == delivery)?;
            Parcel {
                hook: *hook,
                event: first.event.clone(),
                payload: first.payload.clone(),
                signature: Signature::Right,
                key: Some(first.delivery.clone()),
            }
        };
        Some(send(&self.inner, parcel).await)
    }

    /// Every delivery so far, in order.
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.inner.world().deliveries.iter().map(|(_, d)| d.clone()).collect()
    }

    /// Notes of the project's bots that no test has looked at since they were written or changed.
    pub fn unread(&self) -> Vec<String> {
        views::unread(&self.inner.world())
    }

    crate::handles::looking_on!();

    /// Where our own answers differ from the published schemas, which have known mistakes.
    pub fn hints(&self) -> Vec<String> {
        self.inner.world().hints.iter().cloned().collect()
    }
}
