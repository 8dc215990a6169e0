use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chaffinch_core::{Clock, Entropy, TokenCount};
use chrono::{DateTime, TimeZone, Utc};

/// Stands still until it is told to go on.
pub(crate) struct FixedClock(Mutex<DateTime<Utc>>);

impl FixedClock {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()))
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Counts up, so that no two draws of one engine are the same.
#[derive(Default)]
pub(crate) struct Draws(AtomicU64);

impl Entropy for Draws {
    fn hex(&self, bytes: usize) -> String {
        let drawn = 0xf00d_0000 + self.0.fetch_add(1, Ordering::Relaxed);
        format!("{drawn:0width$x}", width = 2 * bytes)
    }
}

/// One token for each word.
pub(crate) struct Words;

impl TokenCount for Words {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }
}
