//! A model's answer: read strictly, and believed only where the lines that were sent bear it out.

mod block;
mod words;

use chaffinch_core::{
    Cause, Evidence, Excerpt, ExcerptLine, Finding, Reason, RepoPath, SourceText, Triage, Verdict,
};
use serde::Deserialize;

use crate::directed::Directed;

pub(crate) use words::without_placeholders;

/// The longest answer that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// The longest reason, remediation or need, in characters.
const MAX_TEXT: usize = 8_000;
/// The most quotations and needs.
const MAX_ITEMS: usize = 50;
/// The shortest quotation that proves anything, in characters...
const MIN_QUOTE: usize = 4;
/// ...of which so many are letters, digits or underscores.
const MIN_WORD: usize = 3;

/// An answer of the right shape; nothing in it is checked against the source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) reason: SourceText,
    pub(crate) evidence: Vec<Quote>,
    pub(crate) verdict: Verdict,
    pub(crate) remediation: SourceText,
    /// Endpoints that do not hold models to the schema leave it out.
    #[serde(default)]
    pub(crate) fix: SourceText,
    pub(crate) confidence: f64,
    pub(crate) needs: Vec<SourceText>,
}

/// What the model says stands at a line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quote {
    pub(crate) path: SourceText,
    pub(crate) line: i64,
    pub(crate) quote: SourceText,
}

/// The answer does not have the wanted shape. Says nothing more, so that nothing of it can leak.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads an answer.
pub(crate) fn parse(text: &str) -> Result<Answer, Malformed> {
    if text.len() > MAX_BYTES {
        return Err(Malformed);
    }
    let answer: Answer = serde_json::from_str(text).map_err(|_| Malformed)?;
    let short = |text: &SourceText| text.expose().chars().count() <= MAX_TEXT;
    let texts = [&answer.reason, &answer.remediation, &answer.fix].into_iter().chain(&answer.needs);
    let bounded = texts.into_iter().all(short)
        && answer.evidence.len() <= MAX_ITEMS
        && answer.needs.len() <= MAX_ITEMS;
    if !bounded || answer.reason.expose().trim().is_empty() {
        return Err(Malformed);
    }
    Ok(answer)
}

/// A checked answer: what may be kept, shown and counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) triage: Triage,
    /// The reported lines as the model would have them, not held against the file yet; empty where
    /// it has nothing to say about them, or lines that talk to it may have put it up to it.
    pub(crate) fix: SourceText,
    pub(crate) needs: Vec<SourceText>,
}

/// Holds an answer against the lines that were sent. Whatever is wrong with it, the outcome is
/// never "false positive".
pub(crate) fn judge(
    answer: Answer,
    finding: &Finding,
    excerpt: &Excerpt,
    directed: Option<Directed>,
) -> Judged {
    let total = answer.evidence.len();
    let evidence = verified(&answer, excerpt);
    if answer.verdict == Verdict::FalsePositive {
        let proven = evidence.len() == total
            && evidence.iter().any(|e| proves(e, excerpt))
            && shows_finding(finding, excerpt);
        let cause = match (proven, directed) {
            (false, _) => Some(Cause::Evidence),
            (true, Some(_)) => Some(Cause::Directed),
            (true, None) => None,
        };
        if let Some(cause) = cause {
            let triage = Triage::failed(finding.fingerprint, cause);
            return Judged { triage, fix: SourceText::default(), needs: Vec::new() };
        }
    }
    let remediation = Some(answer.remediation).filter(|text| {
        answer.verdict != Verdict::FalsePositive && !text.expose().trim().is_empty()
    });
    let triage = Triage {
        finding: finding.fingerprint,
        verdict: answer.verdict,
        cause: (answer.verdict == Verdict::NeedsReview).then_some(Cause::Unsure),
        reason: answer.reason,
        evidence,
        remediation,
        suggestion: None,
        confidence: answer.confidence.clamp(0.0, 100.0).round() as u8,
        model: String::new(),
        receipt: None,
    };
    let needs = match answer.verdict {
        Verdict::NeedsReview => answer.needs,
        _ => Vec::new(),
    };
    let fix = match (answer.verdict, directed) {
        (Verdict::TruePositive, None) => answer.fix,
        _ => SourceText::default(),
    };
    Judged { triage, fix, needs }
}

/// The quotations that stand verbatim at their lines of what was sent.
pub(crate) fn verified(answer: &Answer, excerpt: &Excerpt) -> Vec<Evidence> {
    answer.evidence.iter().filter_map(|quote| verify(quote, excerpt)).collect()
}

/// Whether everything that it quotes was found, and its verdict stands on that.
pub(crate) fn held(answer: &Answer, evidence: &[Evidence], judged: &Judged) -> bool {
    evidence.len() == answer.evidence.len() && judged.triage.cause != Some(Cause::Evidence)
}

/// The quotation, if it stands verbatim at its line of what was sent.
fn verify(quote: &Quote, excerpt: &Excerpt) -> Option<Evidence> {
    let path: RepoPath = quote.path.expose().parse().ok()?;
    let line = u32::try_from(quote.line).ok()?;
    let text = quote.quote.expose().trim();
    let word = text.chars().filter(|c| c.is_alphanumeric() || *c == '_').count();
    if text.chars().count() < MIN_QUOTE || word < MIN_WORD {
        return None;
    }
    let found = excerpt.line(&path, line)?.text.expose().contains(text);
    found.then(|| Evidence { path, line, quote: text.into() })
}

/// Whether a quotation is of code. What a comment or a text claims is no evidence for anything.
fn proves(evidence: &Evidence, excerpt: &Excerpt) -> bool {
    let extension = evidence.path.extension();
    let lines: Vec<&ExcerptLine> =
        excerpt.lines().iter().filter(|line| line.path == evidence.path).collect();
    let outside = block::outside(&lines, &extension);
    let Some((line, outside)) =
        lines.iter().zip(outside).find(|(line, _)| line.number == evidence.line)
    else {
        return false;
    };
    let text = line.text.expose();
    let code = &text[..comment_start(text, &extension).min(outside)];
    code.contains(evidence.quote.expose())
}

/// Where a line's comment starts. It takes too much for a comment rather than too little: a line
/// of code that looks like one costs a person's look, no more.
pub(crate) fn comment_start(line: &str, extension: &str) -> usize {
    let preprocessed = matches!(extension, "c" | "h" | "cc" | "cpp" | "hpp" | "cs" | "m" | "mm");
    let body = line.trim_start();
    let opens = ["* ", "*/", "\"\"\"", "'''", "=begin", "{-", "(*", "%"];
    if body == "*" || opens.iter().any(|open| body.starts_with(open)) {
        return 0;
    }
    let signs = ["//", "/*", "<!--", "--", ";;", "#"];
    let starts = line.char_indices().filter(|(at, _)| {
        let before = line[..*at].chars().next_back();
        let rest = &line[*at..];
        before.is_none_or(|c| c.is_whitespace() || ";{}(),".contains(c))
            && signs.iter().any(|sign| rest.starts_with(sign))
            && !(preprocessed && rest.starts_with('#'))
    });
    starts.map(|(at, _)| at).next().unwrap_or(line.len())
}

/// Whether the model was shown the line that it judges.
fn shows_finding(finding: &Finding, excerpt: &Excerpt) -> bool {
    let Some(at) = &finding.location else { return false };
    excerpt.lines().iter().any(|line| {
        line.path == at.path
            && match at.region {
                Some(region) => region.lines.contains(line.number),
                None => line.reason == Reason::Finding,
            }
    })
}

#[cfg(test)]
mod tests;
