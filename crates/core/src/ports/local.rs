//! Time, randomness and counting: passed in, so that a test can hold them still.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;

    /// The time since some moment that stays the same while the program runs, by a clock that nobody can
    /// set. Where the other one can be set, this must be told by another one.
    fn steady(&self) -> Duration {
        self.now().signed_duration_since(DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
    }
}

/// Gives random text.
pub trait Entropy: Send + Sync {
    /// `bytes` random bytes from a cryptographic source, as `2 * bytes` lower-case hexadecimal
    /// digits.
    fn hex(&self, bytes: usize) -> String;
}

/// Counts tokens by the o200k_base vocabulary.
pub trait TokenCount: Send + Sync {
    /// How many tokens `text` is; special-token spellings in it count as plain text.
    fn count(&self, text: &str) -> usize;
}
