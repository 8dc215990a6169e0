//! What was found, put in order.

use std::collections::HashMap;

use super::{RedactError, Segment};

/// The most different values that one prompt may hold: far above any that is to be judged, and a
/// bound for the time that looking for each of them takes.
const MAX_VALUES: usize = 1_000;

/// Bytes `start..end` of a segment that must not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) class: Class<'t>,
}

/// What it is; where two overlap, the lesser says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class<'t> {
    /// A secret known by its own form, by its rule.
    Secret(&'t str),
    /// An e-mail address.
    Email,
    /// A secret known by its surroundings, by its rule.
    Generic(&'t str),
}

impl Class<'_> {
    pub(super) fn label(self) -> String {
        match self {
            Self::Secret(rule) | Self::Generic(rule) => format!("secret:{rule}"),
            Self::Email => "email".to_owned(),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Secret(_) => 0,
            Self::Email => 1,
            Self::Generic(_) => 2,
        }
    }
}

/// Ascending, without overlap: what overlaps becomes one.
pub(super) fn merge(mut spans: Vec<Span<'_>>) -> Vec<Span<'_>> {
    spans.sort_by_key(|s| (s.start, s.end));
    let mut out: Vec<Span<'_>> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start < last.end => {
                last.end = last.end.max(span.end);
                if span.class.rank() < last.class.rank() {
                    last.class = span.class;
                }
            }
            _ => out.push(span),
        }
    }
    out
}

/// Adds every other place where a value that was found stands: a secret that is used, or quoted by a
/// scanner, without the words around it that a rule needs.
pub(super) fn add_repeats<'t>(
    segments: &[Segment<'_>],
    found: &mut [Vec<Span<'t>>],
) -> Result<(), RedactError> {
    let mut values: HashMap<&str, Class<'t>> = HashMap::new();
    for (segment, spans) in segments.iter().zip(found.iter()) {
        for span in spans {
            for value in segment.text[span.start..span.end].split('\n').map(str::trim) {
                if is_telling(value) {
                    values.entry(value).or_insert(span.class);
                }
            }
        }
    }
    if values.len() > MAX_VALUES {
        return Err(RedactError::TooMany);
    }
    for (segment, spans) in segments.iter().zip(found.iter_mut()) {
        let mut all = std::mem::take(spans);
        let known = all.len();
        for (value, class) in &values {
            for (start, _) in segment.text.match_indices(value) {
                let end = start + value.len();
                let new = all[..known].binary_search_by(|s| s.start.cmp(&start)).is_err();
                if new && (value.len() >= 20 || stands_alone(segment.text, start, end)) {
                    all.push(Span { start, end, class: *class });
                }
            }
        }
        *spans = merge(all);
    }
    Ok(())
}

/// Whether a value is no common word, so that the same text elsewhere is the same secret.
fn is_telling(value: &str) -> bool {
    value.len() >= 8 && !value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    !text[..start].chars().next_back().is_some_and(word)
        && !text[end..].chars().next().is_some_and(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_one_and_the_more_exact_rule_names_it() {
        let span = |start, end, class| Span { start, end, class };
        let spans = vec![
            span(5, 9, Class::Email),
            span(0, 3, Class::Generic("g")),
            span(2, 4, Class::Secret("s")),
            span(4, 5, Class::Generic("h")),
        ];
        assert_eq!(
            merge(spans),
            [
                span(0, 4, Class::Secret("s")),
                span(4, 5, Class::Generic("h")),
                span(5, 9, Class::Email)
            ]
        );
    }
}
