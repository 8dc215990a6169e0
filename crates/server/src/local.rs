//! The machine's clock and randomness: the only place that reads either.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use chaffinch_core::{Clock, Entropy};
use chrono::{DateTime, Utc};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others come from")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn steady(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness nothing can be kept or sent safely")]
    fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        aws_lc_rs::rand::fill(&mut buffer).expect("the operating system gives random bytes");
        hex::encode(buffer)
    }
}
