//! Names for what was taken out.

use std::collections::{BTreeMap, HashMap};

use chaffinch_core::SourceText;

use super::{Segment, Span};

/// The table of one prompt: the same value, the same placeholder. It borrows the values, so that
/// there is no copy to wipe.
pub(super) struct Placeholders<'s> {
    /// The texts in which placeholders, or what looks like them, stand already.
    taken: Vec<&'s str>,
    of: HashMap<&'s str, String>,
    last: HashMap<String, u32>,
    counts: BTreeMap<String, u32>,
}

impl<'s> Placeholders<'s> {
    pub(super) fn new(segments: &'s [Segment<'s>]) -> Self {
        let taken = segments.iter().map(|s| s.text).filter(|t| t.contains('‹')).collect();
        Self { taken, of: HashMap::new(), last: HashMap::new(), counts: BTreeMap::new() }
    }

    /// The text with a placeholder for each span. A span of several lines leaves one on each of
    /// them that is not blank, behind its indentation.
    pub(super) fn replace(&mut self, text: &'s str, spans: &[Span<'_>]) -> SourceText {
        let mut pieces: Vec<(usize, usize, String)> = Vec::with_capacity(spans.len());
        for span in spans {
            let value = &text[span.start..span.end];
            let label = span.class.label();
            let placeholder = self.name(value, &label);
            let mut start = span.start;
            for line in value.split('\n') {
                let from = start + (line.len() - line.trim_start().len());
                let to = start + line.trim_end().len();
                if from < to {
                    *self.counts.entry(label_of(&placeholder).to_owned()).or_default() += 1;
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

    /// How many placeholders of each class were put in.
    pub(super) fn counts(self) -> BTreeMap<String, u32> {
        self.counts
    }

    fn name(&mut self, value: &'s str, label: &str) -> String {
        if let Some(placeholder) = self.of.get(value) {
            return placeholder.clone();
        }
        let last = self.last.entry(label.to_owned()).or_default();
        loop {
            *last += 1;
            let placeholder = format!("‹{label}#{last}›");
            // A text that holds one already must not be taken for the value behind ours.
            if !self.taken.iter().any(|t| t.contains(&placeholder)) {
                self.of.insert(value, placeholder.clone());
                return placeholder;
            }
        }
    }
}

/// Whether a value has the form of a placeholder, and so is no secret.
pub(super) fn is_placeholder(value: &str) -> bool {
    let inner = value.strip_prefix('‹').and_then(|rest| rest.strip_suffix('›'));
    inner.and_then(|inner| inner.rsplit_once('#')).is_some_and(|(label, number)| {
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-:".contains(&b);
        label.bytes().all(named)
            && (1..=4).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

fn label_of(placeholder: &str) -> &str {
    let inner = placeholder.trim_start_matches('‹');
    inner.rsplit_once('#').map_or(inner, |(label, _)| label)
}
