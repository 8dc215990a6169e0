//! Records of a truth set to what would be sent for them, for a scorer.
//!
//! Of a record only what a scanner would know is read: path, lines, rule, message, trace, and where
//! the sources are. What is needed, and what the finding is, stays unread.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow, bail};
use chaffinch_core::{
    Confidence, Finding, Fingerprint, FlowRole, FlowStep, LineRange, Location, Region, Rule,
    RuleId, Severity,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Cutter;
use crate::{local::Checkout, plain::plain, progress};

/// The largest set that is read, in bytes.
const MAX_SET: u64 = 64 << 20;

/// The longest part of an id or a name that an error quotes, in characters.
const MAX_ID: usize = 100;

/// What is said of what is no record.
const WANTED: &str = "want \"id\", \"repo\", \"path\", \"start\", \"end\" and \"rule\", and \
    \"fetch\", \"message\" and \"trace\" where there are any (chaffinch excerpt --help shows one)";

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

/// One object a line: `{"id", "sent": [{"path", "lines"}], "files_fetched"}`, with `why` where nothing
/// can be sent; if `explain`, also what became of each file that was asked for (`asked`), and the
/// folders (`listed`). A bad record is said so at its turn, and the others still come.
pub(super) fn print(
    set: &Path,
    root: &Path,
    cutter: &Cutter,
    explain: bool,
) -> anyhow::Result<ExitCode> {
    let shown = set.display();
    let size = std::fs::metadata(set).with_context(|| format!("cannot read {shown}"))?.len();
    if size > MAX_SET {
        bail!("{shown} is larger than {} MB", MAX_SET >> 20);
    }
    let text = std::fs::read_to_string(set).with_context(|| format!("cannot read {shown}"))?;
    let (mut records, mut bad) = (0, 0);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        records += 1;
        match answer(line, root, cutter, explain) {
            Ok(line) => progress::print(&format!("{line}\n"))?,
            Err(error) => {
                bad += 1;
                progress::error(&format!("{shown}, line {}: {error:#}", number + 1));
            }
        }
    }
    if records == 0 {
        bail!("no records in {shown}");
    }
    Ok(ExitCode::from(if bad > 0 { crate::USAGE } else { 0 }))
}

fn answer(line: &str, root: &Path, cutter: &Cutter, explain: bool) -> anyhow::Result<Value> {
    let record: Record =
        serde_json::from_str(line).map_err(|error| anyhow!("{}; {WANTED}", place_less(&error)))?;
    let finding = record.finding()?;
    let checkout = Checkout::open(&record.folder(root)?)
        .with_context(|| format!("the record {}", plain(&record.id, MAX_ID)))?;
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
    let mut answer = json!({ "id": record.id, "sent": sent, "files_fetched": requests });
    if let Err(why) = &cut.excerpt {
        answer["why"] = json!(why);
    }
    if explain {
        let asked = cut.files.iter().map(|(path, word)| json!([path, word]));
        answer["asked"] = asked.collect();
        answer["listed"] = json!(cut.folders);
    }
    Ok(answer)
}

/// What serde says, without a place within the one line that the record is.
fn place_less(error: &serde_json::Error) -> String {
    let said = plain(&error.to_string(), 200);
    match said.rsplit_once(" at line ") {
        Some((said, _)) => said.to_owned(),
        None => said,
    }
}

impl Record {
    /// Where its sources are: the corpus lies in the root itself, a repository in a folder of its
    /// own.
    fn folder(&self, root: &Path) -> anyhow::Result<PathBuf> {
        let (key, name) = match &self.fetch {
            Some(fetch) => ("fetch", fetch),
            None if self.repo == "corpus" => return Ok(root.to_owned()),
            None => ("repo", &self.repo),
        };
        if name.split(['/', '\\']).any(|part| matches!(part, "" | "." | "..")) {
            bail!(
                "{key:?} is {:?}: want the name of a repository, as \"acme/shop\"",
                plain(name, MAX_ID)
            );
        }
        Ok(root.join(name.replace('/', "+")))
    }

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
            location: Some(
                location(&self.path, self.start, self.end)
                    .context("\"path\", \"start\", \"end\"")?,
            ),
            flow: steps.collect::<anyhow::Result<_>>()?,
            suppressed: false,
        })
    }
}

fn location(path: &str, first: u32, last: u32) -> anyhow::Result<Location> {
    if first == 0 || first > last {
        bail!("lines {first} to {last}: want numbers from 1, the first one first");
    }
    let region =
        Region { lines: LineRange::new(first, last), start_column: None, end_column: None };
    Ok(Location { path: path.parse()?, region: Some(region) })
}
