//! Excerpts as they come out of the public interface.

#![expect(clippy::unwrap_used, reason = "a test may stop where its own set-up is wrong")]

mod at_hand;
mod callers;
mod checks;
mod conventions;
mod corpus;
mod dialogue;
mod elsewhere;
mod fuzz;
mod hops;
mod inner;
mod languages;
mod listing;
mod long;
mod odd;
mod outside;
mod pages;
mod places;
mod properties;
mod reasons;
mod records;
mod returned;
mod scripts;
mod settling;
mod stored;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, Step};
use chaffinch_core::{
    Confidence, Excerpt, Finding, Fingerprint, FlowRole, FlowStep, LineRange, Location, Region,
    Rule, RuleId, Rung, Severity, TokenCount,
};

static TOKENS: LazyLock<Arc<dyn TokenCount>> = LazyLock::new(|| Arc::new(Bytes));

/// Counts three bytes as a token: the vocabulary takes seconds to load without optimisation, and
/// each test is a process of its own.
struct Bytes;

impl TokenCount for Bytes {
    fn count(&self, text: &str) -> usize {
        text.len().div_ceil(3)
    }
}

/// A larger budget than the usual one.
const AMPLE: Limits = Limits {
    budget: 4_000,
    ceiling: Rung::Related,
    content_requests: 6,
    parse_steps: 1_000,
    max_file_bytes: 1 << 20,
    listing: false,
};

fn region(first: u32, last: u32) -> Region {
    Region { lines: LineRange::new(first, last), start_column: None, end_column: None }
}

fn finding(path: &str, region: Option<Region>) -> Finding {
    Finding {
        fingerprint: Fingerprint::from_digest([7; 16]),
        tool: "test".into(),
        rule: Rule {
            id: RuleId::new("test.rule").unwrap(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: "a finding".into(),
        location: Some(Location { path: path.parse().unwrap(), region }),
        flow: Vec::new(),
        suppressed: false,
    }
}

fn through(mut finding: Finding, steps: &[(&str, u32)]) -> Finding {
    let step = |(path, line): &(&str, u32)| FlowStep {
        role: FlowRole::Step,
        location: Location { path: path.parse().unwrap(), region: Some(region(*line, *line)) },
        message: None,
    };
    finding.flow = steps.iter().map(step).collect();
    finding
}

/// The excerpt of `finding` where the repository holds `files`.
fn excerpt(
    finding: &Finding,
    files: &[(&str, &[u8])],
    limits: Limits,
) -> Result<Excerpt, NoExcerpt> {
    let files: BTreeMap<&str, &[u8]> = files.iter().copied().collect();
    let mut extraction = Extractor::new(Arc::clone(&TOKENS)).start(finding, limits);
    loop {
        match extraction.next() {
            Step::Want(path) => match files.get(path.as_str()) {
                Some(bytes) => extraction.give(&path, Answer::Found(bytes)),
                None => extraction.give(&path, Answer::Missing),
            },
            Step::List(folder) => extraction.give_names(&folder, &[]),
            Step::Done(outcome) => return *outcome,
        }
    }
}

/// The excerpt for people: number, reason and text of each line, then rung and notes.
fn show(outcome: &Result<Excerpt, NoExcerpt>) -> String {
    let excerpt = match outcome {
        Ok(excerpt) => excerpt,
        Err(none) => return format!("none: {none}"),
    };
    let mut out = String::new();
    for file in excerpt.lines().chunk_by(|a, b| a.path == b.path) {
        writeln!(out, "{}", file[0].path).unwrap();
        for line in file {
            writeln!(out, "{:>4} {} | {}", line.number, line.reason, line.text.expose()).unwrap();
        }
    }
    write!(out, "rung {:?}", excerpt.rung()).unwrap();
    for note in excerpt.notes() {
        write!(out, "\nnote: {note}").unwrap();
    }
    out
}

/// The excerpt for the line of `source` that holds the mark `<-- here`.
fn marked(path: &str, source: &str, ceiling: Rung) -> String {
    let line = source.lines().position(|l| l.contains("<-- here")).unwrap() + 1;
    let line = u32::try_from(line).unwrap();
    let limits = Limits { ceiling, ..AMPLE };
    let found = finding(path, Some(region(line, line)));
    show(&excerpt(&found, &[(path, source.as_bytes())], limits))
}

/// Asserts that of `files` the lines that say `needed` are sent, and those that say `in vain` are
/// not, for the finding on the line that says `<-- here` in the first.
fn sends(files: &[(&str, &str)]) {
    let (path, source) = files[0];
    let line = source.lines().position(|l| l.contains("<-- here")).unwrap() + 1;
    let line = u32::try_from(line).unwrap();
    let held: Vec<(&str, &[u8])> = files.iter().map(|(p, text)| (*p, text.as_bytes())).collect();
    let outcome = excerpt(&finding(path, Some(region(line, line))), &held, AMPLE);
    let sent = outcome.as_ref().unwrap();
    for (path, text) in files {
        let repo_path = path.parse().unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let is_sent = sent.line(&repo_path, number).is_some();
            let wrong =
                (line.contains("needed") && !is_sent) || (line.contains("in vain") && is_sent);
            assert!(!wrong, "{path}:{number}: {line}\n\n{}", show(&outcome));
        }
    }
}
