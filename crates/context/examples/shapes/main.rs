//! How long an excerpt takes for long files of every shape and language, in milliseconds: the median
//! and the slowest of so many runs in one process, on the clock, and the median of what the processor
//! worked for it, which a busy machine changes less. To be run in release:
//! `shapes [LINES [RUNS [PATH [SHAPE]]]]`.

#[path = "../storm/memory.rs"]
mod memory;
mod source;

use std::{error::Error, hint::black_box, sync::Arc, time::Instant};

use chaffinch_context::{Answer, Extractor, Limits, O200k, Step};
use chaffinch_core::{
    Confidence, Excerpt, Finding, Fingerprint, LineRange, Location, Region, Rule, RuleId, Severity,
};

use self::source::{ALL, Shape, source};

const SHAPES: [(Shape, &str); 7] = [
    (Shape::Functions, "functions"),
    (Shape::Singles, "single lines"),
    (Shape::OneFunction, "one function"),
    (Shape::OneList, "one list"),
    (Shape::BrokenNear, "broken here"),
    (Shape::BrokenAll, "broken often"),
    (Shape::QuoteOpens, "open quote"),
];

#[expect(clippy::print_stdout, reason = "an example for people")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: &str| arguments.get(at).map_or(default, String::as_str).parse::<u32>();
    let (lines, runs) = (number(0, "10000")?, number(1, "11")?.max(1));
    let asked = |at: usize, name: &str| arguments.get(at).is_none_or(|part| name.contains(part));
    let extractor = Extractor::new(Arc::new(O200k::load()));
    println!(
        "{:<10} {:<14} {:>6} {:>8} {:>8} {:>8}  lines sent",
        "file", "shape", "KiB", "p50", "worst", "on cpu"
    );
    let mut worst = (0.0_f64, 0.0_f64);
    for writes in ALL.iter().filter(|w| asked(2, w.path)) {
        for (shape, name) in SHAPES.into_iter().filter(|(_, name)| asked(3, name)) {
            let (text, line) = source(writes, shape, lines);
            let finding = finding(writes.path, line)?;
            let (mut took, mut worked) = (Vec::new(), Vec::new());
            let mut said = String::new();
            for _ in 0..runs {
                let (start, before) = (Instant::now(), on_cpu());
                let outcome = black_box(excerpt(&extractor, &finding, text.as_bytes()));
                took.push(start.elapsed().as_secs_f64() * 1e3);
                worked.extend(on_cpu().zip(before).map(|(after, before)| (after - before) / 1e6));
                said = outcome.map_or_else(|why| why, |excerpt| told(&excerpt));
            }
            let [median, worked] = [&mut took, &mut worked].map(|all| middle(all));
            let slowest = took.last().copied().unwrap_or_default();
            worst = (worst.0.max(median), worst.1.max(worked));
            println!(
                "{:<10} {name:<14} {:>6} {median:>8.1} {slowest:>8.1} {worked:>8.1}  {said}",
                writes.path,
                text.len() >> 10
            );
        }
    }
    let peak = memory::peak().map_or("unknown".into(), |kib| format!("{} MiB", kib >> 10));
    println!("the slowest medians {:.1} ms, {:.1} ms on the cpu", worst.0, worst.1);
    println!("resident at most, the vocabulary included: {peak}");
    Ok(())
}

/// Sorts; the one in the middle.
fn middle(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Nanoseconds that this thread has run; none where the system does not tell.
fn on_cpu() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok()
}

fn told(excerpt: &Excerpt) -> String {
    let notes: Vec<&str> = excerpt
        .notes()
        .iter()
        .filter(|note| !note.starts_with("cut to") && !note.starts_with("no caller"))
        .filter_map(|note| note.split([':']).next())
        .collect();
    format!("{:>3} {}", excerpt.lines().len(), notes.join("; "))
}

/// Only the finding's own file is there.
fn excerpt(extractor: &Extractor, finding: &Finding, bytes: &[u8]) -> Result<Excerpt, String> {
    let mut extraction = extractor.start(finding, Limits::default());
    let mut own = true;
    loop {
        match extraction.next() {
            Step::Want(path) => {
                let first = std::mem::take(&mut own);
                extraction.give(&path, if first { Answer::Found(bytes) } else { Answer::Missing });
            }
            Step::List(folder) => extraction.give_names(&folder, &[]),
            Step::Done(outcome) => return outcome.map_err(|none| none.why),
        }
    }
}

fn finding(path: &str, line: u32) -> Result<Finding, Box<dyn Error>> {
    let lines = LineRange::new(line, line);
    let region = Region { lines, start_column: None, end_column: None };
    Ok(Finding {
        fingerprint: Fingerprint::from_digest([1; 16]),
        tool: String::new(),
        rule: Rule {
            id: RuleId::new("shapes")?,
            title: None,
            cwe: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: String::new().into(),
        location: Some(Location { path: path.parse()?, region: Some(region) }),
        flow: Vec::new(),
        suppressed: false,
    })
}
