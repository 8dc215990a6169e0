//! What may leave: only this crate can make a [`Cleared`].

use chaffinch_core::{Prompt, Receipt};

/// Something that has been checked against the policy and redacted, and whose receipt is durable.
///
/// There is no public constructor, so what was not cleared cannot be sent, by type.
pub struct Cleared<T> {
    value: T,
    receipt: Receipt,
}

impl<T> Cleared<T> {
    pub(crate) fn new(value: T, receipt: Receipt) -> Self {
        Self { value, receipt }
    }

    /// The record of this disclosure.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

impl Cleared<Prompt> {
    /// What may be sent.
    pub fn prompt(&self) -> &Prompt {
        &self.value
    }
}
