//! SHA-256, in hexadecimal.

use aws_lc_rs::digest::{Context, SHA256};
use chaffinch_core::{Prompt, SourceText};

/// A digest over fields, each behind its length, so that no two lists of fields share one.
pub(crate) struct Fields(Context);

impl Fields {
    /// Starts with the name and version of what is digested.
    pub(crate) fn new(what: &str) -> Self {
        Self(Context::new(&SHA256)).text(what)
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub(crate) fn hex(self) -> String {
        hex::encode(self.0.finish())
    }
}

/// SHA-256 of a whole prompt as sent: version, line feed, instructions, line feed, rendered user
/// text. What a receipt holds as `prompt_digest`.
pub fn prompt_digest(prompt: &Prompt) -> String {
    digest_rendered(prompt, &prompt.render())
}

/// SHA-256 of the text of an answer, hexadecimal. What a settlement holds as `answer_digest`.
pub fn answer_digest(answer: &SourceText) -> String {
    let mut context = Context::new(&SHA256);
    context.update(answer.expose().as_bytes());
    hex::encode(context.finish())
}

pub(crate) fn digest_rendered(prompt: &Prompt, rendered: &SourceText) -> String {
    let mut context = Context::new(&SHA256);
    for part in [prompt.version, "\n", prompt.instructions, "\n", rendered.expose()] {
        context.update(part.as_bytes());
    }
    hex::encode(context.finish())
}
