//! The o200k_base vocabulary.

use std::sync::OnceLock;

use chaffinch_core::TokenCount;
use tiktoken_rs::CoreBPE;

/// Counts tokens by the o200k_base vocabulary; loaded once in a process.
#[derive(Clone, Copy)]
pub struct O200k(Option<&'static CoreBPE>);

static VOCABULARY: OnceLock<Option<CoreBPE>> = OnceLock::new();

impl O200k {
    /// The counter. The first call in a process takes a good part of a second: call it at start.
    pub fn load() -> Self {
        Self(VOCABULARY.get_or_init(|| tiktoken_rs::o200k_base().ok()).as_ref())
    }
}

impl TokenCount for O200k {
    fn count(&self, text: &str) -> usize {
        match self.0 {
            Some(vocabulary) => vocabulary.encode_ordinary(text).len(),
            // No text is more tokens than bytes, so a budget still holds.
            None => text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_o200k() {
        let tokens = O200k::load();
        assert_eq!(tokens.count(""), 0);
        assert_eq!(tokens.count("hello world"), 2);
        assert_eq!(tokens.count("12 cursor.execute(\"SELECT 1\")\n"), 8);
    }

    #[test]
    fn a_special_token_in_source_is_plain_text() {
        assert!(O200k::load().count("<|endoftext|>") > 1);
    }
}
