//! A webhook of a project.

use std::sync::Arc;

use crate::gitlab::{Inner, hooks::HookState};

/// A webhook of a project.
#[derive(Clone)]
pub struct Hook {
    inner: Arc<Inner>,
    at: usize,
    id: u64,
}

impl Hook {
    pub(super) fn new(inner: &Arc<Inner>, at: usize, id: u64) -> Self {
        Self { inner: Arc::clone(inner), at, id }
    }

    fn with<T>(&self, edit: impl FnOnce(&mut HookState) -> T) -> Option<T> {
        let mut world = self.inner.world();
        world.projects[self.at].hooks.iter_mut().find(|h| h.id == self.id).map(edit)
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Where it sends to.
    pub fn url(&self) -> String {
        self.with(|h| h.url.clone()).unwrap_or_default()
    }

    /// What it is told of: `merge_requests_events`, `note_events`, ….
    pub fn events(&self) -> Vec<String> {
        self.with(|h| h.events.clone()).unwrap_or_default()
    }

    /// Sends to another address.
    pub fn set_url(&self, url: &str) -> Self {
        self.with(|h| url.clone_into(&mut h.url));
        self.clone()
    }

    /// Is told of these alone.
    pub fn set_events(&self, events: &[&str]) -> Self {
        self.with(|h| h.events = events.iter().map(|e| (*e).to_owned()).collect());
        self.clone()
    }

    /// Sends a secret in `X-Gitlab-Token`; an empty one: none.
    pub fn token(&self, token: &str) -> Self {
        self.with(|h| h.token = Some(token.to_owned()).filter(|t| !t.is_empty()));
        self.clone()
    }

    /// Signs with a signing token, `whsec_…`; an empty one: does not.
    pub fn signing_token(&self, token: &str) -> Self {
        self.with(|h| h.signing_token = Some(token.to_owned()).filter(|t| !t.is_empty()));
        self.clone()
    }

    /// `executable`, `temporarily_disabled` or `disabled`; empty once it is removed.
    pub fn alert_status(&self) -> &'static str {
        let now = self.inner.world().clock.now();
        self.with(|h| h.alert_status(now)).unwrap_or_default()
    }
}
