//! A text of the model's as references to lines that were sent, and what it wrote itself.

use chaffinch_core::{Evidence, Excerpt, SourceText};
use serde::{Deserialize, Serialize};

use super::{Pointer, point, quote};

/// The shortest part that refers to a line, in bytes.
const LEAST: usize = 6;

/// A part of a text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// It stands in a line.
    Sent(Pointer),
    /// It stands in none.
    Own(SourceText),
}

/// Takes a text apart: whatever of it stands in the excerpt becomes a reference.
pub(crate) fn apart(text: &str, excerpt: &Excerpt) -> Vec<Part> {
    let (mut parts, mut own, mut rest) = (Vec::new(), String::new(), text);
    while let Some(next) = rest.chars().next() {
        match longest(rest, excerpt) {
            Some((pointer, length)) => {
                end(&mut own, &mut parts);
                parts.push(Part::Sent(pointer));
                rest = &rest[length..];
            }
            None => {
                own.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    end(&mut own, &mut parts);
    parts
}

fn end(own: &mut String, parts: &mut Vec<Part>) {
    if !own.is_empty() {
        parts.push(Part::Own(SourceText::new(std::mem::take(own))));
    }
}

/// The longest beginning of `text` that stands in one line, and its length.
fn longest(text: &str, excerpt: &Excerpt) -> Option<(Pointer, usize)> {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).skip_while(|end| *end < LEAST);
    let mut lines: Vec<_> = excerpt.lines().iter().collect();
    let (mut best, mut length) = (None, 0);
    for end in ends {
        lines.retain(|line| line.text.expose().contains(&text[..end]));
        let Some(line) = lines.first() else { break };
        (best, length) = (Some(*line), end);
    }
    let line = best?;
    let quote = SourceText::new(&text[..length]);
    let evidence = Evidence { path: line.path.clone(), line: line.number, quote };
    Some((point(&evidence, excerpt)?, length))
}

/// Puts a text together again; `None` if a line is no longer what it was.
pub(crate) fn together(parts: &[Part], excerpt: &Excerpt) -> Option<SourceText> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Sent(pointer) => out.push_str(quote(pointer, excerpt)?.quote.expose()),
            Part::Own(text) => out.push_str(text.expose()),
        }
    }
    Some(SourceText::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_core::{ExcerptLine, Reason, Rung};

    fn excerpt(lines: &[&str]) -> Excerpt {
        let lines = lines.iter().zip(1..).map(|(text, number)| ExcerptLine {
            path: "a.py".parse().unwrap(),
            number,
            text: (*text).into(),
            reason: Reason::Finding,
        });
        Excerpt::new(lines.collect(), Rung::Finding, vec![]).unwrap()
    }

    #[test]
    fn what_was_sent_is_kept_as_references_only() {
        let lines = ["    query = \"SELECT \" + name", "    cursor.execute(query)"];
        let fix = "    cursor.execute(\"SELECT ?\", (name,))\n    é = 1";
        let parts = apart(fix, &excerpt(&lines));
        let kept = serde_json::to_string(&parts).unwrap();
        assert!(!kept.contains("cursor") && !kept.contains("SELECT"), "{kept}");
        assert_eq!(together(&parts, &excerpt(&lines)).unwrap().expose(), fix);
        assert!(together(&parts, &excerpt(&["    other = 1", "    more(1)"])).is_none());
    }

    #[test]
    fn no_text_has_no_parts() {
        assert!(apart("", &excerpt(&["x = 1"])).is_empty());
        assert_eq!(together(&[], &excerpt(&["x = 1"])).unwrap().expose(), "");
    }
}
