//! The reference set of small programs.

use std::{fs, path::PathBuf, sync::Arc};

use chaffinch_context::{Limits, O200k};
use chaffinch_core::{RepoPath, TokenCount};

use crate::{AMPLE, records};

#[expect(clippy::disallowed_methods, reason = "where the reference data is")]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn data() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = PathBuf::from(std::env::var("CHAFFINCH_TESTDATA").unwrap_or(default.into()));
    let corpus = root.join("findings/corpus");
    if corpus.is_dir() {
        return Some(corpus);
    }
    println!("skipped: no test data at {}", corpus.display());
    None
}

#[test]
fn testdata_every_finding_of_the_corpus_is_in_its_excerpt() {
    let Some(corpus) = data() else { return };
    let truth = fs::read_to_string(corpus.join("truth.jsonl")).unwrap();
    let tokens: Arc<dyn TokenCount> = Arc::new(O200k::load());
    assert!(truth.lines().count() >= 28);
    for line in truth.lines() {
        let record = records::record(line).unwrap();
        for budget in [80, 150, 300, 650] {
            let limits = Limits { budget, ..AMPLE };
            let (outcome, requests) = records::excerpt(&record, &corpus, &tokens, limits);
            let excerpt = outcome.unwrap_or_else(|none| panic!("{}: {none}", record.id));
            let location = record.finding.location.as_ref().unwrap();
            let first = location.region.unwrap().lines.start;
            assert!(excerpt.line(&location.path, first).is_some(), "{}", record.id);
            assert!(excerpt.cost(tokens.as_ref()) <= budget, "{}", record.id);
            let known = |n: &String| n.starts_with("cut to") || n.starts_with("no caller");
            assert!(excerpt.notes().iter().all(known), "{}", record.id);
            assert!(requests <= limits.content_requests, "{}", record.id);
        }
    }
}

/// What a set's records need, and what was sent of it.
#[derive(Default)]
struct Score {
    needed: usize,
    sent: usize,
    complete: usize,
    records: usize,
    tokens: usize,
}

#[test]
fn testdata_the_corpus_stays_above_its_floor() {
    let Some(corpus) = data() else { return };
    let truth = fs::read_to_string(corpus.join("truth.jsonl")).unwrap();
    let tokens: Arc<dyn TokenCount> = Arc::new(O200k::load());
    let mut score = Score::default();
    for line in truth.lines() {
        let record = records::record(line).unwrap();
        let excerpt = records::excerpt(&record, &corpus, &tokens, Limits::default()).0.unwrap();
        let needed = needed(line);
        let sent = needed.iter().filter(|(path, line)| excerpt.line(path, *line).is_some()).count();
        score.needed += needed.len();
        score.sent += sent;
        score.complete += usize::from(sent == needed.len());
        score.records += 1;
        score.tokens += excerpt.cost(tokens.as_ref());
    }
    let Score { needed, sent, complete, records, tokens } = score;
    assert!(sent * 100 >= needed * 93, "recall {sent} of {needed}");
    assert!(complete * 100 >= records * 82, "complete {complete} of {records}");
    assert!(tokens <= records * 250, "{tokens} tokens for {records}");
}

fn needed(record: &str) -> Vec<(RepoPath, u32)> {
    let json: serde_json::Value = serde_json::from_str(record).unwrap();
    let lines = |path: &serde_json::Value, lines: &serde_json::Value| {
        let path: RepoPath = path.as_str().unwrap().parse().unwrap();
        let numbers = lines.as_array().unwrap().iter().map(|n| n.as_u64().unwrap());
        numbers.map(|n| (path.clone(), u32::try_from(n).unwrap())).collect::<Vec<_>>()
    };
    let mut found = lines(&json["path"], &json["needed_lines"]);
    for other in json["needed_other_files"].as_array().unwrap() {
        found.extend(lines(&other["path"], &other["lines"]));
    }
    found
}
