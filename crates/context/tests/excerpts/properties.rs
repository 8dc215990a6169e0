//! What holds for every input.

use std::sync::Arc;

use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, Step};
use chaffinch_core::{Excerpt, Finding, RepoPath, Rung};
use proptest::prelude::*;

use crate::{AMPLE, TOKENS, excerpt, finding, region, through};

const PATHS: [&str; 17] = [
    "a.py", "a.js", "a.ts", "a.tsx", "a.java", "a.go", "a.rb", "a.php", "a.conf", "a.cs", "a.kt",
    "a.c", "a.cpp", "a.erb", "a.html", "a.jsp", "a.vue",
];

/// Pieces of several languages, thrown together: what is no syntax in one is in another.
const PIECES: [&str; 30] = [
    "def f(x):",
    "    return x",
    "  y = x + 1",
    "function f(x) {",
    "}",
    "class A {",
    "class A:",
    "  const y = g(x)",
    "  if (!x) {",
    "  if x:",
    "end",
    "def f(x)",
    "  @y = x",
    "package main",
    "func f(x int) {",
    "  x := y",
    "<?php",
    "$x = $_GET['a'];",
    "foreach ($x as $y) {",
    "@route('/a')",
    "  self.y = y",
    "  this.y = x",
    "",
    "`",
    "\"\"\"",
    "for x in y:",
    "  throw x;",
    "LIMIT = 3",
    "  run(x, (e) => {",
    "})",
];

/// What a model may say that it misses.
const NEEDS: [&str; 6] = ["g", "LIMIT", "A.y", "a.rb", "where `run` is defined", "app/x.py"];

fn source() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES.as_slice()), 1..40)
        .prop_map(|lines| lines.join("\n"))
}

fn rung() -> impl Strategy<Value = Rung> {
    proptest::sample::select(
        [Rung::Finding, Rung::Slice, Rung::Function, Rung::Related, Rung::File].as_slice(),
    )
}

/// The excerpt where every other file that is asked for holds `other`.
fn both(found: &Finding, own: &str, other: &str, limits: Limits) -> Result<Excerpt, NoExcerpt> {
    let mut extraction = Extractor::new(Arc::clone(&TOKENS)).start(found, limits);
    let mut first = true;
    loop {
        match extraction.next() {
            Step::Want(path) => {
                let text = if std::mem::take(&mut first) { own } else { other };
                extraction.give(&path, Answer::Found(text.as_bytes()));
            }
            Step::List(folder) => extraction.give_names(&folder, &[]),
            Step::Done(outcome) => return *outcome,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn sent_lines_are_in_the_file_unique_in_order_and_within_budget(
        source in source(), path in proptest::sample::select(PATHS.as_slice()),
        line in 1u32..40, length in 0u32..6, ceiling in rung(), budget in 40usize..400,
    ) {
        let lines: Vec<&str> = source.split('\n').collect();
        let line = line.min(u32::try_from(source.lines().count().max(1)).unwrap());
        let found = through(finding(path, Some(region(line, line + length))), &[(path, line / 2 + 1)]);
        let limits = Limits { budget, ceiling, ..AMPLE };
        match excerpt(&found, &[(path, source.as_bytes())], limits) {
            Err(none) => prop_assert!(
                source.is_empty() || none.why.contains("on line"), "{}", none.why),
            Ok(excerpt) => {
                let numbers: Vec<u32> = excerpt.lines().iter().map(|l| l.number).collect();
                prop_assert!(numbers.is_sorted_by(|a, b| a < b));
                for sent in excerpt.lines() {
                    prop_assert_eq!(sent.text.expose(), lines[sent.number as usize - 1]);
                }
                prop_assert!(numbers.contains(&line));
                prop_assert!(excerpt.cost(TOKENS.as_ref()) <= budget);
                prop_assert!(excerpt.rung() <= ceiling);
            }
        }
    }

    #[test]
    fn a_second_file_takes_nothing_from_the_finding(
        source in source(), other in source(), at in 0usize..PATHS.len(),
        line in 1u32..20, budget in 60usize..300, more in 1usize..300,
    ) {
        let path = PATHS[at];
        let found = finding(path, Some(region(line, line)));
        let few = both(&found, &source, &other, Limits { budget, ..AMPLE });
        let many = both(&found, &source, &other, Limits { budget: budget + more, ..AMPLE });
        if let Ok(few) = few {
            prop_assert!(few.cost(TOKENS.as_ref()) <= budget);
            prop_assert!(few.line(&path.parse().unwrap(), line).is_some());
            let many = many.unwrap();
            for sent in few.lines() {
                prop_assert!(many.line(&sent.path, sent.number).is_some());
            }
        }
    }

    #[test]
    fn more_budget_never_removes_a_line(
        source in source(), path in proptest::sample::select(PATHS.as_slice()),
        line in 1u32..20, small in 40usize..200, more in 1usize..300, ceiling in rung(),
    ) {
        let found = finding(path, Some(region(line, line)));
        let files = [(path, source.as_bytes())];
        let few = excerpt(&found, &files, Limits { budget: small, ceiling, ..AMPLE });
        let many = excerpt(&found, &files, Limits { budget: small + more, ceiling, ..AMPLE });
        if let Ok(few) = few {
            let many = many.unwrap();
            for sent in few.lines() {
                prop_assert!(many.line(&sent.path, sent.number).is_some());
            }
            prop_assert!(few.rung() <= many.rung());
        }
    }

    #[test]
    fn any_bytes_give_an_excerpt_or_a_sentence(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        path in proptest::sample::select(PATHS.as_slice()),
        line in 0u32..30, column in 0u32..200, budget in 0usize..300,
    ) {
        let mut region = region(line, line + 1);
        region.start_column = Some(column);
        let found = finding(path, Some(region));
        let limits = Limits { budget, ceiling: Rung::File, ..AMPLE };
        match excerpt(&found, &[(path, &bytes)], limits) {
            Ok(excerpt) => prop_assert!(excerpt.cost(TOKENS.as_ref()) <= budget),
            Err(none) => prop_assert!(!none.why.is_empty()),
        }
    }

    #[test]
    fn the_same_bytes_give_the_same_excerpt(
        source in source(), other in source(), at in 0usize..PATHS.len(), line in 1u32..20,
        steps in proptest::collection::vec((0usize..PATHS.len(), 1u32..30), 0..4),
        changed in proptest::collection::vec(0usize..PATHS.len(), 0..4),
        needs in proptest::collection::vec(proptest::sample::select(NEEDS.as_slice()), 0..4),
        ceiling in rung(), budget in 40usize..600, listing in any::<bool>(),
    ) {
        let steps: Vec<(&str, u32)> = steps.iter().map(|(at, line)| (PATHS[*at], *line)).collect();
        let found = through(finding(PATHS[at], Some(region(line, line + 1))), &steps);
        let limits = Limits { budget, ceiling, listing, ..AMPLE };
        let changed: Vec<RepoPath> = changed.iter().map(|at| PATHS[*at].parse().unwrap()).collect();
        let run = || {
            let mut extraction = Extractor::new(Arc::clone(&TOKENS))
                .start(&found, limits)
                .changing(changed.iter().cloned())
                .needing(needs.iter().map(|need| (*need).to_owned()));
            let mut asked = Vec::new();
            loop {
                match extraction.next() {
                    Step::Want(path) => {
                        let text = if asked.is_empty() { &source } else { &other };
                        extraction.give(&path, Answer::Found(text.as_bytes()));
                        asked.push(path.to_string());
                    }
                    Step::List(folder) => {
                        extraction.give_names(&folder, &["a.py", "b.rb", "x.go"]);
                        asked.push(folder);
                    }
                    Step::Done(outcome) => return (asked, *outcome),
                }
            }
        };
        // The lines with their reasons, the rung, the notes, and what was asked for.
        prop_assert_eq!(run(), run());
    }
}
