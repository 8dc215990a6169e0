//! A fake GitHub.

mod app;
mod changes;
mod checks;
mod comments;
mod contents;
mod delivery;
mod dispatch;
mod faults;
mod graphql;
mod handles;
mod hooks;
mod json;
mod key;
mod links;
mod options;
mod pages;
mod payloads;
mod pulls;
mod repos;
mod request;
mod reviews;
mod routes;
mod scanning;
mod tokens;
mod views;
mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use chaffinch_core::{ForgeKind, RepoId, RepoName};
pub use delivery::sign;
use delivery::{Parcel, send};
pub use faults::Faults;
pub use handles::{Change, Repo};
use key::AppKey;
use links::Links;
pub use options::{Options, TokenForm};
use world::{App, RepoState, World};

use crate::{
    SandboxError,
    delivery::{Delivered, Signature},
    listen::{Listening, bind},
    views::{CheckView, ThreadView, checks_text},
    wire::Wire,
};

/// A fake GitHub on the loopback, served until dropped.
pub struct GitHub {
    inner: Arc<Inner>,
    key: String,
    _listening: Listening,
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

const EVENTS: &[&str] = &[
    "check_run",
    "check_suite",
    "code_scanning_alert",
    "issue_comment",
    "pull_request",
    "pull_request_review_comment",
];

impl GitHub {
    /// Takes a port, makes the App's key, and serves.
    ///
    /// # Errors
    /// [`SandboxError`] where there is no port, no key, or no schemas in the named folder.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let bound = bind(options.port).await?;
        let links = Links::new(bound.address, &options.base_path);
        let key = AppKey::at(options.key.as_deref())?;
        let app = App {
            id: options.app_id,
            client_id: format!("Iv23li{:014}", options.app_id),
            slug: options.slug,
            public_key: key.public,
            installation: 54_321,
            permissions: options.permissions.into_iter().collect(),
            events: EVENTS.iter().map(|e| (*e).to_owned()).collect(),
            suspended: false,
            installed: true,
            token_form: TokenForm::Classic,
            webhook_secret: options.webhook_secret,
            webhook_url: options.webhook_url,
        };
        let jwt_clock = options.jwt_clock.unwrap_or_else(|| Arc::clone(&options.clock));
        let wire = Wire::new(options.record, options.schemas, "github", "")?;
        let inner = Arc::new(Inner {
            world: Mutex::new(World::new(options.clock, jwt_clock, links.clone(), app)),
            links,
            base_path: options.base_path,
            banner: options.banner,
            wire,
        });
        let listening = bound.serve(Arc::clone(&inner));
        Ok(Self { inner, key: key.pem, _listening: listening })
    }

    /// The address of the API, base path included.
    pub fn url(&self) -> String {
        self.inner.links.api.to_string()
    }

    /// The address of the pages.
    pub fn web_url(&self) -> String {
        self.inner.links.web.to_string()
    }

    /// The App's private key, in PEM as GitHub hands it out.
    pub fn private_key(&self) -> &str {
        &self.key
    }

    /// The App's number.
    pub fn app_id(&self) -> u64 {
        self.inner.world().app.id
    }

    /// The number of the one installation.
    pub fn installation_id(&self) -> u64 {
        self.inner.world().app.installation
    }

    /// The repository with this name, made if it is not there.
    pub fn repo(&self, full_name: &str) -> Repo {
        let at = self.inner.world().repo_or_new(full_name);
        Repo::new(&self.inner, at)
    }

    /// The repositories that the App is installed on, as the forge would name them to it.
    pub fn repositories(&self) -> Vec<RepoId> {
        let world = self.inner.world();
        let installed = world.repos.iter().filter(|repo| repo.installed);
        let repos = installed.filter_map(|repo| {
            Some(RepoId {
                forge: ForgeKind::GitHub,
                installation: world.app.installation,
                id: repo.id,
                name: RepoName::new(repo.full_name()).ok()?,
            })
        });
        repos.collect()
    }

    /// The change with this number, in the first repository that has one; opened in the first
    /// repository (`acme/shop` where there is none) if none has.
    pub fn change(&self, number: u64) -> Change {
        let found = self.inner.world().repos.iter().position(|r| r.changes.contains_key(&number));
        match found {
            Some(at) => Repo::new(&self.inner, at).change(number),
            None => {
                let first = self.inner.world().repos.first().map(RepoState::full_name);
                self.repo(first.as_deref().unwrap_or("acme/shop")).change(number)
            }
        }
    }

    /// Where deliveries go from now on.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        self.inner.world().app.webhook_url = Some(url.into());
    }

    /// What installation tokens look like from now on, where the request does not say.
    pub fn set_token_form(&self, form: TokenForm) {
        self.inner.world().app.token_form = form;
    }

    /// What the App may do from now on; tokens that exist keep what they have.
    pub fn set_permissions(&self, permissions: &[(&str, &str)]) {
        let owned = permissions.iter().map(|(p, l)| ((*p).to_owned(), (*l).to_owned()));
        self.inner.world().app.permissions = owned.collect();
    }

    /// Suspends or resumes the installation.
    pub fn set_suspended(&self, suspended: bool) {
        self.inner.world().app.suspended = suspended;
    }

    /// Removes the installation, with its tokens.
    pub fn uninstall(&self) {
        let mut world = self.inner.world();
        world.app.installed = false;
        world.tokens.clear();
    }

    /// Lets every token that exists expire now.
    pub fn expire_tokens(&self) {
        self.inner.world().tokens.clear();
    }

    /// How many tokens that the App asked for are neither expired nor revoked.
    pub fn live_tokens(&self) -> usize {
        let world = self.inner.world();
        let now = world.clock.now();
        world.tokens.values().filter(|t| !t.onlooker && t.expires > now).count()
    }

    /// A token for somebody who looks on: it is none of the App's, and may read commits too.
    pub fn token(&self, repositories: &[&str], permissions: &[(&str, &str)]) -> String {
        let mut world = self.inner.world();
        let repos = world.repos.iter().filter(|r| repositories.contains(&r.full_name().as_str()));
        let repos = repos.map(|r| r.id).collect();
        let mut granted: BTreeMap<String, String> =
            permissions.iter().map(|(p, l)| ((*p).into(), (*l).into())).collect();
        granted.entry("metadata".to_owned()).or_insert_with(|| "read".to_owned());
        let expires = world.clock.now() + world::HOUR;
        let token = world::Token { permissions: granted, repos, expires, onlooker: true };
        let text = format!("ghs_{}", uuid::Uuid::new_v4().simple());
        world.tokens.insert(text.clone(), token);
        text
    }

    /// Trouble on demand.
    pub fn faults(&self) -> Faults {
        Faults { inner: Arc::clone(&self.inner) }
    }

    /// Delivers an event ("pull_request.opened") about the change with this number; a number that
    /// no change has will do for events that are about none ("installation.created", "ping").
    pub async fn deliver(&self, event: &str, number: u64) -> Delivered {
        let at = {
            let world = self.inner.world();
            world.repos.iter().position(|r| r.changes.contains_key(&number)).unwrap_or_default()
        };
        handles::deliver(&self.inner, at, number, event).await
    }

    /// Delivers any bytes.
    pub async fn deliver_raw(
        &self,
        event: &str,
        payload: impl Into<Bytes>,
        signature: Signature,
    ) -> Delivered {
        let event = event.split('.').next().unwrap_or_default().to_owned();
        let payload = payload.into();
        let parcel = Parcel { event, payload, signature, guid: None, redelivery: false };
        send(&self.inner, parcel).await
    }

    /// The payload of an event, without delivering it.
    pub fn payload(&self, event: &str, number: u64) -> Option<serde_json::Value> {
        let world = self.inner.world();
        let repo = world.repos.iter().find(|r| r.changes.contains_key(&number));
        payloads::payload(&world, repo.or(world.repos.first())?, number, event)
    }

    /// Delivers an earlier delivery again, under the same GUID. `None` if there was none.
    pub async fn redeliver(&self, delivery: &str) -> Option<Delivered> {
        handles::redeliver(&self.inner, |d| d.delivery == delivery).await
    }

    /// The threads of a change.
    pub fn threads(&self, number: u64) -> Vec<ThreadView> {
        self.change(number).threads()
    }

    /// The thread at `path:line`, as text.
    pub fn thread(&self, number: u64, place: &str) -> String {
        self.change(number).thread(place)
    }

    /// The App's comments on the change as a whole, as text.
    pub fn summary(&self, number: u64) -> String {
        self.change(number).summary()
    }

    /// The checks of a commit, as text.
    pub fn check(&self, head: &str) -> String {
        checks_text(&self.checks(head))
    }

    /// The checks of a commit.
    pub fn checks(&self, head: &str) -> Vec<CheckView> {
        let world = self.inner.world();
        let all = world.repos.iter().flat_map(|r| &r.checks).filter(|c| c.head == head);
        all.map(views::check).collect()
    }

    /// A person answers in the thread at `path:line`. The id of the comment, if there is a thread.
    pub fn reply(&self, number: u64, place: &str, login: &str, text: &str) -> Option<u64> {
        self.change(number).reply(place, login, text)
    }

    /// Comments of the App that no test has looked at since they were written or changed.
    pub fn unread(&self) -> Vec<String> {
        views::unread(&self.inner.world())
    }

    crate::handles::looking_on!();
}
