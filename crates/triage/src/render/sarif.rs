//! SARIF 2.1.0 of an assessment: the scanner's findings with our triage as their level.

use std::collections::BTreeMap;

use chaffinch_core::{Location, Receipt};
use serde_json::{Value, json};

use super::{escape::plain, summary::gaps};
use crate::{Assessment, Outcome, Standing};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The longest message, in characters.
const MAX_MESSAGE: usize = 4_000;

/// One run with one result for each outcome. Nothing is suppressed and nothing is left out: a likely
/// false positive is a note.
pub fn sarif(assessment: &Assessment) -> Value {
    let mut rules: BTreeMap<&str, &Outcome> = BTreeMap::new();
    for outcome in &assessment.outcomes {
        rules.entry(outcome.finding.rule.id.as_str()).or_insert(outcome);
    }
    let index: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let rules: Vec<Value> = rules.values().map(|outcome| rule(outcome)).collect();
    let results: Vec<Value> =
        assessment.outcomes.iter().map(|outcome| result(outcome, &index)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Chaffinch",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
            "invocations": [{
                "executionSuccessful": assessment.is_whole(),
                "toolExecutionNotifications": gaps(assessment).iter().map(|why| json!({
                    "level": "error",
                    "message": {"text": plain(&why.replace('`', ""), MAX_MESSAGE)},
                })).collect::<Vec<_>>(),
            }],
        }],
    })
}

fn rule(outcome: &Outcome) -> Value {
    let rule = &outcome.finding.rule;
    let mut out = json!({
        "id": rule.id.as_str(),
        "properties": {"tags": rule.cwe, "severity": rule.severity},
    });
    if let Some(title) = &rule.title {
        out["shortDescription"] = json!({"text": plain(title, 1_000)});
    }
    out
}

fn result(outcome: &Outcome, index: &BTreeMap<&str, usize>) -> Value {
    let (finding, triage) = (&outcome.finding, &outcome.triage);
    let level = match outcome.standing() {
        Standing::Real => "error",
        Standing::Review | Standing::Failed => "warning",
        Standing::LikelyFalse => "note",
    };
    let why = match &triage.cause {
        Some(cause) if triage.reason.is_empty() => cause.to_string(),
        _ => triage.reason.expose().to_owned(),
    };
    let said = if why.is_empty() { finding.message.expose().to_owned() } else { why };
    let rule = finding.rule.id.as_str();
    let mut out = json!({
        "ruleId": rule,
        "ruleIndex": index.get(rule),
        "level": level,
        "message": {"text": plain(&said, MAX_MESSAGE)},
        "locations": finding.location.iter().map(location).collect::<Vec<_>>(),
        "partialFingerprints": {"chaffinch/v1": finding.fingerprint.to_string()},
        "properties": {
            "verdict": triage.verdict,
            "cause": triage.cause.as_ref().map(ToString::to_string),
            "confidence": triage.confidence,
            "tool": plain(&finding.tool, 200),
            "model": plain(&triage.model, 200),
            "receipts": outcome.receipts.iter().map(receipt).collect::<Vec<_>>(),
            "cached": outcome.cached,
        },
    });
    if !finding.flow.is_empty() {
        let steps: Vec<Value> =
            finding.flow.iter().map(|step| json!({"location": location(&step.location)})).collect();
        out["codeFlows"] = json!([{"threadFlows": [{"locations": steps}]}]);
    }
    out
}

fn receipt(receipt: &Receipt) -> Value {
    json!({
        "id": receipt.id,
        "lines": receipt.lines,
        "tokens": receipt.tokens,
        "endpoint": receipt.endpoint,
        "filesAskedFor": receipt.requests.files,
        "foldersListed": receipt.requests.folders,
    })
}

fn location(at: &Location) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(at.path.as_str())}});
    if let Some(region) = at.region {
        physical["region"] = json!({"startLine": region.lines.start, "endLine": region.lines.end});
    }
    json!({"physicalLocation": physical})
}

/// A relative URI reference: what may not stand in one is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
