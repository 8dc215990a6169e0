//! Records of a truth set to what would be sent for them, for a scorer.
//!
//! Of a record only what a scanner would know is read: path, lines, rule, message, trace, and where
//! the sources are. What is needed, and what the finding is, stays unread.

use std::{fmt::Write, path::Path};

use anyhow::{Context, bail};
use chaffinch_core::{
    Confidence, Finding, Fingerprint, FlowRole, FlowStep, LineRange, Location, Region, Rule,
    RuleId, Severity,
};
use serde::Deserialize;
use serde_json::json;

use super::Cutter;
use crate::local::Checkout;

/// The largest set that is read, in bytes.
const MAX_SET: u64 = 64 << 20;

#[derive(Deserialize)]
struct Record {
    id: String,
    repo: String,
    fetch: Option<String>,
    path: String,
    start: u32,
    end: u32,
    rule: String,
    #[serde(default)]
    message: String,
    trace: Option<Vec<Step>>,
}

#[derive(Deserialize)]
struct Step {
    path: String,
    line: u32,
}

/// One object a line: `{"id", "sent": [{"path", "lines"}], "files_fetched"}`; if `explain`, also what
/// became of each file that was asked for (`asked`), and the folders (`listed`).
pub(super) fn lines(
    set: &Path,
    root: &Path,
    cutter: &Cutter,
    explain: bool,
) -> anyhow::Result<String> {
    let shown = set.display();
    let size = std::fs::metadata(set).with_context(|| format!("cannot read {shown}"))?.len();
    if size > MAX_SET {
        bail!("{shown} is larger than {} MB", MAX_SET >> 20);
    }
    let text = std::fs::read_to_string(set).with_context(|| format!("cannot read {shown}"))?;
    let mut out = String::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let record: Record =
            serde_json::from_str(line).with_context(|| format!("{shown}, line {}", number + 1))?;
        let finding = record.finding().with_context(|| format!("{shown}, line {}", number + 1))?;
        // The corpus lies in the root itself, a repository in a folder of its own.
        let folder = match (&record.fetch, record.repo.as_str()) {
            (None, "corpus") => root.to_owned(),
            (fetch, repo) => root.join(fetch.as_deref().unwrap_or(repo).replace('/', "+")),
        };
        let checkout = Checkout::open(&folder)?;
        let cut = cutter.cut(&finding, &checkout);
        let mut sent: Vec<(&str, Vec<u32>)> = Vec::new();
        for line in cut.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            match sent.last_mut().filter(|(path, _)| *path == line.path.as_str()) {
                Some((_, lines)) => lines.push(line.number),
                None => sent.push((line.path.as_str(), vec![line.number])),
            }
        }
        let sent: Vec<_> =
            sent.iter().map(|(path, lines)| json!({ "path": path, "lines": lines })).collect();
        let requests = cut.files.len() + cut.folders.len();
        let mut line = json!({ "id": record.id, "sent": sent, "files_fetched": requests });
        if explain {
            let asked = cut.files.iter().map(|(path, word)| json!([path, word]));
            line["asked"] = asked.collect();
            line["listed"] = json!(cut.folders);
        }
        writeln!(out, "{line}")?;
    }
    Ok(out)
}

impl Record {
    fn finding(&self) -> anyhow::Result<Finding> {
        let steps = self.trace.iter().flatten().map(|step| {
            Ok(FlowStep {
                role: FlowRole::Step,
                location: location(&step.path, step.line, step.line)?,
                message: None,
            })
        });
        Ok(Finding {
            fingerprint: Fingerprint::from_digest([0; 16]),
            tool: String::new(),
            rule: Rule {
                id: RuleId::new(self.rule.clone())?,
                title: None,
                cwe: Vec::new(),
                severity: Severity::Medium,
                confidence: Confidence::Unknown,
            },
            message: self.message.as_str().into(),
            location: Some(location(&self.path, self.start, self.end)?),
            flow: steps.collect::<anyhow::Result<_>>()?,
            suppressed: false,
        })
    }
}

fn location(path: &str, first: u32, last: u32) -> anyhow::Result<Location> {
    let region =
        Region { lines: LineRange::new(first, last), start_column: None, end_column: None };
    Ok(Location { path: path.parse()?, region: Some(region) })
}
