//! What became of a disclosure.

use chaffinch_core::{Receipt, Settled, StoreError};

use super::{Door, kept_for};
use crate::{Completion, ModelError, answer_digest};

/// The longest id of a request that is kept.
const MAX_REQUEST_ID: usize = 200;

/// How a disclosure ended; holds nothing of the answer's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// A word for it: `answered`, `malformed`, or [`ModelError::word`].
    pub outcome: &'static str,
    /// SHA-256 of the answer's text, where there is one.
    pub answer_digest: Option<String>,
    /// The endpoint's id for the request. Untrusted.
    pub request_id: Option<String>,
}

impl Ending {
    /// Of an answer, which `outcome` says a word for.
    pub fn of_answer(outcome: &'static str, answer: &Completion) -> Self {
        Self {
            outcome,
            answer_digest: Some(answer_digest(&answer.text)),
            request_id: answer.request_id.clone(),
        }
    }

    /// Where there is no answer.
    pub fn of_failure(error: &ModelError) -> Self {
        Self { outcome: error.word(), answer_digest: None, request_id: None }
    }
}

impl Door {
    /// Writes down what became of a disclosure, for as long as its receipt is kept. To be called once
    /// the prompt and the answer are dropped, which wipes them: it says that this is done.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn settle(&self, receipt: &Receipt, ending: Ending) -> Result<(), StoreError> {
        let settled = Settled {
            receipt: receipt.id.clone(),
            deleted: self.clock.now(),
            answer_digest: ending.answer_digest,
            request_id: ending.request_id.as_deref().and_then(printable),
            outcome: ending.outcome.to_owned(),
        };
        let keep = kept_for(&self.in_force().policy);
        self.receipts.settle(&receipt.change, &settled, keep).await
    }
}

/// What is printable ASCII of it, if anything is.
fn printable(text: &str) -> Option<String> {
    let text: String = text.chars().filter(char::is_ascii_graphic).take(MAX_REQUEST_ID).collect();
    (!text.is_empty()).then_some(text)
}
