//! What a job that did not end well is to do next: decided here, where the error is understood.

use chaffinch_core::{ForgeError, StoreError};
use chrono::{DateTime, Utc};

/// Why a job is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The same job may succeed later.
    #[error("to be tried again: {why}")]
    Retry {
        /// When, if somebody said; otherwise the worker chooses.
        at: Option<DateTime<Utc>>,
        /// What happened, in our own words.
        why: String,
    },
    /// Trying again changes nothing.
    #[error("given up: {why}")]
    Fail {
        /// What happened, in our own words.
        why: String,
    },
}

impl From<ForgeError> for JobError {
    fn from(error: ForgeError) -> Self {
        match error {
            ForgeError::RateLimited { until } => {
                Self::Retry { at: Some(until), why: "the forge limits our rate".into() }
            }
            ForgeError::Unavailable { why } => {
                Self::Retry { at: None, why: format!("the forge is unavailable: {why}") }
            }
            ForgeError::NotFound => {
                Self::Fail { why: "the change or its repository is gone".into() }
            }
            other => Self::Fail { why: format!("the forge: {other}") },
        }
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Retry { at: None, why: error.to_string() }
    }
}

/// Whether the same call may succeed later.
pub(crate) fn passes(error: &ForgeError) -> bool {
    matches!(error, ForgeError::RateLimited { .. } | ForgeError::Unavailable { .. })
}
