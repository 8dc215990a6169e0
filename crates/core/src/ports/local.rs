//! Time, randomness and counting: passed in, so that a test can hold them still.

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
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
