//! An access token.

use std::sync::Arc;

use super::Project;
use crate::gitlab::{Inner, world::Token};

/// An access token.
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
    id: u64,
}

impl AccessToken {
    pub(super) fn new(inner: &Arc<Inner>, id: u64) -> Self {
        Self { inner: Arc::clone(inner), id }
    }

    fn with<T: Default>(&self, edit: impl FnOnce(&mut Token) -> T) -> T {
        self.inner.world().token_mut(self.id).map(edit).unwrap_or_default()
    }

    /// Its text, `glpat-…`.
    pub fn value(&self) -> String {
        self.with(|t| t.text.clone())
    }

    /// The number of the user that it acts as.
    pub fn user_id(&self) -> u64 {
        self.with(|t| t.user)
    }

    /// The name of the user that it acts as: `project_ID_bot_HEX`.
    pub fn username(&self) -> String {
        let id = self.user_id();
        self.inner.world().username(id).to_owned()
    }

    /// Lets it end at the start of this day, `2026-12-31`.
    pub fn expires(&self, day: &str) -> Self {
        self.with(|t| t.expires = day.parse().ok());
        self.clone()
    }

    /// Lets it reach another project too, as a group's token does.
    pub fn reach(&self, project: &Project) -> Self {
        let id = project.id();
        self.with(|t| t.projects.push(id));
        self.clone()
    }

    /// Gives it another role.
    pub fn role(&self, role: u64) -> Self {
        self.with(|t| t.role = role);
        self.clone()
    }

    /// Revokes it.
    pub fn revoke(&self) -> Self {
        self.with(|t| t.revoked = true);
        self.clone()
    }
}
