//! What routes and workers share.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chaffinch_core::{
    Audit, Clock, Consent, Enabling, Enqueued, Entropy, Forge, ForgeKind, Job, Ledger, Queue,
    Receipts, RepoId, RepoName, StoreError, Vault,
};
use chaffinch_egress::Door;
use chaffinch_triage::Engine;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use tokio::sync::{Notify, Semaphore};

use crate::{consent, deletion::Shredder, forges::Forges, notice::Notice};

/// How often what lasts is written again.
const KEEPING: Duration = Duration::from_secs(24 * 60 * 60);

/// The wired program: ports, limits, and the bell that wakes workers.
pub struct App {
    pub(crate) forges: Forges,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) receipts: Arc<dyn Receipts>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) notice: Notice,
    pub(crate) consent_on_installation: bool,
    /// When consents were last written again, by the steady clock.
    pub(crate) kept: Mutex<Option<Duration>>,
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

/// Whether something may be read of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// It may.
    Granted,
    /// The policy in force does not list it.
    Unlisted,
    /// Nobody has enabled it.
    Unconsented,
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

    /// Whether something may be read of a repository: the policy in force lists it, and somebody has
    /// enabled it.
    ///
    /// # Errors
    /// The store does not answer, so that nobody knows; then nothing may be read.
    pub(crate) async fn may_read(&self, repo: &RepoId) -> Result<Permission, StoreError> {
        if !self.door.allows(repo.forge, &repo.name) {
            return Ok(Permission::Unlisted);
        }
        Ok(match consent::of(&*self.ledger, repo).await? {
            Some(_) => Permission::Granted,
            None => Permission::Unconsented,
        })
    }

    /// Counts the policy's notice; and once a day writes every consent again so that it lasts, and
    /// destroys what deletions have left behind.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn keep_promises(&self) -> anyhow::Result<()> {
        self.notice.look().await?;
        let now = self.clock.steady();
        let due = |last: &Duration| now.saturating_sub(*last) >= KEEPING;
        if self.kept.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_none_or(due) {
            consent::renew(&*self.ledger).await?;
            self.shredder().finish().await?;
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        Ok(())
    }

    /// Records that somebody enabled a repository, under the policy in force.
    ///
    /// # Errors
    /// The store does not answer, or `by` says nothing.
    pub async fn enable(&self, repo: &RepoId, by: &str, how: Enabling) -> anyhow::Result<()> {
        let consent = Consent {
            repo: repo.clone(),
            by: by.to_owned(),
            at: self.clock.now(),
            how,
            policy_digest: self.door.policy_digest(),
        };
        consent::record(&*self.ledger, consent).await
    }

    /// What it takes to destroy everything of a repository.
    pub fn shredder(&self) -> Shredder<'_> {
        Shredder {
            vault: &*self.vault,
            receipts: &*self.receipts,
            ledger: &*self.ledger,
            clock: &*self.clock,
            entropy: &*self.entropy,
        }
    }

    /// The forge of this kind, if it is configured.
    pub fn forge(&self, kind: ForgeKind) -> Option<&dyn Forge> {
        self.forges.get(kind)
    }

    /// Policies, consents, deletions.
    pub fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
    }

    /// What left.
    pub fn receipts(&self) -> &dyn Receipts {
        &*self.receipts
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
