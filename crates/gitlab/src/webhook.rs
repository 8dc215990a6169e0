//! A delivery → a job, or a reason why it is none.

mod events;
mod ring;
mod signature;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{Clock, DeliveryId, Job};
use http::HeaderMap;
use secrecy::SecretString;
use url::Url;

use crate::{ConfigError, Projects};
use ring::Ring;
pub use signature::new_signing_token;

/// A secret that GitLab and we share.
#[derive(Debug, Clone)]
pub struct HookSecret {
    /// Whose deliveries it may vouch for; `None` for all. Whoever runs a project can read its hook's
    /// secret token, and so could speak for others: what is of another project comes to nothing.
    pub projects: Option<Projects>,
    /// A signing token (`whsec_…`), or else what stands in `X-Gitlab-Token`.
    pub secret: SecretString,
}

/// What the receiver must be told.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where GitLab is installed; its sub-path is part of the addresses in deliveries.
    pub url: Url,
    /// The secrets in force and, while they are rotated, those before; at most 10,000. Where there are
    /// more than 32, at most 8 may vouch for any one project, its groups' included.
    pub secrets: Vec<HookSecret>,
    /// The jobs whose end means work, by name. Not needed where pipeline events come.
    pub jobs: Vec<String>,
}

/// Receives deliveries.
pub struct Webhook {
    ring: Ring,
    jobs: Vec<String>,
    /// `/gitlab`, or empty.
    sub_path: String,
    clock: Arc<dyn Clock>,
}

/// What a delivery that is really GitLab's comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Something to do.
    ///
    /// The head of a job for a pipeline on a merged result is that merge: the event does not say
    /// more. The change itself must be read for its real head.
    Job(Job),
    /// Nothing to do; why, for the log. GitLab stops a hook after four answers that are no 2xx, so
    /// whatever is authentic comes to this at worst.
    NotOurs(&'static str),
}

/// Why a delivery is turned away. No text of it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It is not from GitLab, or not whole.
    #[error("the signature or secret token is missing or wrong")]
    BadSignature,
    /// It is signed, but too long ago, or by a clock that is ahead of ours.
    #[error("signed more than 5 minutes ago or ahead: is one of the clocks wrong?")]
    Stale,
}

impl Webhook {
    /// Takes the secrets, each of which may sign or vouch for a delivery.
    ///
    /// # Errors
    /// [`ConfigError`] where there is no secret, or a short or malformed one, or too many.
    pub fn new(config: WebhookConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let sub_path = config.url.path().trim_end_matches('/');
        let sub_path = sub_path.strip_suffix("/api/v4").unwrap_or(sub_path).to_owned();
        let ring = Ring::new(config.secrets, &sub_path)?;
        Ok(Self { ring, jobs: config.jobs, sub_path, clock })
    }

    /// Verifies a delivery on its raw body, then reads it. Nothing of it is read before, but on a server
    /// of many projects the name of its own.
    ///
    /// # Errors
    /// [`Rejected`] where it is not authentic. What is authentic but of no interest, or cannot be
    /// read, is no error.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Received, Rejected> {
        // Newer servers send an id and a time with every delivery; only this one says that it is
        // signed. What claims to be signed is never taken on the secret token instead.
        let signed = headers.contains_key(signature::HEADER);
        let fitting = self.ring.fitting(headers, body, signed);
        if fitting.is_empty() {
            return Err(Rejected::BadSignature);
        }
        if signed && !signature::is_timely(headers, self.clock.now()) {
            return Err(Rejected::Stale);
        }
        let received = events::decode(self, delivery(headers, signed, body), body);
        let covers =
            |job: &Job| fitting.iter().any(|of| of.is_none_or(|of| of.covers(&job.repo.name)));
        match received {
            // Authentic all the same: a refusal would count against the hook of a whole group.
            Received::Job(job) if !covers(&job) => {
                let (delivery, repository) = (&job.delivery, &job.repo.name);
                tracing::warn!(%delivery, %repository, "of a project that its secret is not for");
                Ok(Received::NotOurs("of a project that its secret is not for"))
            }
            received => Ok(received),
        }
    }
}

/// The id of a delivery, the same when it is sent again. Where it is signed, the id that is part of
/// what is signed; older servers send none, and the same body is the same event there.
/// (`X-Gitlab-Event-UUID` is none: hooks that set off each other share it.)
fn delivery(headers: &HeaderMap, signed: bool, body: &[u8]) -> DeliveryId {
    let names: &[&str] = match signed {
        true => &[signature::ID],
        false => &["idempotency-key", signature::ID],
    };
    let mut given = names.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    if let Some(id) = given.find_map(|id| DeliveryId::new(id).ok()) {
        return id;
    }
    let digest = format!("sha256:{}", hex::encode(digest(&SHA256, body)));
    #[expect(clippy::expect_used, reason = "71 printable characters")]
    DeliveryId::new(digest).expect("a digest is a delivery id")
}

#[cfg(test)]
mod tests;
