//! A model that is not asked: what would have been sent to it is kept.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chaffinch_core::{Prompt, Receipt};
use chaffinch_egress::{Cleared, Completion, Model, ModelError};
use chaffinch_openai::{Client, Sheet};

/// Sends nothing.
pub struct Rehearsal {
    client: Client,
    kept: Mutex<Vec<(Receipt, Sheet)>>,
}

impl Rehearsal {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, kept: Mutex::default() }
    }

    /// What would have left so far, each with its receipt, in no order.
    pub fn kept(&self) -> Vec<(Receipt, Sheet)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Model for Rehearsal {
    async fn complete(&self, prompt: &Cleared<Prompt>) -> Result<Completion, ModelError> {
        let sheet = self.client.outgoing(prompt)?;
        let kept = (prompt.receipt().clone(), sheet);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        // As a model that has nothing to say: the next finding is asked about all the same.
        Err(ModelError::Refused)
    }
}
