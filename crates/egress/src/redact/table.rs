//! The built-in rules, and which of them may match a text.

use std::sync::{Arc, OnceLock};

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::{
    RedactError, Segment, Span,
    rule::{Forgiven, RawForgiven, RawRule, Rule},
};

const GITLEAKS: &str = include_str!("../../rules/gitleaks.toml");
const OURS: &str = include_str!("../../rules/chaffinch.toml");

/// All rules, behind one automaton over their keywords.
pub(super) struct Table {
    rules: Vec<Rule>,
    forgiven: Vec<Forgiven>,
    keywords: AhoCorasick,
    /// The rules of each keyword.
    rules_of: Vec<Vec<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(default)]
    allow: Vec<RawForgiven>,
    rules: Vec<RawRule>,
}

impl Table {
    /// The table of this build, read once a process.
    pub(super) fn built_in() -> Result<Arc<Self>, RedactError> {
        static TABLE: OnceLock<Result<Arc<Table>, RedactError>> = OnceLock::new();
        TABLE.get_or_init(|| Self::read(&[GITLEAKS, OURS]).map(Arc::new)).clone()
    }

    fn read(files: &[&str]) -> Result<Self, RedactError> {
        let error = |e: &dyn std::fmt::Display| RedactError::Table(e.to_string());
        let (mut rules, mut forgiven, mut words) = (Vec::new(), Vec::new(), Vec::new());
        let mut rules_of: Vec<Vec<usize>> = Vec::new();
        for file in files {
            let raw: RawTable = toml::from_str(file).map_err(|e| error(&e.message()))?;
            forgiven.extend(raw.allow.into_iter().map(Forgiven::new));
            for rule in raw.rules {
                if rule.keywords.is_empty() {
                    return Err(error(&format!("the rule `{}` has no keyword", rule.id)));
                }
                for keyword in &rule.keywords {
                    let at = words.iter().position(|w| w == keyword).unwrap_or_else(|| {
                        words.push(keyword.clone());
                        rules_of.push(Vec::new());
                        words.len() - 1
                    });
                    rules_of[at].push(rules.len());
                }
                rules.push(Rule::new(rule));
            }
        }
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words)
            .map_err(|e| error(&e))?;
        Ok(Self { rules, forgiven, keywords, rules_of })
    }

    /// Runs the rules of which a keyword is in the text.
    pub(super) fn find<'t>(
        &'t self,
        segment: &Segment<'_>,
        spans: &mut Vec<Span<'t>>,
    ) -> Result<(), RedactError> {
        let mut due = vec![false; self.rules.len()];
        for found in self.keywords.find_overlapping_iter(segment.text) {
            for rule in &self.rules_of[found.pattern().as_usize()] {
                due[*rule] = true;
            }
        }
        for (rule, _) in self.rules.iter().zip(due).filter(|(_, due)| *due) {
            rule.find(segment, &self.forgiven, spans)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rule_compiles_and_has_its_own_name() {
        let table = Table::built_in().unwrap();
        assert!(table.rules.len() >= 250, "{}", table.rules.len());
        let mut ids: Vec<&str> = table.rules.iter().map(Rule::id).collect();
        for rule in &table.rules {
            rule.compile_all().unwrap_or_else(|e| panic!("{e}"));
        }
        for forgiven in &table.forgiven {
            forgiven.compile_all("global").unwrap_or_else(|e| panic!("{e}"));
        }
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        // Both tables have a `jwt`: ours is wider.
        assert!(count - ids.len() <= 1, "{count} {}", ids.len());
    }

    #[test]
    fn a_table_with_a_rule_that_can_never_run_is_refused() {
        let table = "[[rules]]\nid = \"x\"\nregex = \"x\"\nkeywords = []";
        assert!(matches!(Table::read(&[table]), Err(RedactError::Table(_))));
    }
}
