//! The reference set of small programs.

use std::{fs, path::PathBuf, sync::Arc};

use chaffinch_context::{Limits, O200k};
use chaffinch_core::TokenCount;

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
            let asked = records::Asked { limits, changed: Vec::new() };
            let (outcome, requests) = records::excerpt(&record, &corpus, &tokens, &asked);
            let excerpt = outcome.unwrap_or_else(|none| panic!("{}: {none}", record.id));
            let location = record.finding.location.as_ref().unwrap();
            let first = location.region.unwrap().lines.start;
            assert!(excerpt.line(&location.path, first).is_some(), "{}", record.id);
            assert!(excerpt.cost(tokens.as_ref()) <= budget, "{}", record.id);
            assert!(excerpt.notes().iter().all(|n| n.starts_with("cut to")), "{}", record.id);
            assert_eq!(requests, 1, "{}", record.id);
        }
    }
}
