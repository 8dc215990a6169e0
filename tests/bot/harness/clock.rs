//! A clock that moves when a test says so.

use std::sync::atomic::{AtomicI64, Ordering};

use chaffinch_core::Clock;
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
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}
