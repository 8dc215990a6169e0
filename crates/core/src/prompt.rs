//! What a model is asked about one finding.

use std::fmt::Write;

use crate::{Excerpt, SourceText};

/// The shape that a model's answer must have. Static, because endpoints may keep schemas longer
/// than prompts: no code, path or rule text may ever be in it.
#[derive(Debug, PartialEq, Eq)]
pub struct AnswerSchema {
    /// At most 64 of `[A-Za-z0-9_-]`.
    pub name: &'static str,
    /// A JSON Schema in the strict subset that endpoints support.
    pub json: &'static str,
}

/// What a model is asked. Not yet cleared: only `egress` turns it into something that can leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Changes whenever `instructions` or the way of rendering changes.
    pub version: &'static str,
    /// Our own words; the same for every finding of a version, so that endpoints can cache them.
    pub instructions: &'static str,
    /// The shape of the answer.
    pub schema: &'static AnswerSchema,
    /// The rule, its message and its metadata. Untrusted; may quote source.
    pub question: SourceText,
    /// The source text.
    pub excerpt: Excerpt,
    /// Random, made anew for each prompt: it starts every untrusted line, so that no text inside
    /// can pretend to end the fence.
    pub marker: String,
    /// The most tokens that the answer may cost.
    pub max_output_tokens: u32,
}

impl Prompt {
    /// The user message: every untrusted line behind the marker, source lines with their numbers.
    ///
    /// ```text
    /// K7F3| rule: python.sqli
    /// K7F3| app/db.py
    /// K7F3|    12| cursor.execute(query)
    /// K7F3|      …
    /// ```
    pub fn render(&self) -> SourceText {
        let marker = &self.marker;
        // Sized before it is filled: a buffer that grows leaves unwiped copies behind.
        let mut out = String::with_capacity(self.rendered_bound());
        for line in self.question.expose().lines() {
            let _ = writeln!(out, "{marker}| {line}");
        }
        let mut before: Option<(&str, u32)> = None;
        for line in self.excerpt.lines() {
            let path = line.path.as_str();
            match before {
                Some((p, n)) if p == path && n + 1 == line.number => {}
                Some((p, _)) if p == path => {
                    let _ = writeln!(out, "{marker}|      …");
                }
                _ => {
                    let _ = writeln!(out, "{marker}| file: {}", one_line(path));
                }
            }
            let _ = writeln!(out, "{marker}| {:>5}| {}", line.number, line.text.expose());
            before = Some((path, line.number));
        }
        for note in self.excerpt.notes() {
            let _ = writeln!(out, "note: {note}");
        }
        SourceText::new(out)
    }

    /// At least as many bytes as [`Self::render`] writes.
    fn rendered_bound(&self) -> usize {
        let fence = self.marker.len() + 24;
        let question = self.question.expose();
        let lines = self.excerpt.lines().iter();
        let lines: usize =
            lines.map(|l| l.text.expose().len() + 3 * l.path.as_str().len() + 2 * fence + 16).sum();
        let notes: usize = self.excerpt.notes().iter().map(|n| n.len() + 8).sum();
        question.len() + (question.lines().count() + 1) * fence + lines + notes
    }
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExcerptLine, Reason, Rung};

    static SCHEMA: AnswerSchema = AnswerSchema { name: "answer", json: "{}" };

    fn prompt(question: &str, lines: &[(&str, u32, &str)]) -> Prompt {
        let lines = lines.iter().map(|(path, number, text)| ExcerptLine {
            path: path.parse().unwrap(),
            number: *number,
            text: (*text).into(),
            reason: Reason::Finding,
        });
        Prompt {
            version: "1",
            instructions: "",
            schema: &SCHEMA,
            question: question.into(),
            excerpt: Excerpt::new(lines.collect(), Rung::Finding, vec!["cut".into()]).unwrap(),
            marker: "K7F3".into(),
            max_output_tokens: 1,
        }
    }

    #[test]
    fn every_untrusted_line_stands_behind_the_marker() {
        let prompt =
            prompt("rule: a\n\nnote: b", &[("a.py", 1, "x"), ("a.py", 3, "y"), ("b.py", 9, "z")]);
        assert_eq!(
            prompt.render().expose(),
            "K7F3| rule: a\nK7F3| \nK7F3| note: b\nK7F3| file: a.py\nK7F3|     1| x\nK7F3|      …\n\
             K7F3|     3| y\nK7F3| file: b.py\nK7F3|     9| z\nnote: cut\n"
        );
    }

    proptest::proptest! {
        #[test]
        fn the_rendered_text_fits_the_buffer_made_for_it(
            question in "(.|\n){0,60}", text in ".{0,40}", number in 1u32..2_000_000_000, path in "[^/.\0]{1,30}",
        ) {
            let prompt = prompt(&question, &[(&path, number, &text), ("a/b", 1, &text), ("a/c", 7, &text)]);
            proptest::prop_assert!(prompt.render().expose().len() <= prompt.rendered_bound());
        }
    }
}
