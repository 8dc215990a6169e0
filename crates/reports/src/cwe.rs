//! Weaknesses, however they are written.

use std::collections::BTreeSet;

/// The weaknesses of one result, each once.
#[derive(Debug, Default)]
pub(crate) struct Weaknesses(BTreeSet<String>);

/// More than any rule names.
const MAX: usize = 50;

impl Weaknesses {
    /// From a text that may name some: `CWE-89: SQL injection`, `external/cwe/cwe-089`.
    pub(crate) fn find_in(&mut self, text: &str) {
        let lower = text.to_ascii_lowercase();
        for (at, word) in lower.match_indices("cwe") {
            let rest = &lower[at + word.len()..];
            self.add(rest.strip_prefix(['-', '_', ':', ' ']).unwrap_or(rest));
        }
    }

    /// From a text that is meant to name one: `89`, or as above.
    pub(crate) fn find_id(&mut self, text: &str) {
        let text = text.trim();
        match text.bytes().all(|b| b.is_ascii_digit()) {
            true => self.add(text),
            false => self.find_in(text),
        }
    }

    fn add(&mut self, text: &str) {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number = text[..digits].trim_start_matches('0');
        if !number.is_empty() && number.len() <= 5 && self.0.len() < MAX {
            self.0.insert(format!("CWE-{number}"));
        }
    }

    /// As `CWE-89`, sorted.
    pub(crate) fn into_vec(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found() {
        let mut found = Weaknesses::default();
        for text in [
            "external/cwe/cwe-089",
            "CWE-89: Improper Neutralization",
            "see CWE-78, CWE_79 and cwe:20",
            "security",
            "cwe",
            "CWE-000",
            "CWE-1234567",
            "12",
        ] {
            found.find_in(text);
        }
        for text in ["190", "CWE-1004", "", "x"] {
            found.find_id(text);
        }
        assert_eq!(
            found.into_vec(),
            ["CWE-1004", "CWE-190", "CWE-20", "CWE-78", "CWE-79", "CWE-89"]
        );
    }
}
