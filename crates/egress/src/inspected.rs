//! A prompt that has passed the policy, but has no receipt yet.

use std::{collections::BTreeMap, fmt};

use chaffinch_core::Prompt;

use crate::{Endpoint, digest::Fields};

/// A prompt within the ceiling and the budgets, redacted: exactly what would leave. It cannot be
/// sent; only [`crate::Door::clear`] makes it so.
pub struct Inspected {
    pub(crate) prompt: Prompt,
    pub(crate) redactions: BTreeMap<String, u32>,
    pub(crate) cache_key: String,
    pub(crate) tokens: usize,
    pub(crate) policy_digest: String,
    pub(crate) origin: String,
}

impl Inspected {
    /// What would leave. Evidence is checked against this.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// How often each class of text was replaced: how many placeholders of it are in the prompt.
    /// Classes are `email` and `secret:RULE`.
    pub fn redactions(&self) -> &BTreeMap<String, u32> {
        &self.redactions
    }

    /// Two prompts with the same key ask the same of the same model at the same endpoint in the same
    /// way, whatever their random markers: SHA-256, hexadecimal.
    pub fn cache_key(&self) -> String {
        self.cache_key.clone()
    }

    /// How many tokens the whole prompt is, instructions included.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}

impl fmt::Debug for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspected").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

pub(crate) fn cache_key(prompt: &Prompt, endpoint: &Endpoint, asked_as: &str) -> String {
    let mut fields = Fields::new("chaffinch-answer-2")
        .text(prompt.version)
        .text(prompt.instructions)
        .text(prompt.schema.name)
        .text(prompt.schema.json)
        .text(prompt.question.expose())
        .text(&endpoint.base_url)
        .text(&endpoint.model)
        .text(asked_as)
        .number(prompt.max_output_tokens.into())
        .number(prompt.excerpt.lines().len() as u64);
    for line in prompt.excerpt.lines() {
        fields =
            fields.text(line.path.as_str()).number(line.number.into()).text(line.text.expose());
    }
    for note in prompt.excerpt.notes() {
        fields = fields.text(note);
    }
    fields.hex()
}
