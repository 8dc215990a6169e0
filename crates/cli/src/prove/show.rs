//! What would leave, on paper.

use std::fmt::Write as _;

use chaffinch_core::{Cause, Receipt, SourceText};
use chaffinch_egress::answer_digest as sha256;
use chaffinch_openai::Sheet;
use chaffinch_triage::{Assessment, Standing};
use serde_json::json;

use crate::plain::plain;

/// One request, and what it is for.
pub(super) struct Page {
    receipt: Receipt,
    pub(super) sheet: Sheet,
    body: String,
    place: String,
}

/// The requests in the order of the findings.
pub(super) fn pages(assessment: &Assessment, mut kept: Vec<(Receipt, Sheet)>) -> Vec<Page> {
    let findings = || assessment.outcomes.iter().map(|outcome| &outcome.finding);
    let order =
        |receipt: &Receipt| findings().position(|finding| finding.fingerprint == receipt.finding);
    kept.sort_by_key(|(receipt, _)| (order(receipt), receipt.at, receipt.id.clone()));
    let page = |(receipt, sheet): (Receipt, Sheet)| {
        let finding = findings().find(|finding| finding.fingerprint == receipt.finding);
        let at = finding.and_then(|finding| finding.location.as_ref());
        let place = at.map_or_else(String::new, |at| {
            let line = at.region.map_or_else(String::new, |r| format!(":{}", r.lines.start));
            format!("{}{line}", at.path)
        });
        let body = String::from_utf8_lossy(sheet.body.expose()).into_owned();
        Page { receipt, sheet, body, place }
    };
    kept.into_iter().map(page).collect()
}

pub(super) fn table(pages: &[Page]) -> String {
    let mut out = String::new();
    for (i, page) in pages.iter().enumerate() {
        let Page { receipt, sheet, body, place } = page;
        let rule = plain(receipt.rule.as_str(), 200);
        let _ = writeln!(out, "── {} of {}: {rule} at {}", i + 1, pages.len(), plain(place, 500));
        let _ = writeln!(out, "{} {}", sheet.method, sheet.url);
        for (name, value) in &sheet.headers {
            let _ = writeln!(out, "{name}: {value}");
        }
        for sent in &receipt.sent {
            let path = plain(sent.path.as_str(), 500);
            let _ = writeln!(out, "  {path}:{}-{}  {}", sent.start, sent.end, sent.reason);
        }
        let replaced: Vec<_> =
            receipt.redactions.iter().map(|(class, count)| format!("{count} {class}")).collect();
        let _ = writeln!(
            out,
            "  {} lines, {} tokens; replaced: {}; policy {}",
            receipt.lines,
            receipt.tokens,
            if replaced.is_empty() { "nothing".into() } else { replaced.join(", ") },
            receipt.policy_digest
        );
        let digest = sha256(&SourceText::new(body.as_str()));
        let _ = writeln!(out, "  body: {} bytes, SHA-256 {digest}\n{body}\n", body.len());
    }
    if pages.is_empty() {
        out.push_str("Nothing would be sent.\n");
    }
    out
}

pub(super) fn json(pages: &[Page]) -> anyhow::Result<String> {
    let mut out = String::new();
    for Page { receipt, sheet, body, place } in pages {
        let line = json!({
            "finding": receipt.finding,
            "rule": receipt.rule,
            "place": place,
            "method": sheet.method,
            "url": sheet.url,
            "headers": sheet.headers,
            "sent": receipt.sent,
            "lines": receipt.lines,
            "tokens": receipt.tokens,
            "redactions": receipt.redactions,
            "policy_digest": receipt.policy_digest,
            "prompt_digest": receipt.prompt_digest,
            "sha256": sha256(&SourceText::new(body.as_str())),
            "body": body,
        });
        let _ = writeln!(out, "{}", serde_json::to_string(&line)?);
    }
    Ok(out)
}

/// Why a finding has no page, one line each: something holds it back, or it could not be read.
pub(super) fn unshown(assessment: &Assessment, pages: &[Page]) -> Vec<String> {
    let shown = |outcome: &&chaffinch_triage::Outcome| {
        pages.iter().any(|page| page.receipt.finding == outcome.finding.fingerprint)
    };
    let mut said: Vec<String> = assessment
        .outcomes
        .iter()
        .filter(|outcome| outcome.standing() == Standing::Failed && !shown(outcome))
        .map(|outcome| {
            let why = match &outcome.triage.cause {
                Some(Cause::Policy(why) | Cause::Unavailable(why)) => why.clone(),
                Some(cause) => format!("{cause:?}"),
                None => "no reason is known".to_owned(),
            };
            let rule = plain(outcome.finding.rule.id.as_str(), 200);
            format!("{rule}: nothing would be sent: {}", plain(&why, 500))
        })
        .collect();
    if assessment.incomplete {
        said.push("the forge does not show all of the change".to_owned());
    }
    if assessment.skipped > 0 {
        said.push(format!("{} results could not be read as findings", assessment.skipped));
    }
    let scans = assessment.unfinished.iter().map(|scan| plain(&scan.sign, 200));
    said.extend(scans.map(|sign| format!("a scan did not come to its end: {sign}")));
    said.extend(assessment.unreadable.iter().map(|why| format!("a report: {}", plain(why, 500))));
    said
}
