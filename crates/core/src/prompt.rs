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
        let mut out = String::new();
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
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
