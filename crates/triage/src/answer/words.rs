//! An answer without our placeholders: nobody but the model has seen them.

use std::collections::HashSet;

use chaffinch_core::{Excerpt, Finding, SourceText};
use chaffinch_egress::placeholders;

use super::Answer;

/// The answer with words in the place of each placeholder, and without a change of the lines that
/// would write one into a file. Quotations stay as they are: they are held against what was sent.
/// `source` is the excerpt before redaction: what stands there is the repository's own text.
pub(crate) fn without_placeholders(answer: Answer, finding: &Finding, source: &Excerpt) -> Answer {
    let texts = source.lines().iter().map(|line| &line.text).chain([&finding.message]);
    let own: HashSet<&str> =
        texts.flat_map(|text| placeholders(text.expose())).map(|p| p.name).collect();
    let ours =
        |text: &SourceText| placeholders(text.expose()).iter().any(|p| !own.contains(p.name));
    let in_words = |text: SourceText| if ours(&text) { replaced(&text, &own) } else { text };
    Answer {
        reason: in_words(answer.reason),
        remediation: in_words(answer.remediation),
        needs: answer.needs.into_iter().map(in_words).collect(),
        fix: if ours(&answer.fix) { SourceText::default() } else { answer.fix },
        ..answer
    }
}

fn replaced(text: &SourceText, own: &HashSet<&str>) -> SourceText {
    let text = text.expose();
    let found = placeholders(text);
    let mut out = String::with_capacity(text.len() + found.len() * 32);
    let mut done = 0;
    for placeholder in found.into_iter().filter(|p| !own.contains(p.name)) {
        out.push_str(&text[done..placeholder.range.start]);
        let email = placeholder.is_email();
        out.push_str(if email { "(a redacted e-mail address)" } else { "(a redacted secret)" });
        done = placeholder.range.end;
    }
    out.push_str(&text[done..]);
    SourceText::new(out)
}
