//! Names for what was taken out.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

use chaffinch_core::SourceText;

use super::{Segment, Span};

/// The longest label that is looked for, in bytes: far above the longest name of a rule.
const LABEL: usize = 80;
/// The most digits of a number.
const DIGITS: usize = 6;

/// A placeholder, or what has the form of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// Where it stands, with its brackets.
    pub range: Range<usize>,
    /// What it says: `email#1`, `secret:RULE#1`.
    pub name: &'a str,
}

impl Placeholder<'_> {
    /// Whether it stands for an e-mail address, and not for a secret.
    pub fn is_email(&self) -> bool {
        self.name.starts_with("email")
    }
}

/// Every placeholder in a text that may be anybody's: a model's answer, say. Whether one is ours,
/// only the text that it was put into tells: ours is none that stood there before. Brackets that a
/// model wrote in another way, or left out where the name tells enough, are no way around.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    text.match_indices('#').filter_map(|(at, _)| placeholder_at(text, at)).collect()
}

/// The placeholder whose number stands behind the sign at `at`.
fn placeholder_at(text: &str, at: usize) -> Option<Placeholder<'_>> {
    let digits = text[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=DIGITS).contains(&digits) {
        return None;
    }
    let named = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-:".contains(b);
    let length = text[..at].bytes().rev().take(LABEL).take_while(named).count();
    let label = &text[at - length..at];
    let secret = label.rfind("secret:").map(|i| label.len() - i).filter(|n| *n > "secret:".len());
    let length = secret.or(label.ends_with("email").then_some("email".len()))?;
    let (mut start, mut end) = (at - length, at + 1 + digits);
    let name = &text[start..end];
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    let opened = before.filter(|c| matches!(c, '‹' | '<'));
    let closed = after.filter(|c| matches!(c, '›' | '>'));
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "-:_".contains(c));
    let bare = secret.is_some() && !word(before) && !after.is_some_and(char::is_alphanumeric);
    if !bare && (opened.is_none() || closed.is_none()) {
        return None;
    }
    start -= opened.map_or(0, char::len_utf8);
    end += closed.map_or(0, char::len_utf8);
    Some(Placeholder { range: start..end, name })
}

/// Whether a value has the form of a placeholder, and so is no secret.
pub(super) fn is_placeholder(value: &str) -> bool {
    value.starts_with('‹') && of_our_form(value).any(|p| p.range == (0..value.len()))
}

fn of_our_form(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let found = if text.contains('‹') { placeholders(text) } else { Vec::new() };
    found.into_iter().filter(|p| {
        let written = &text[p.range.clone()];
        written.starts_with('‹') && written.ends_with('›')
    })
}

/// The names of the placeholders of one prompt, over all passes.
#[derive(Default)]
pub(super) struct Ours(HashSet<String>);

impl Ours {
    /// Where they stand.
    pub(super) fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        of_our_form(text).filter(|p| self.0.contains(p.name)).map(|p| p.range).collect()
    }

    /// How many of each class there are.
    pub(super) fn count(&self, texts: &[SourceText]) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for text in texts.iter().filter(|_| !self.0.is_empty()) {
            for found in of_our_form(text.expose()).filter(|p| self.0.contains(p.name)) {
                let class = found.name.split('#').next().unwrap_or_default();
                *counts.entry(class.to_owned()).or_default() += 1;
            }
        }
        counts
    }
}

/// The table of one pass: the same value, the same placeholder. It borrows the values, so that
/// there is no copy to wipe.
pub(super) struct Placeholders<'s, 'o> {
    /// The names that stand in the texts already.
    taken: HashSet<&'s str>,
    of: HashMap<&'s str, String>,
    last: HashMap<String, u32>,
    ours: &'o mut Ours,
}

impl<'s, 'o> Placeholders<'s, 'o> {
    pub(super) fn new(segments: &'s [Segment<'s>], ours: &'o mut Ours) -> Self {
        let names = segments.iter().filter_map(|s| s.path).map(|path| path.as_str());
        let texts = segments.iter().map(|s| s.text).chain(names);
        let taken = texts.flat_map(placeholders).map(|p| p.name).collect();
        Self { taken, of: HashMap::new(), last: HashMap::new(), ours }
    }

    /// The text with a placeholder for each span. A span of several lines leaves one on each of
    /// them that is not blank, behind its indentation.
    pub(super) fn replace(&mut self, text: &'s str, spans: &[Span<'_>]) -> SourceText {
        let mut pieces: Vec<(usize, usize, String)> = Vec::with_capacity(spans.len());
        for span in spans {
            let value = &text[span.start..span.end];
            let placeholder = self.name(value, &span.class.label());
            let mut start = span.start;
            for line in value.split('\n') {
                let from = start + (line.len() - line.trim_start().len());
                let to = start + line.trim_end().len();
                if from < to {
                    pieces.push((from, to, placeholder.clone()));
                }
                start += line.len() + 1;
            }
        }
        let growth: usize = pieces.iter().map(|(_, _, p)| p.len()).sum();
        // Large enough from the start: growing would leave copies behind.
        let mut out = String::with_capacity(text.len() + growth);
        let mut done = 0;
        for (from, to, placeholder) in pieces {
            out.push_str(&text[done..from]);
            out.push_str(&placeholder);
            done = to;
        }
        out.push_str(&text[done..]);
        SourceText::new(out)
    }

    fn name(&mut self, value: &'s str, label: &str) -> String {
        if let Some(placeholder) = self.of.get(value) {
            return placeholder.clone();
        }
        let last = self.last.entry(label.to_owned()).or_default();
        loop {
            *last += 1;
            let name = format!("{label}#{last}");
            // A text that holds one already must not be taken for the value behind ours.
            if !self.taken.contains(name.as_str()) {
                let placeholder = format!("‹{name}›");
                self.ours.0.insert(name);
                self.of.insert(value, placeholder.clone());
                return placeholder;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        placeholders(text).into_iter().map(|p| &text[p.range]).collect()
    }

    #[test]
    fn placeholders_are_found_however_a_model_writes_them() {
        for (text, wanted) in [
            ("use ‹secret:aws-access-token#1›.", "‹secret:aws-access-token#1›"),
            ("‹‹email#12››", "‹email#12›"),
            ("<secret:jwt#3>", "<secret:jwt#3>"),
            ("the `secret:jwt#3` leaks", "secret:jwt#3"),
            ("‹secret:jwt#3", "‹secret:jwt#3"),
            ("é‹email#1›é", "‹email#1›"),
        ] {
            assert_eq!(found(text), [wanted], "{text}");
        }
        assert_eq!(found("‹email#1›‹email#2›").len(), 2);
    }

    #[test]
    fn other_text_is_no_placeholder() {
        for text in [
            "secret: a#1",
            "secret:#1",
            "mysecret:a#1",
            "secret:a#1f00",
            "secret:A#1",
            "email#1",
            "‹email#›",
            "‹email#1234567›",
            "‹other#1›",
            "#1",
            "#",
            "é#1",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn only_what_is_a_placeholder_as_a_whole_is_one() {
        assert!(is_placeholder("‹secret:jwt#1›"));
        for value in ["secret:jwt#1", "<email#1>", "‹email#1›x", "x‹email#1›", "‹email#1›‹email#1›"]
        {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
