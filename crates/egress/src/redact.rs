//! Secrets and e-mail addresses become placeholders.

mod blocks;
mod email;
mod merge;
mod placeholders;
mod rule;
mod table;

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use chaffinch_core::{RepoPath, SourceText};

use crate::{ExtraPattern, PolicyError};
use merge::{Class, Span};
use placeholders::{Ours, Placeholders};
pub use placeholders::{Placeholder, placeholders};
use rule::Rule;
use table::Table;

/// Finds secrets and e-mail addresses and replaces them.
pub struct Redactor {
    table: Arc<Table>,
    extra: Vec<Rule>,
}

/// One text to redact. Rules see it as a whole, so lines that follow each other belong together.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    /// The file that it is from; some rules hold for some kinds of file only. `None` holds for all.
    pub path: Option<&'a RepoPath>,
    /// The text.
    pub text: &'a str,
}

/// What redaction gives back.
#[derive(Debug)]
pub struct Redacted {
    /// One text a segment, with as many line feeds as it had.
    pub texts: Vec<SourceText>,
    /// How many placeholders of each class there are in the texts: `email`, `secret:RULE`. What only
    /// looks like one, and stood there before, is not counted.
    pub counts: BTreeMap<String, u32>,
}

/// Why redaction failed. Then nothing may leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The built-in rules cannot be read: a defect of this build.
    #[error("the rules for secrets cannot be read: {0}")]
    Table(String),
    /// A rule does not compile: a defect of this build.
    #[error("the rule `{0}` for secrets does not compile")]
    Rule(String),
    /// More than 1,000 different secrets and addresses.
    #[error("too many secrets and addresses in one prompt")]
    TooMany,
    /// The lines would not be the same lines.
    #[error("redaction would change the lines")]
    Lines,
    /// What was redacted still holds something to redact, again and again.
    #[error("redaction does not come to an end")]
    Endless,
}

/// How often a text is redacted until nothing more is found: what stands around a secret can hide
/// another one, until the first is gone.
const PASSES: usize = 4;

impl Redactor {
    /// With the built-in rules.
    ///
    /// # Errors
    /// [`RedactError::Table`] if this build's rules cannot be read.
    pub fn new() -> Result<Self, RedactError> {
        Ok(Self { table: Table::built_in()?, extra: Vec::new() })
    }

    /// With the built-in rules and the customer's.
    ///
    /// # Errors
    /// [`PolicyError`] names the pattern that cannot be used, or says that this build's rules
    /// cannot be read.
    pub fn with(extra: &[ExtraPattern]) -> Result<Self, PolicyError> {
        let table = Table::built_in().map_err(|e| PolicyError::Rules(e.to_string()))?;
        Ok(Self { table, extra: extra.iter().map(compile_extra).collect::<Result<_, _>>()? })
    }

    /// Redacts texts that belong to one prompt: the same value has the same placeholder in all of
    /// them, also where it stands without what made it known as a secret.
    ///
    /// # Errors
    /// [`RedactError`]; then nothing of the texts may be used.
    pub fn redact(&self, segments: &[Segment<'_>]) -> Result<Redacted, RedactError> {
        let mut ours = Ours::default();
        let mut texts: Option<Vec<SourceText>> = None;
        for _ in 0..PASSES {
            let left: Vec<Segment<'_>> = match &texts {
                None => segments.to_vec(),
                Some(texts) => {
                    let texts = segments.iter().zip(texts);
                    texts.map(|(s, text)| Segment { path: s.path, text: text.expose() }).collect()
                }
            };
            match self.pass(&left, &mut ours)? {
                Some(further) => texts = Some(further),
                None => {
                    let same = || segments.iter().map(|s| SourceText::new(s.text)).collect();
                    let texts = texts.unwrap_or_else(same);
                    let counts = ours.count(&texts);
                    return Ok(Redacted { texts, counts });
                }
            }
        }
        Err(RedactError::Endless)
    }

    /// The texts without what is found in them; `None` where there is nothing.
    fn pass(
        &self,
        segments: &[Segment<'_>],
        ours: &mut Ours,
    ) -> Result<Option<Vec<SourceText>>, RedactError> {
        let mut found: Vec<Vec<Span<'_>>> = Vec::with_capacity(segments.len());
        for segment in segments {
            found.push(self.find(segment, ours)?);
        }
        merge::add_repeats(segments, &mut found)?;
        for (segment, spans) in segments.iter().zip(&mut found) {
            leave(segment.text, &ours.ranges(segment.text), spans);
        }
        if found.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let mut placeholders = Placeholders::new(segments, ours);
        let mut texts = Vec::with_capacity(segments.len());
        for (segment, spans) in segments.iter().zip(&found) {
            let text = placeholders.replace(segment.text, spans);
            if text.expose().matches('\n').count() != segment.text.matches('\n').count() {
                return Err(RedactError::Lines);
            }
            texts.push(text);
        }
        Ok(Some(texts))
    }

    fn find(&self, segment: &Segment<'_>, ours: &Ours) -> Result<Vec<Span<'_>>, RedactError> {
        let mut spans = Vec::new();
        self.table.find(segment, &mut spans)?;
        for rule in &self.extra {
            // What a customer names is forgiven by nothing of ours.
            rule.find(segment, &[], &mut spans)?;
        }
        blocks::find(segment.text, &mut spans);
        email::find(segment.text, &mut spans);
        leave(segment.text, &ours.ranges(segment.text), &mut spans);
        Ok(merge::merge(spans))
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Takes away what is nothing but placeholders of ours, or a part of one: there is nothing to hide
/// any more.
fn leave(text: &str, ours: &[Range<usize>], spans: &mut Vec<Span<'_>>) {
    if ours.is_empty() {
        return;
    }
    spans.retain(|span| {
        let mut at = span.start;
        for range in ours.iter().filter(|o| o.start < span.end && span.start < o.end) {
            if range.start > at && !text[at..range.start].trim().is_empty() {
                return true;
            }
            at = range.end;
        }
        at == span.start || at < span.end && !text[at..span.end].trim().is_empty()
    });
}

/// The last place where a character starts, at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The rule that a customer's pattern makes.
pub(crate) fn compile_extra(extra: &ExtraPattern) -> Result<Rule, PolicyError> {
    let error = |why: &str| PolicyError::ExtraPattern { id: extra.id.clone(), why: why.into() };
    let rule = Rule::of_customer(&extra.id, &extra.regex);
    match rule.matches_nothing() {
        Ok(false) => Ok(rule),
        Ok(true) => Err(error("it matches where there is no text: make it match something")),
        Err(_) => Err(error("it is no regular expression, or too large a one")),
    }
}
