//! The forges that are configured, and what each makes of a delivery.

use std::{fmt, sync::Arc};

use axum::http::HeaderMap;
use chaffinch_core::{Forge, ForgeKind, Job, RepoName};
use chaffinch_github as github;
use chaffinch_gitlab as gitlab;

use crate::wire::Vetted;

/// The forges that are configured: one, or both.
#[derive(Default)]
pub(crate) struct Forges {
    pub(crate) github: Option<At<github::Webhook>>,
    pub(crate) gitlab: Option<At<gitlab::Webhook>>,
    /// The same GitLab, and those of its projects that are named in full: what is looked at before
    /// anything starts.
    pub(crate) vetted: Option<(Arc<Vetted>, Vec<RepoName>)>,
}

/// A forge, and the reader of its deliveries.
pub(crate) struct At<W> {
    pub(crate) forge: Arc<dyn Forge>,
    pub(crate) webhook: W,
}

/// What an authentic delivery asks for.
pub(crate) enum Received {
    /// Work.
    Job(Job),
    /// That consents be given or withdrawn.
    Installation(github::Installation),
    /// Nothing; why, in our own words.
    NotOurs(&'static str),
}

/// Why a delivery is refused.
pub(crate) enum Rejected {
    /// It is not proved to be the forge's.
    BadSignature,
    /// It is the forge's, from another time.
    Stale,
    /// It cannot be read; why, without its content.
    Malformed(String),
    /// No forge of this kind is configured.
    NoForge,
}

impl Forges {
    /// The forge of this kind, if it is configured.
    pub(crate) fn get(&self, kind: ForgeKind) -> Option<&dyn Forge> {
        match kind {
            ForgeKind::GitHub => self.github.as_ref().map(|at| &*at.forge),
            ForgeKind::GitLab => self.gitlab.as_ref().map(|at| &*at.forge),
        }
    }

    /// Asks GitLab what the tokens allow, as far as it answers.
    ///
    /// # Errors
    /// Names what is too much and not acknowledged.
    pub(crate) async fn look_at_tokens(&self) -> anyhow::Result<()> {
        match &self.vetted {
            Some((vetted, names)) => vetted.look(names).await,
            None => Ok(()),
        }
    }

    /// Which are configured.
    pub(crate) fn kinds(&self) -> Vec<ForgeKind> {
        ForgeKind::ALL.into_iter().filter(|kind| self.get(*kind).is_some()).collect()
    }

    /// Checks a delivery and decodes it.
    pub(crate) fn receive(
        &self,
        kind: ForgeKind,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Received, Rejected> {
        match kind {
            ForgeKind::GitHub => {
                let at = self.github.as_ref().ok_or(Rejected::NoForge)?;
                match at.webhook.receive(headers, body) {
                    Ok(github::Received::Job(job)) => Ok(Received::Job(job)),
                    Ok(github::Received::Installation(installation)) => {
                        Ok(Received::Installation(installation))
                    }
                    Ok(github::Received::NotOurs(why)) => Ok(Received::NotOurs(why)),
                    Err(github::Rejected::BadSignature) => Err(Rejected::BadSignature),
                    Err(other) => Err(Rejected::Malformed(other.to_string())),
                }
            }
            ForgeKind::GitLab => {
                let at = self.gitlab.as_ref().ok_or(Rejected::NoForge)?;
                match at.webhook.receive(headers, body) {
                    Ok(gitlab::Received::Job(job)) => Ok(Received::Job(job)),
                    Ok(gitlab::Received::NotOurs(why)) => Ok(Received::NotOurs(why)),
                    Err(gitlab::Rejected::Stale) => Err(Rejected::Stale),
                    Err(_) => Err(Rejected::BadSignature),
                }
            }
        }
    }
}

impl fmt::Debug for Forges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Forges").field(&self.kinds()).finish()
    }
}
