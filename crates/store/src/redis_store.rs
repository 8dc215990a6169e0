//! The store for any number of processes: Redis 7.0 or newer, or Valkey.

mod audit;
mod check;
pub mod keys;
mod link;
mod queue;
mod shelf;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chaffinch_core::{
    Acked, Audit, Book, Chain, ChangeId, Clock, Destroyed, Enqueued, Entropy, Job, Lease, Ledger,
    Page, Queue, QueueDepth, Receipt, Receipts, RepoId, Settled, SourceBytes, StoreError, Stored,
    Vault, VaultKind,
};
use chrono::{DateTime, Utc};
use redis::{Client, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};

use self::{keys::Keys, link::Link, queue::RedisQueue, shelf::RedisShelf};
use crate::{
    Sealer,
    cabinet::Cabinet,
    config::{QueueConfig, refused},
    ports::store_ports,
};

/// Where Redis is, and how to behave there.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// `redis://`, `rediss://` (TLS) or `unix://`, with user and password if it takes any.
    pub url: SecretString,
    /// Starts every key: 1 to 64 letters, digits, `-`, `_`, `.` or `:`.
    pub prefix: String,
    /// How the queue behaves.
    pub queue: QueueConfig,
    /// How long one request of the queue may take.
    pub timeout: Duration,
    /// How long one request of the vault may take; values are up to 128 MiB.
    pub bulk_timeout: Duration,
    /// Certificates to trust, PEM, instead of the machine's.
    pub ca: Option<Vec<u8>>,
}

impl RedisConfig {
    /// The Redis at `url`, with the defaults: prefix `chaffinch`, 1 second, 15 seconds in bulk.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            prefix: "chaffinch".to_owned(),
            queue: QueueConfig::default(),
            timeout: Duration::from_secs(1),
            bulk_timeout: Duration::from_secs(15),
            ca: None,
        }
    }
}

/// Queue, vault, ledger and receipts on Redis.
#[derive(Clone)]
pub struct RedisStore {
    queue: Arc<RedisQueue>,
    cabinet: Arc<Cabinet>,
}

impl RedisStore {
    /// Connects, and checks that the server does not evict.
    ///
    /// `rediss://` needs a process-wide rustls provider, which the program installs.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the configuration or the server is unfit, with what to set;
    /// [`StoreError::Unavailable`] if the server does not answer.
    pub async fn connect(
        config: RedisConfig,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        config.queue.check()?;
        check_prefix(&config.prefix)?;
        let client = client(&config)?;
        let keys = Keys::new(&config.prefix);
        // Two connections, so that a large value never stands in front of the queue.
        let queue_link = Link::new(client.clone(), config.timeout)?;
        let shelf_link = Link::new(client, config.bulk_timeout)?;
        check::server(&queue_link).await?;
        let shelf = Arc::new(RedisShelf { link: shelf_link, keys: keys.clone() });
        let cabinet = Cabinet::new(shelf, sealer, Arc::clone(&clock), Arc::clone(&entropy));
        let queue = RedisQueue { link: queue_link, keys, config: config.queue, clock, entropy };
        Ok(Self { queue: Arc::new(queue), cabinet: Arc::new(cabinet) })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisStore(..)")
    }
}

fn check_prefix(prefix: &str) -> Result<(), StoreError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(allowed) {
        return Err(refused(
            "the prefix of keys must be 1 to 64 letters, digits, or any of - _ . :",
        ));
    }
    Ok(())
}

fn client(config: &RedisConfig) -> Result<Client, StoreError> {
    let url = config.url.expose_secret();
    let client = match &config.ca {
        Some(ca) => {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(ca.clone()) };
            Client::build_with_tls(url, certificates)
        }
        None => Client::open(url),
    };
    client.map_err(|_| {
        refused("the url of redis is not one: want redis://, rediss:// or unix://, and readable certificates")
    })
}

#[async_trait]
impl Audit for RedisStore {
    async fn walk(&self, each: &mut (dyn FnMut(Stored) + Send)) -> Result<(), StoreError> {
        let RedisQueue { link, keys, .. } = &*self.queue;
        audit::walk(link, keys, &self.cabinet, each).await
    }
}

store_ports!(RedisStore);
