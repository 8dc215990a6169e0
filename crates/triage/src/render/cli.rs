//! An assessment for the terminal, as Markdown, and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    Frame,
    escape::plain,
    finding::{place, receipt_line, section},
    summary::{counts, gaps, left_out},
    verdict_in_words,
};
use crate::{Assessment, Outcome, Standing};

/// The version of [`json`]'s shape: it grows when a key is renamed or gone.
const JSON_VERSION: u32 = 1;
/// The longest text of a model or scanner in the terminal, in characters.
const MAX_TEXT: usize = 1_500;

/// Everything, for programs. Quotes source.
pub fn json(assessment: &Assessment) -> Value {
    let (conclusion, title) = verdict_in_words(assessment);
    json!({
        "version": JSON_VERSION,
        "conclusion": format!("{conclusion:?}").to_lowercase(),
        "title": title,
        "assessment": assessment,
    })
}

/// The comments that reviewers would see, one after the other.
pub fn markdown(assessment: &Assessment) -> String {
    let mut out = format!("# Triage: {}\n\n", counts(assessment));
    for outcome in &assessment.outcomes {
        let at = outcome.finding.location.as_ref().map_or_else(|| "No file".into(), place);
        let _ = writeln!(out, "## {at}\n");
        out.push_str(&section(outcome, None, &Frame::default()));
    }
    for sentence in gaps(assessment).into_iter().chain(left_out(assessment)) {
        let _ = writeln!(out, "{sentence}\n");
    }
    out
}

/// Plain text, without colours; what others wrote holds no control characters.
pub fn terminal(assessment: &Assessment) -> String {
    let mut out = String::new();
    for outcome in &assessment.outcomes {
        finding(outcome, &mut out);
    }
    for sentence in gaps(assessment).into_iter().chain(left_out(assessment)) {
        let _ = writeln!(out, "{}", unmarked(&sentence));
    }
    let _ = writeln!(out, "{}", counts(assessment));
    out
}

fn finding(outcome: &Outcome, out: &mut String) {
    let (finding, triage) = (&outcome.finding, &outcome.triage);
    let word = match outcome.standing() {
        Standing::Real => "REAL",
        Standing::Review => "LOOK",
        Standing::Failed => "NOT TRIAGED",
        Standing::LikelyFalse => "LIKELY FALSE",
    };
    let at = finding.location.as_ref().map_or_else(String::new, |at| {
        let line = at.region.map_or_else(String::new, |region| format!(":{}", region.lines.start));
        plain(&format!("{}{line}", at.path), 500)
    });
    let rule = plain(finding.rule.id.as_str(), 200);
    let _ = writeln!(out, "{word}  {at}  {rule} ({})", finding.rule.severity.as_str());
    let said = match &triage.cause {
        Some(cause) if triage.reason.is_empty() => cause.to_string(),
        _ => triage.reason.expose().to_owned(),
    };
    let _ = writeln!(out, "    {}", plain(&said, MAX_TEXT));
    for step in triage.remediation.iter().flat_map(|text| text.expose().lines()).take(12) {
        let _ = writeln!(out, "    → {}", plain(step, 400));
    }
    for line in triage.suggestion.iter().flat_map(|s| s.text.expose().lines()) {
        let _ = writeln!(out, "    | {}", line);
    }
    let _ = writeln!(out, "    {}\n", unmarked(&receipt_line(outcome, None)));
}

/// Our own Markdown without its signs.
fn unmarked(markdown: &str) -> String {
    plain(&markdown.replace('`', ""), MAX_TEXT)
}
