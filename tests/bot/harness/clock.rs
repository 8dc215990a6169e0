//! A clock that moves when a test says so.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chaffinch_core::Clock;
use chaffinch_server::SystemClock;
use chrono::{DateTime, TimeDelta, Utc};

#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl Default for HandClock {
    fn default() -> Self {
        let start: DateTime<Utc> = "2026-11-22T12:00:00Z".parse().unwrap();
        Self(AtomicI64::new(start.timestamp_millis()))
    }
}

impl HandClock {
    /// One that stands a minute after now: other processes read the machine's, and what they write
    /// must not be of the future.
    pub(crate) fn of_now() -> Arc<Self> {
        let now = SystemClock.now() + TimeDelta::minutes(1);
        Arc::new(Self(AtomicI64::new(now.timestamp_millis())))
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}
