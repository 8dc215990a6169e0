//! A delivery → a job, or a reason why it is none.

mod events;
mod installation;
mod signature;

use chaffinch_core::{DeliveryId, Job, RepoId};
use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};

use crate::ConfigError;
use signature::Key;

/// A shorter secret can be guessed from one delivery, away from our server.
const LEAST_SECRET: usize = 16;

/// Receives deliveries.
pub struct Webhook {
    keys: Vec<Key>,
    app_id: u64,
}

/// What a delivery that is really GitHub's comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Something to do.
    ///
    /// The head of a job for a code-scanning alert on a trial merge is that merge: the event does
    /// not say more. The change itself must be read for its real head.
    Job(Job),
    /// The App was installed on repositories, or taken off them.
    Installation(Installation),
    /// Nothing to do; why, for the log.
    NotOurs(&'static str),
}

/// Repositories that came to an installation, or left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its id.
    pub id: u64,
    /// The login of whoever did it.
    pub by: String,
    /// What happened.
    pub what: Moved,
}

/// What happened to an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// These repositories belong to it from now on.
    Added(Vec<RepoId>),
    /// These no longer do.
    Removed(Vec<RepoId>),
    /// None does any more: the App was uninstalled.
    Uninstalled,
}

/// Why a delivery is turned away. No text of it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It is not from GitHub, or not whole.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// It cannot be read.
    #[error("malformed: {0}")]
    Malformed(String),
    /// It has a form that we do not take.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
}

impl Webhook {
    /// Takes the secret in force and, while it is rotated, the one before. `app_id` is our own App's:
    /// what our own checks cause is no reason to work.
    ///
    /// # Errors
    /// [`ConfigError`] where there is no secret, an empty or short one, or more than two.
    pub fn new(secrets: Vec<SecretString>, app_id: u64) -> Result<Self, ConfigError> {
        if secrets.is_empty() {
            return Err(ConfigError::NoSecret);
        }
        if secrets.len() > 2 {
            return Err(ConfigError::TooManySecrets);
        }
        if secrets.iter().any(|s| s.expose_secret().len() < LEAST_SECRET) {
            return Err(ConfigError::ShortSecret(LEAST_SECRET));
        }
        let keys = secrets.iter().map(|s| Key::new(s.expose_secret().as_bytes())).collect();
        Ok(Self { keys, app_id })
    }

    /// Verifies a delivery on its raw body, then reads it. Nothing of it is parsed before.
    ///
    /// # Errors
    /// [`Rejected`] where it is not authentic, or cannot be read. What is authentic but of no
    /// interest is no error.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Received, Rejected> {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        // All keys are tried, so that the time does not tell which one fits.
        let signature = text("x-hub-signature-256").unwrap_or_default();
        let authentic =
            self.keys.iter().fold(false, |fits, key| key.signed(body, signature) | fits);
        if !authentic {
            return Err(Rejected::BadSignature);
        }
        let kind = text(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Rejected::Unsupported(
                "want application/json: set it as the webhook's content type",
            ));
        }
        let missing = |name: &str| Rejected::Malformed(format!("{name} is missing or malformed"));
        let event = text("x-github-event").ok_or_else(|| missing("X-GitHub-Event"))?;
        let delivery = text("x-github-delivery").and_then(|id| DeliveryId::new(id).ok());
        let delivery = delivery.ok_or_else(|| missing("X-GitHub-Delivery"))?;
        events::decode(event, delivery, self.app_id, body)
    }
}

#[cfg(test)]
mod tests;
