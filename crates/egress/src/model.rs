//! The port to a model: it takes nothing but what was cleared.

use std::time::Duration;

use async_trait::async_trait;
use chaffinch_core::{Prompt, SourceText};

use crate::Cleared;

/// A model behind an endpoint.
#[async_trait]
pub trait Model: Send + Sync {
    /// Asks once. Retries that cannot change what is disclosed (the same prompt, to the same
    /// endpoint, after a failure that may pass) are the implementation's to make.
    async fn complete(&self, prompt: &Cleared<Prompt>) -> Result<Completion, ModelError>;

    /// Whether a prompt would be sent at all now; asks nobody. A receipt says that something may
    /// have left, so none should be written for a prompt that would stay here.
    ///
    /// # Errors
    /// What [`Self::complete`] would answer without sending anything.
    fn ready(&self) -> Result<(), ModelError> {
        Ok(())
    }
}

/// A model's whole answer.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The text, unread. Untrusted.
    pub text: SourceText,
    /// What it cost.
    pub usage: Usage,
    /// The model that answered, as the endpoint names it. Untrusted.
    pub model: String,
    /// The endpoint's id for the request, if it gives one. Untrusted; at most 200 characters.
    pub request_id: Option<String>,
}

/// What a completion cost, in the endpoint's tokens; 0 where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input: u64,
    /// Those of them that the endpoint had cached.
    pub cached: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
}

/// Why there is no completion. No case is a verdict, and no text of the answer is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The model declined.
    #[error("the model declined to answer")]
    Refused,
    /// The answer was cut off at a token limit.
    #[error("the answer was cut off")]
    Cut,
    /// A content filter stopped the prompt or the answer.
    #[error("a content filter stopped it")]
    Filtered,
    /// The prompt does not fit the model's context.
    #[error("the prompt is too large for the model")]
    TooLarge,
    /// Too many requests or tokens; trying again later helps.
    #[error("rate limited")]
    RateLimited {
        /// How long to wait, where the endpoint says.
        after: Option<Duration>,
    },
    /// The quota or credit is used up; trying again does not help.
    #[error("quota used up")]
    Quota,
    /// The endpoint refuses our credential.
    #[error("denied by the endpoint")]
    Denied,
    /// No answer, or one that says "not now"; trying again later may help.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// An answer that makes no sense as a completion.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// No connection could be made, so nothing has left; trying again later may help.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// Anything else; trying again does not help.
    #[error("{0}")]
    Other(String),
}

impl ModelError {
    /// A word for it, as metrics, settlements and the evaluation log have it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Cut => "cut",
            Self::Filtered => "filtered",
            Self::TooLarge => "too_large",
            Self::RateLimited { .. } => "rate_limited",
            Self::Quota => "quota",
            Self::Denied => "denied",
            Self::Unavailable(_) => "unavailable",
            Self::Unreachable(_) => "unreachable",
            Self::Malformed(_) => "malformed",
            Self::Other(_) => "other",
        }
    }
}
