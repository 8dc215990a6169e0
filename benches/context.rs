//! Excerpts a second on one core and their 99th percentile; beside them, in turns, what tree-sitter
//! alone takes to parse the files that were read for them. Over generated files, the hard ones among
//! them, over the corpus of the reference data, and over the repositories of its larger set, if
//! `CHAFFINCH_SOURCES` names the folder in which their sources are.
//!
//! `cargo bench --bench context`, or with `-- NAME` only the rows whose name holds that.

#[path = "context/generated.rs"]
mod generated;
#[path = "context/sets.rs"]
mod sets;

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    hint::black_box,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use chaffinch_context::{Answer, Extractor, Limits, O200k, Step};
use chaffinch_core::{
    Confidence, Finding, Fingerprint, LineRange, Location, Region, RepoPath, Rule, RuleId, Severity,
};

use self::generated::{Shape, generate};

/// How long each row is measured, at least.
const LONG: Duration = Duration::from_secs(2);

/// Excerpts of a row, at least: below that the 99th percentile is the slowest.
const MANY: usize = 100;

const LANGUAGES: [&str; 4] = ["py", "ts", "java", "go"];

/// What is generated, and in how many lines.
const FILES: [(&str, Shape, u32); 6] = [
    ("functions", Shape::Functions, 100),
    ("functions", Shape::Functions, 1_000),
    ("functions", Shape::Functions, 10_000),
    ("one function", Shape::OneFunction, 10_000),
    ("one-liners", Shape::OneLiners, 10_000),
    ("broken", Shape::Broken, 10_000),
];

#[expect(clippy::print_stdout, reason = "a bench prints what it measures")]
fn main() {
    let extractor = Extractor::new(Arc::new(O200k::load()));
    println!(
        "{:<20} {:>6} {:>11} {:>8} {:>8} {:>9} {:>6} {:>9}",
        "files", "lines", "excerpts/s", "ms p50", "ms p99", "parse p50", "times", "requests"
    );
    let names: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_due = |row: &str| names.is_empty() || names.iter().any(|name| row.contains(name));
    for (name, shape, lines) in FILES {
        for language in LANGUAGES.iter().filter(|l| is_due(&format!("{name}, {l}"))) {
            let (source, line) = generate(language, shape, lines);
            let case = Case::alone(finding(&format!("src/file.{language}"), line, line), source);
            let name = format!("{name}, {language}");
            println!("{name:<20} {lines:>6} {}", measure(&extractor, &[case]));
        }
    }
    for (name, cases, why) in [
        ("the corpus", sets::corpus(), "the reference data is not there"),
        ("repositories", sets::repositories(), "CHAFFINCH_SOURCES names no folder of sources"),
    ] {
        match cases {
            _ if !is_due(name) => {}
            Some(cases) => println!("{name:<20} {:>6} {}", "", measure(&extractor, &cases)),
            None => println!("{name:<20} left out: {why}"),
        }
    }
}

/// A finding, and the files around it, each read once.
struct Case {
    finding: Finding,
    root: Option<PathBuf>,
    files: RefCell<HashMap<RepoPath, Option<Vec<u8>>>>,
}

impl Case {
    /// One whose file is the only one.
    fn alone(finding: Finding, source: String) -> Self {
        let path = finding.location.as_ref().map(|at| at.path.clone());
        let files =
            path.into_iter().map(|path| (path, Some(source.clone().into_bytes()))).collect();
        Self { finding, root: None, files: RefCell::new(files) }
    }

    /// One among the files of a folder.
    fn below(root: PathBuf, finding: Finding) -> Self {
        Self { finding, root: Some(root), files: RefCell::default() }
    }

    /// Reads what an excerpt asks for, so that it is there when time is taken.
    fn warm(&self, extractor: &Extractor) {
        let mut extraction = extractor.start(&self.finding, Limits::default());
        while let Step::Want(path) = extraction.next() {
            let read =
                || self.root.as_ref().and_then(|root| fs::read(root.join(path.as_str())).ok());
            self.files.borrow_mut().entry(path.clone()).or_insert_with(read);
            extraction.give(&path, answer(&self.files.borrow(), &path));
        }
    }
}

fn answer<'f>(files: &'f HashMap<RepoPath, Option<Vec<u8>>>, path: &RepoPath) -> Answer<'f> {
    match files.get(path) {
        Some(Some(bytes)) => Answer::Found(bytes),
        _ => Answer::Missing,
    }
}

/// The figures of a row: excerpts and parses of the same files, one after the other.
fn measure(extractor: &Extractor, cases: &[Case]) -> String {
    cases.iter().for_each(|case| case.warm(extractor));
    let (mut excerpts, mut parses) = (Vec::new(), Vec::new());
    let mut requests = 0;
    let start = Instant::now();
    while start.elapsed() < LONG || excerpts.len() < MANY {
        for case in cases {
            let files = case.files.borrow();
            excerpts.push(timed(|| requests += excerpt(extractor, &case.finding, &files)));
            parses.push(timed(|| files.iter().for_each(|(path, bytes)| parse(path, bytes))));
        }
    }
    let total: Duration = excerpts.iter().sum();
    let times = total.as_secs_f64() / parses.iter().sum::<Duration>().as_secs_f64();
    let many = count(excerpts.len());
    excerpts.sort_unstable();
    parses.sort_unstable();
    let ms = |all: &[Duration], percent: usize| {
        let at = (all.len() * percent / 100).min(all.len().saturating_sub(1));
        all.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    format!(
        "{:>11.0} {:>8.2} {:>8.2} {:>9.2} {times:>6.2} {:>9.2}",
        many / total.as_secs_f64(),
        ms(&excerpts, 50),
        ms(&excerpts, 99),
        ms(&parses, 50),
        f64::from(requests) / many,
    )
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::NAN, f64::from)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// A whole excerpt: decoding, parsing, slicing, other files, counting, cutting. Returns how many
/// files it asked for.
fn excerpt(
    extractor: &Extractor,
    finding: &Finding,
    files: &HashMap<RepoPath, Option<Vec<u8>>>,
) -> u32 {
    let mut extraction = extractor.start(finding, Limits::default());
    while let Step::Want(path) = extraction.next() {
        extraction.give(&path, answer(files, &path));
    }
    black_box(extraction.next());
    extraction.requests()
}

/// What a file costs tree-sitter alone; nothing if it is not code.
fn parse(path: &RepoPath, bytes: &Option<Vec<u8>>) {
    let Some(bytes) = bytes else { return };
    let grammar = match path.as_str().rsplit('.').next() {
        Some("py") => tree_sitter_python::LANGUAGE,
        Some("ts") => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        Some("js" | "jsx" | "mjs") => tree_sitter_javascript::LANGUAGE,
        Some("go") => tree_sitter_go::LANGUAGE,
        Some("java") => tree_sitter_java::LANGUAGE,
        Some("rb") => tree_sitter_ruby::LANGUAGE,
        Some("php") => tree_sitter_php::LANGUAGE_PHP,
        _ => return,
    };
    let mut parser = tree_sitter::Parser::new();
    if parser.set_language(&grammar.into()).is_ok() {
        black_box(parser.parse(bytes, None));
    }
}

#[expect(clippy::unwrap_used, reason = "a bench: the names are constants")]
fn finding(path: &str, first: u32, last: u32) -> Finding {
    let region =
        Region { lines: LineRange::new(first, last), start_column: None, end_column: None };
    Finding {
        fingerprint: Fingerprint::from_digest([1; 16]),
        tool: String::new(),
        rule: Rule {
            id: RuleId::new("bench").unwrap(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: String::new().into(),
        location: Some(Location { path: path.parse().unwrap(), region: Some(region) }),
        flow: Vec::new(),
        suppressed: false,
    }
}
