//! The same prompt without what must not leave.

use std::collections::BTreeMap;

use chaffinch_core::{Excerpt, ExcerptLine, Prompt, RepoPath, SourceText};
use zeroize::Zeroizing;

use crate::{ClearError, RedactError, Redactor, Segment};

/// Redacts question and excerpt with one table of placeholders.
///
/// Rules see the lines that stand together in a file as one text, so that a secret of several
/// lines is found.
pub(super) fn redact(
    redactor: &Redactor,
    prompt: Prompt,
) -> Result<(Prompt, BTreeMap<String, u32>), ClearError> {
    #[cfg(feature = "leaks")]
    if chaffinch_core::leaks::is_on(chaffinch_core::leaks::Leak::Secrets) {
        return Ok((prompt, BTreeMap::new()));
    }
    let runs: Vec<&[ExcerptLine]> = prompt
        .excerpt
        .lines()
        .chunk_by(|a, b| a.path == b.path && a.number.checked_add(1) == Some(b.number))
        .collect();
    check_names(redactor, &prompt.excerpt)?;

    let question = joined([&prompt.question]);
    let texts: Vec<Zeroizing<String>> =
        runs.iter().map(|run| joined(run.iter().map(|l| &l.text))).collect();
    let mut segments = vec![Segment { path: None, text: &question }];
    for (run, text) in runs.iter().zip(&texts) {
        segments.push(Segment { path: run.first().map(|l| &l.path), text });
    }
    let redacted = redactor.redact(&segments)?;

    let mut texts = redacted.texts.into_iter();
    let question = texts.next().ok_or(RedactError::Lines)?;
    let mut lines = Vec::with_capacity(prompt.excerpt.lines().len());
    for run in &runs {
        let text = texts.next().ok_or(RedactError::Lines)?;
        let mut rewritten = text.expose().split('\n');
        for line in *run {
            let text = rewritten.next().ok_or(RedactError::Lines)?;
            lines.push(ExcerptLine { text: text.into(), ..line.clone() });
        }
        if rewritten.next().is_some() {
            return Err(RedactError::Lines.into());
        }
    }
    let excerpt = Excerpt::new(lines, prompt.excerpt.rung(), prompt.excerpt.notes().to_vec())
        .map_err(|_| RedactError::Lines)?;
    Ok((Prompt { question, excerpt, ..prompt }, redacted.counts))
}

/// The names of files and our notes are sent too, but cannot be rewritten.
fn check_names(redactor: &Redactor, excerpt: &Excerpt) -> Result<(), ClearError> {
    let mut paths: Vec<&RepoPath> = excerpt.lines().iter().map(|l| &l.path).collect();
    paths.dedup();
    let names = paths.iter().map(|p| p.as_str());
    let notes = excerpt.notes().iter().map(String::as_str);
    let segments: Vec<Segment<'_>> =
        names.chain(notes).map(|text| Segment { path: None, text }).collect();
    let found = redactor.redact(&segments)?.counts;
    if let Some(class) = found.keys().next() {
        return Err(ClearError::Blocked { class: format!("{class} in the name of a file") });
    }
    if excerpt.notes().iter().any(|n| n.chars().any(char::is_control)) {
        return Err(ClearError::Other("a note holds a control character"));
    }
    Ok(())
}

/// What a model may take for a line break is a blank, so that no text leaves its fence.
fn joined<'a>(lines: impl IntoIterator<Item = &'a SourceText> + Clone) -> Zeroizing<String> {
    let capacity = lines.clone().into_iter().map(|l| l.expose().len() + 1).sum();
    let mut out = Zeroizing::new(String::with_capacity(capacity));
    for (i, line) in lines.into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out.extend(line.expose().chars().map(|c| match c {
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            c => c,
        }));
    }
    out
}

/// A marker that stands in the text could end the fence early.
pub(super) fn check_marker(prompt: &Prompt) -> Result<(), ClearError> {
    let marker = prompt.marker.as_str();
    if marker.is_empty() || !marker.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ClearError::Other("a marker is made of ASCII letters and digits"));
    }
    let excerpt = prompt.excerpt.lines().iter();
    let inside = prompt.question.expose().contains(marker)
        || excerpt.clone().any(|l| l.text.expose().contains(marker))
        || excerpt.clone().any(|l| l.path.as_str().contains(marker))
        || prompt.excerpt.notes().iter().any(|n| n.contains(marker));
    if inside { Err(ClearError::MarkerInText) } else { Ok(()) }
}
