//! What routes and workers share.

use std::{sync::Arc, time::Duration};

use chaffinch_core::{
    Audit, Clock, Enqueued, Entropy, ForgeKind, Job, Queue, RepoName, StoreError, Vault,
};
use chaffinch_egress::Door;
use chaffinch_triage::Engine;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use tokio::sync::{Notify, Semaphore};

use crate::forges::Forges;

/// The wired program: ports, limits, and the bell that wakes workers.
pub struct App {
    pub(crate) forges: Forges,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) door: Arc<Door>,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) uploads: Vec<Uploader>,
    pub(crate) limits: Limits,
    pub(crate) metrics: PrometheusHandle,
    /// Rings when a job may be due.
    pub(crate) bell: Notify,
    /// One permit for each upload that may be in memory at a time.
    pub(crate) upload_room: Semaphore,
}

/// A repository whose CI may upload, and what it proves itself with.
pub(crate) struct Uploader {
    pub(crate) forge: ForgeKind,
    pub(crate) repository: RepoName,
    pub(crate) token: SecretString,
}

/// Numbers from the configuration that routes and workers need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) delivery_bytes: usize,
    pub(crate) report_bytes: usize,
    pub(crate) workers: usize,
    pub(crate) publish_after: u32,
    pub(crate) max_attempts: u32,
    pub(crate) lease: Duration,
    /// The longest that one try of a job may take.
    pub(crate) longest_try: Duration,
    pub(crate) grace: Duration,
}

impl App {
    /// Keeps a job and wakes a worker.
    pub(crate) async fn enqueue(&self, job: &Job) -> Result<Enqueued, StoreError> {
        let enqueued = self.queue.enqueue(job).await?;
        if enqueued == Enqueued::New {
            self.bell.notify_one();
        }
        Ok(enqueued)
    }

    /// The queue, for whoever wants to look at it.
    pub fn queue(&self) -> &dyn Queue {
        &*self.queue
    }

    /// All that the store holds, to hold it against the rules.
    pub fn audit(&self) -> &dyn Audit {
        &*self.audit
    }

    /// The vault, for the same: what is sealed can be seen by its keys alone.
    pub fn vault(&self) -> &dyn Vault {
        &*self.vault
    }
}
