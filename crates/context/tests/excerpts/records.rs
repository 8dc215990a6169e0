//! Records of a truth set → findings.

use std::{fs, path::Path, sync::Arc};

use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, Step};
use chaffinch_core::{
    Confidence, Excerpt, Finding, Fingerprint, FlowRole, FlowStep, LineRange, Location, Region,
    Rule, RuleId, Severity, TokenCount,
};
use serde_json::Value;

/// What may be known of a record before it is scored.
pub(crate) struct Record {
    /// Names it.
    pub(crate) id: String,
    /// The folder of its sources below the root; empty for the root itself.
    pub(crate) folder: String,
    /// Where it is.
    pub(crate) finding: Finding,
}

/// Reads one line of a truth set.
pub(crate) fn record(line: &str) -> Option<Record> {
    let json: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |json: &Value, key: &str| {
        json.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
    };
    let location = |path: &str, first, last| {
        let region =
            Region { lines: LineRange::new(first, last), start_column: None, end_column: None };
        Some(Location { path: path.parse().ok()?, region: Some(region) })
    };
    let step = |step: &Value| {
        let line = number(step, "line")?;
        Some(FlowStep {
            role: FlowRole::Step,
            location: location(step.get("path")?.as_str()?, line, line)?,
            message: None,
        })
    };
    let flow = json.get("trace").and_then(Value::as_array).into_iter().flatten().filter_map(step);
    let start = number(&json, "start")?;
    let folder = match text("repo").as_str() {
        "corpus" => String::new(),
        repo => json.get("fetch").and_then(Value::as_str).unwrap_or(repo).replace('/', "+"),
    };
    Some(Record {
        id: text("id"),
        folder,
        finding: Finding {
            fingerprint: Fingerprint::from_digest([0; 16]),
            tool: String::new(),
            rule: Rule {
                id: RuleId::new(text("rule")).ok()?,
                title: None,
                cwe: Vec::new(),
                severity: Severity::Medium,
                confidence: Confidence::Unknown,
            },
            message: text("message").into(),
            location: location(&text("path"), start, number(&json, "end").unwrap_or(start)),
            flow: flow.collect(),
            suppressed: false,
        },
    })
}

/// The excerpt of a record whose sources are below `root`, and how many files were asked for.
pub(crate) fn excerpt(
    record: &Record,
    root: &Path,
    tokens: &Arc<dyn TokenCount>,
    limits: Limits,
) -> (Result<Excerpt, NoExcerpt>, u32) {
    let root = root.join(&record.folder);
    let mut extraction = Extractor::new(Arc::clone(tokens)).start(&record.finding, limits);
    loop {
        match extraction.next() {
            Step::Want(path) => match fs::read(root.join(path.as_str())) {
                Ok(bytes) => extraction.give(&path, Answer::Found(&bytes)),
                Err(_) => extraction.give(&path, Answer::Missing),
            },
            Step::List(folder) => extraction.give_names(&folder, &[]),
            Step::Done(outcome) => return (*outcome, extraction.requests()),
        }
    }
}
