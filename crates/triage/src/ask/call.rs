//! One call of the model, and what became of it.

use chaffinch_core::{Prompt, Receipt};
use chaffinch_egress::{Cleared, Completion, Ending, ModelError};

use crate::{
    Parts,
    answer::{self, Answer},
};

/// A call that is over.
pub(crate) struct Called {
    pub(crate) result: Result<Completion, ModelError>,
    /// The answer, where it has the wanted shape.
    pub(crate) read: Option<Answer>,
    /// How long it took.
    pub(crate) milliseconds: u64,
}

impl Called {
    /// Asks the model.
    pub(crate) async fn made(parts: &Parts, cleared: &Cleared<Prompt>) -> Self {
        let started = parts.clock.now();
        let result = parts.model.complete(cleared).await;
        let took = (parts.clock.now() - started).num_milliseconds();
        let read = result.as_ref().ok().and_then(|c| answer::parse(c.text.expose()).ok());
        Self { result, read, milliseconds: u64::try_from(took).unwrap_or_default() }
    }

    /// A word for what came.
    pub(crate) fn outcome(&self) -> &'static str {
        match (&self.result, &self.read) {
            (Err(error), _) => error.word(),
            (Ok(_), None) => "malformed",
            (Ok(_), Some(_)) => "answered",
        }
    }

    /// What a settlement says of it.
    pub(crate) fn ending(&self) -> Ending {
        match &self.result {
            Ok(completion) => Ending::of_answer(self.outcome(), completion),
            Err(error) => Ending::of_failure(error),
        }
    }

    /// Why there is no answer; one that there is is wiped.
    pub(crate) fn into_error(self) -> Option<ModelError> {
        self.result.err()
    }
}

/// Writes down what became of a disclosure. Where that cannot be, nobody knows later; what was found
/// out stands.
pub(crate) async fn settle(parts: &Parts, receipt: &Receipt, ending: Ending) {
    if let Err(error) = parts.door.settle(receipt, ending).await {
        tracing::warn!(%error, receipt = receipt.id, "what became of a disclosure could not be recorded");
    }
}
