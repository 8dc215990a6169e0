//! What can be chosen about a store, and what cannot.

use std::time::Duration;

use chaffinch_core::StoreError;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest that anything derived from a repository is kept.
pub const MAX_TTL: Duration = DAY.saturating_mul(180);

/// How long the queue outlives its last write; also the life of a dead letter.
pub const QUEUE_KEEP: Duration = DAY.saturating_mul(30);

/// The longest that a job may be put off.
pub const MAX_RETRY_DELAY: Duration = DAY.saturating_mul(7);

/// The largest value that a vault takes, in bytes.
pub const MAX_VALUE_BYTES: usize = 128 * 1024 * 1024;

/// How the queue behaves; the same for both stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueConfig {
    /// How long a worker may be silent before another takes its job: 1 second to 1 hour.
    pub lease: Duration,
    /// How long a job that is over keeps its duplicates away: 1 second to 30 days.
    pub seen_ttl: Duration,
    /// How many jobs may wait or run; past it, new ones are refused as unavailable.
    pub max_jobs: u64,
    /// How many dead letters are kept; past it, the oldest go.
    pub max_dead: u64,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            seen_ttl: DAY.saturating_mul(3),
            max_jobs: 100_000,
            max_dead: 1_000,
        }
    }
}

impl QueueConfig {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let second = Duration::from_secs(1);
        if !(second..=second * 3600).contains(&self.lease) {
            return Err(refused("a lease must last between 1 second and 1 hour"));
        }
        if !(second..=QUEUE_KEEP).contains(&self.seen_ttl) {
            return Err(refused("done jobs must be remembered for 1 second to 30 days"));
        }
        if self.max_jobs == 0 || self.max_dead == 0 {
            return Err(refused("the queue and its dead letters must have room for one job"));
        }
        Ok(())
    }
}

pub(crate) fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Refused(why.into())
}

/// Whole milliseconds, for SQL and Lua.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
