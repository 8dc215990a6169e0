//! What we ask of a store. Two exist: Redis, and an embedded one on SQLite.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Acked, Chain, ChangeId, Destroyed, Enqueued, Job, Lease, QueueDepth, Receipt, RepoId, Settled,
    SourceBytes, Stored,
};

/// A durable queue. A job that was accepted is done at least once, whatever crashes.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Offers a job. When this returns [`Enqueued::New`], the job is durable. The same delivery, or
    /// the same [`Job::key`], is a duplicate, unless the earlier one was buried: then it runs again.
    /// After [`Acked::Nothing`] only the same delivery is a duplicate.
    async fn enqueue(&self, job: &Job) -> Result<Enqueued, StoreError>;

    /// Takes the oldest job that is due and whose lane is free, until the lease's deadline. A job
    /// whose lease has run out is due again. Never waits: `None` if there is nothing to do now.
    async fn lease(&self) -> Result<Option<Lease>, StoreError>;

    /// Puts the deadline off. False if the lease is lost: then stop, another worker has the job.
    async fn extend(&self, lease: &Lease) -> Result<bool, StoreError>;

    /// The job is over, and what came of it says what counts as a duplicate from now on. False if
    /// the lease was lost.
    async fn ack(&self, lease: &Lease, outcome: Acked) -> Result<bool, StoreError>;

    /// Not now: the job is due again at `at`, at most 7 days ahead; a later time is refused. False
    /// if the lease was lost.
    async fn retry(&self, lease: &Lease, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Never: the job goes to the dead letters, with `why` in our own words. False if the lease was
    /// lost.
    async fn bury(&self, lease: &Lease, why: &str) -> Result<bool, StoreError>;

    /// How many jobs are where.
    async fn depth(&self) -> Result<QueueDepth, StoreError>;

    /// Whether the store can take a job now.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// What a sealed value is; each kind has its own name space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VaultKind {
    /// A model's checked answer.
    Answer,
    /// What is known of a change: the outcomes of its last run.
    Record,
    /// An uploaded report that waits for its job.
    Report,
    /// An entry of the evaluation log.
    Evaluation,
}

impl VaultKind {
    /// The word used in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Record => "record",
            Self::Report => "report",
            Self::Evaluation => "evaluation",
        }
    }
}

/// Sealed values with a time to live, each readable only through the repository that wrote it.
///
/// A key has 1 to 512 bytes and no control characters; another one is refused.
///
/// A value is encrypted with a key derived for its repository and bound to its kind and key, so
/// that a value moved to another place does not open.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The value, if it is there, has not expired, and opens. A damaged value counts as absent.
    async fn get(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
    ) -> Result<Option<SourceBytes>, StoreError>;

    /// Keeps a value of at most 128 MiB for `ttl`, at most 180 days; a larger value or a longer time
    /// is refused.
    async fn put(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
        value: &SourceBytes,
        ttl: Duration,
    ) -> Result<(), StoreError>;

    /// Removes a value, if it is there.
    async fn remove(&self, repo: &RepoId, kind: VaultKind, key: &str) -> Result<(), StoreError>;

    /// The keys of a kind that start with `prefix`, sorted; at most 1,000.
    async fn keys(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError>;

    /// The repositories of which anything is kept, each by its key and the latest name that is known
    /// (`unknown/unknown` where none is), sorted by key.
    async fn holders(&self) -> Result<Vec<RepoId>, StoreError>;

    /// Destroys everything of a repository, receipts included, by destroying its key; how much of each
    /// kind that was (by [`VaultKind::as_str`], and `receipt`, `job`), as far as it can be counted.
    async fn destroy(&self, repo: &RepoId) -> Result<Destroyed, StoreError>;
}

/// What the ledger is divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Book {
    /// Which policies were announced, and when each was in force.
    Policy,
    /// Who enabled which repository, by its key.
    Consent,
    /// What was destroyed.
    Deletion,
}

impl Book {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Policy, Self::Consent, Self::Deletion];

    /// The word used in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Consent => "consent",
            Self::Deletion => "deletion",
        }
    }
}

/// A page of the ledger as it was read.
#[derive(Debug, Clone)]
pub struct Page {
    /// What it says.
    pub text: SourceBytes,
    /// Tells this writing of the page from any other; the store's own.
    pub version: Vec<u8>,
}

/// What the program keeps of its own: not of a repository, so nothing that destroys one destroys it.
/// Sealed like all else, and with a time to live: whoever wants a page to last writes it again.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// A page, if it is there, has not expired, and opens. A page that does not open is an error, since
    /// to take it for absent would forget what was promised.
    async fn read(&self, book: Book, name: &str) -> Result<Option<Page>, StoreError>;

    /// Writes a page for `keep` (at most 180 days), durably, over exactly what was read, or where
    /// nothing lay. False, and nothing is written, if something else lies there by now.
    async fn write(
        &self,
        book: Book,
        name: &str,
        text: &SourceBytes,
        over: Option<&Page>,
        keep: Duration,
    ) -> Result<bool, StoreError>;

    /// Removes a page, if it is there.
    async fn strike(&self, book: Book, name: &str) -> Result<(), StoreError>;

    /// The names of a book's pages, sorted.
    async fn pages(&self, book: Book) -> Result<Vec<String>, StoreError>;
}

/// Receipts, append-only, kept for at most 180 days.
#[async_trait]
pub trait Receipts: Send + Sync {
    /// Keeps a receipt for `keep`, at most 180 days. When this returns, it is durable, and only then may
    /// the text leave. What it says of [`Receipt::settled`] is not kept here. Its id
    /// is 1 to 64 ASCII letters and digits, or it is refused; appending the same id again for the
    /// same change changes nothing.
    async fn append(&self, receipt: &Receipt, keep: Duration) -> Result<(), StoreError>;

    /// Adds what became of a disclosure of `change` to the same chain. The same receipt's again changes
    /// nothing.
    async fn settle(
        &self,
        change: &ChangeId,
        settled: &Settled,
        keep: Duration,
    ) -> Result<(), StoreError>;

    /// The receipts of a repository, or of one of its changes, oldest first, each with what became of it.
    async fn list(&self, repo: &RepoId, change: Option<u64>) -> Result<Vec<Receipt>, StoreError>;

    /// The repositories that have receipts, by the names that they had at the newest one, sorted.
    async fn repositories(&self) -> Result<Vec<RepoId>, StoreError>;

    /// Whether the receipts of a repository are all there, as they were written.
    async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError>;
}

/// Shows everything that is in a store, so that an audit can hold it against the rules.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Calls `each` for everything that lies there, once or, where it is changed meanwhile, more
    /// often. What the values hold is not shown.
    async fn walk(&self, each: &mut (dyn FnMut(Stored) + Send)) -> Result<(), StoreError>;
}

/// Why a store did not do it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, or cannot write now; trying again may help.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// It was asked for something that it must not do ("a time to live over 180 days").
    #[error("store refused: {0}")]
    Refused(String),
    /// Anything else.
    #[error("store: {0}")]
    Other(String),
}
