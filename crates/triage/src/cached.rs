//! The form in which a checked answer is kept: it refers to lines and holds none. When it is read
//! it is held against the lines once more, so that a damaged or foreign entry counts as absent.

pub(crate) mod words;

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{
    Cause, Evidence, Excerpt, Finding, Receipt, RepoPath, SourceBytes, SourceText, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::{
    Directed,
    answer::{Answer, Judged, Quote, judge, without_placeholders},
};

const VERSION: u8 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u8,
    verdict: Verdict,
    reason: SourceText,
    evidence: Vec<Pointer>,
    remediation: SourceText,
    fix: Vec<words::Part>,
    confidence: f64,
    needs: Vec<SourceText>,
    model: String,
    receipts: Vec<Receipt>,
}

/// Where a quotation stands, and the digest of what stood there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pointer {
    path: RepoPath,
    line: u32,
    start: usize,
    bytes: usize,
    sha256: String,
}

/// A kept answer that still holds.
pub(crate) struct Recalled {
    pub(crate) judged: Judged,
    pub(crate) model: String,
    pub(crate) receipts: Vec<Receipt>,
}

/// Writes an answer that was judged sound; `evidence` is what of it was verified in `excerpt`.
pub(crate) fn write(
    answer: &Answer,
    evidence: &[Evidence],
    excerpt: &Excerpt,
    model: &str,
    receipts: &[Receipt],
) -> Option<SourceBytes> {
    let kept = Kept {
        version: VERSION,
        verdict: answer.verdict,
        reason: answer.reason.clone(),
        evidence: evidence.iter().filter_map(|e| point(e, excerpt)).collect(),
        remediation: answer.remediation.clone(),
        fix: words::apart(answer.fix.expose(), excerpt),
        confidence: answer.confidence,
        needs: answer.needs.clone(),
        model: model.to_owned(),
        receipts: receipts.to_vec(),
    };
    serde_json::to_vec(&kept).ok().map(SourceBytes::new)
}

/// Reads a kept answer against the lines that would be sent; `None` if anything about it is wrong.
/// `source` are these lines before redaction.
pub(crate) fn read(
    bytes: &SourceBytes,
    finding: &Finding,
    excerpt: &Excerpt,
    source: &Excerpt,
    directed: Option<Directed>,
) -> Option<Recalled> {
    let kept: Kept = serde_json::from_slice(bytes.expose()).ok()?;
    if kept.version != VERSION || kept.receipts.is_empty() || kept.reason.is_empty() {
        return None;
    }
    let evidence = kept.evidence.iter().map(|pointer| quote(pointer, excerpt));
    let answer = Answer {
        reason: kept.reason,
        evidence: evidence.collect::<Option<_>>()?,
        verdict: kept.verdict,
        remediation: kept.remediation,
        fix: words::together(&kept.fix, excerpt)?,
        confidence: kept.confidence,
        needs: kept.needs,
    };
    let answer = without_placeholders(answer, finding, source);
    let judged = judge(answer, finding, excerpt, directed);
    if judged.triage.cause == Some(Cause::Evidence) {
        return None;
    }
    Some(Recalled { judged, model: kept.model, receipts: kept.receipts })
}

pub(crate) fn point(evidence: &Evidence, excerpt: &Excerpt) -> Option<Pointer> {
    let quote = evidence.quote.expose();
    let start = excerpt.line(&evidence.path, evidence.line)?.text.expose().find(quote)?;
    Some(Pointer {
        path: evidence.path.clone(),
        line: evidence.line,
        start,
        bytes: quote.len(),
        sha256: sha256(quote),
    })
}

fn quote(pointer: &Pointer, excerpt: &Excerpt) -> Option<Quote> {
    let line = excerpt.line(&pointer.path, pointer.line)?;
    let end = pointer.start.checked_add(pointer.bytes)?;
    let text = line.text.expose().get(pointer.start..end)?;
    (sha256(text) == pointer.sha256).then(|| Quote {
        path: pointer.path.as_str().into(),
        line: pointer.line.into(),
        quote: text.into(),
    })
}

fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}
