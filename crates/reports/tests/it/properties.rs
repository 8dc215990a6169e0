//! What holds for any input.

use std::{collections::HashMap, fs};

use chaffinch_core::{Confidence, LineRange, Location, Region, Rule, Severity};
use chaffinch_reports::{Options, Tool, Unidentified, identify, parse};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::testdata::{files, testdata};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Small documents that use every part of both formats.
const SEEDS: [&str; 2] = [
    r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T","semanticVersion":"1","globalMessageStrings":{"g":{"text":"{0}"}},"rules":[{"id":"A","messageStrings":{"m":{"text":"{0} [x](1)"}},"properties":{"tags":["CWE-89"],"security-severity":"7.5","precision":"high"},"relationships":[{"target":{"id":"79","toolComponent":{"index":0}}}]}]},"extensions":[{"name":"E","rules":[{"id":"B"}]}]},"taxonomies":[{"name":"CWE"}],"artifacts":[{"location":{"uri":"b.c","uriBaseId":"S"}}],"originalUriBaseIds":{"S":{"uri":"src/","uriBaseId":"R"},"R":{"uri":"file:///w/r/"}},"threadFlowLocations":[{"location":{"physicalLocation":{"artifactLocation":{"uri":"f.c"}}}}],"results":[{"ruleId":"A/x","ruleIndex":0,"level":"error","message":{"id":"m","arguments":["a"]},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"file:///w/r/a%20b.c"},"region":{"startLine":3,"startColumn":1,"endLine":4,"snippet":{"text":"x\ny"}}}},{"physicalLocation":{"artifactLocation":{"index":0}}}],"fingerprints":{"f/v1":"1"},"suppressions":[{"kind":"inSource"}],"taxa":[{"id":"20","toolComponent":{"name":"CWE"}}],"codeFlows":[{"threadFlows":[{"locations":[{"location":{"message":{"text":"s"},"physicalLocation":{"artifactLocation":{"uri":"C:\\a.c"},"region":{"startLine":1}}}},{"index":0}]}]}]},{"rule":{"index":0,"toolComponent":{"index":0}},"message":{"text":"\ud83d\ude00"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"../a.c"}}}]}]}]}"#,
    r#"{"version":"1.99.0","errors":[],"results":[{"check_id":"A","path":"a.py","start":{"line":1,"col":2},"end":{"line":3,"col":4},"extra":{"message":"m","severity":"ERROR","fingerprint":"f_0","lines":"x","is_ignored":false,"engine_kind":"OSS","metadata":{"cwe":["CWE-78: x"],"confidence":"LOW","impact":"HIGH","likelihood":"LOW"},"dataflow_trace":{"taint_source":["CliLoc",[{"path":"a.py","start":{"line":1},"end":{"line":1}},"s"]],"intermediate_vars":[{"location":{"path":"a.py"},"content":"v"}],"taint_sink":["CliCall",[[{"path":"a.py"},"f"],[],["CliLoc",[{"path":"b.py"},"t"]]]]}}}]}"#,
];

/// What one edit does to a document, at a place that is given as a share of it.
#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Remove(Index, usize),
    Insert(Index, &'static str),
    Repeat(Index, usize),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let tokens = prop::sample::select(vec![
        "null",
        "[]",
        "{}",
        "-1",
        "1e400",
        "\"",
        "\\",
        "[[",
        "{\"a\":",
        "}",
        "]",
        ",",
        "\\ud800",
        "9999999999999999999999",
        "\"%zz\"",
        "..",
        "\u{0}",
        "{0}",
        "](",
        "file://",
        "\u{feff}",
    ]);
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Flip(at, byte)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Edit::Remove(at, len)),
        (any::<Index>(), tokens).prop_map(|(at, token)| Edit::Insert(at, token)),
        (any::<Index>(), 1..400_usize).prop_map(|(at, len)| Edit::Repeat(at, len)),
        any::<Index>().prop_map(Edit::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, edits: &[Edit]) {
    for edit in edits {
        let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match edit {
            Edit::Flip(index, byte) => {
                let at = at(index, bytes);
                if let Some(place) = bytes.get_mut(at) {
                    *place ^= byte;
                }
            }
            Edit::Remove(index, len) => {
                let at = at(index, bytes);
                bytes.drain(at..(at + len).min(bytes.len()));
            }
            Edit::Insert(index, token) => {
                let at = at(index, bytes);
                bytes.splice(at..at, token.bytes());
            }
            Edit::Repeat(index, len) => {
                let at = at(index, bytes);
                let part = bytes[at..(at + len).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Edit::Cut(index) => bytes.truncate(at(index, bytes)),
        }
    }
}

/// Reads and identifies; whatever comes out must have unique fingerprints.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let known = ["a b.c", "src/b.c", "a.py"].map(|path| path.parse().unwrap());
    let options = Options { known_paths: &known, ..Options::default() };
    if let Ok(report) = parse(bytes, &options) {
        let findings = identify(report.results, &|_| Some("one\ntwo\nthree"));
        let mut fingerprints: Vec<_> = findings.iter().map(|f| f.fingerprint).collect();
        fingerprints.sort();
        fingerprints.dedup();
        prop_assert_eq!(fingerprints.len(), findings.len());
    }
    Ok(())
}

#[test]
fn the_seeds_are_read_whole() {
    let known = ["a b.c".parse().unwrap()];
    let options = Options { known_paths: &known, ..Options::default() };
    let count = |seed: &str| parse(seed.as_bytes(), &options).unwrap().results.len();
    assert_eq!(SEEDS.map(count), [2, 1]);
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        survives(&bytes)?;
    }

    #[test]
    fn a_mutated_document_never_panics(
        seed in prop::sample::select(SEEDS.to_vec()),
        edits in vec(edit(), 1..6),
        wide in any::<bool>(),
    ) {
        let mut bytes: Vec<u8> = match wide {
            true => seed.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            false => seed.as_bytes().to_vec(),
        };
        apply(&mut bytes, &edits);
        survives(&bytes)?;
    }
}

#[test]
fn testdata_mutated_real_reports_never_panic() {
    let Some(folder) = testdata() else { return };
    let folders =
        ["sarif", "semgrep-json", "gitlab", "outputs"].iter().flat_map(|f| files(&folder.join(f)));
    let reports: Vec<Vec<u8>> = folders.map(|path| fs::read(path).unwrap()).collect();
    let small: Vec<Vec<u8>> = reports.into_iter().filter(|r| r.len() < 64_000).collect();
    assert!(small.len() > 50);
    let mut runner = prop::test_runner::TestRunner::new(config(400));
    let input = (0..small.len(), vec(edit(), 1..8));
    let outcome = runner.run(&input, |(which, edits)| {
        let mut bytes = small[which].clone();
        apply(&mut bytes, &edits);
        survives(&bytes)
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A file of lines from a small alphabet, so that many are identical, and findings on some of them.
fn scan() -> impl Strategy<Value = (Vec<usize>, Vec<(usize, usize)>)> {
    vec(0..4_usize, 1..30).prop_flat_map(|lines| {
        let finding = (0..lines.len(), 0..3_usize);
        (Just(lines), vec(finding, 0..20))
    })
}

fn text(lines: &[usize]) -> String {
    lines.iter().map(|line| format!("    call_{line}(x)\n")).collect()
}

fn finding(line: usize, rule: usize) -> Unidentified {
    let number = u32::try_from(line + 1).unwrap();
    let lines = LineRange::new(number, number);
    Unidentified {
        tool: Tool { name: "T".to_owned(), version: None },
        rule: Rule {
            id: format!("rule-{rule}").parse().unwrap(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::Medium,
            confidence: Confidence::Unknown,
        },
        message: "m".into(),
        location: Location {
            path: "a.py".parse().unwrap(),
            region: Some(Region { lines, start_column: None, end_column: None }),
        },
        flow: Vec::new(),
        suppressed: false,
        tool_fingerprint: None,
        snippet: None,
    }
}

/// Line and rule → fingerprint.
fn identified(text: &str, findings: &[(usize, usize)]) -> HashMap<(u32, String), String> {
    let results = findings.iter().map(|(line, rule)| finding(*line, *rule)).collect();
    let findings = identify(results, &|_| Some(text));
    let key = |f: &chaffinch_core::Finding| {
        let region = f.location.as_ref().and_then(|l| l.region).unwrap();
        (region.lines.start, f.rule.id.to_string())
    };
    findings.iter().map(|f| (key(f), f.fingerprint.to_string())).collect()
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn fingerprints_are_unique_and_do_not_depend_on_the_order((lines, found) in scan()) {
        let text = text(&lines);
        let forward = identified(&text, &found);
        let mut fingerprints: Vec<_> = forward.values().collect();
        fingerprints.sort();
        fingerprints.dedup();
        prop_assert_eq!(fingerprints.len(), forward.len());
        let backward: Vec<_> = found.iter().rev().copied().collect();
        prop_assert_eq!(identified(&text, &backward), forward);
    }

    #[test]
    fn fingerprints_stay_when_lines_are_inserted_above((lines, found) in scan(), above in 1..50_usize) {
        let before = identified(&text(&lines), &found);
        let moved: Vec<_> = found.iter().map(|(line, rule)| (line + above, *rule)).collect();
        let after = identified(&format!("{}{}", "# new\n".repeat(above), text(&lines)), &moved);
        let shift = u32::try_from(above).unwrap();
        let expected = before.into_iter().map(|((line, rule), f)| ((line + shift, rule), f)).collect();
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn fingerprints_stay_when_findings_of_other_kinds_go((lines, found) in scan(), kept in 0..3_usize) {
        let text = text(&lines);
        let all = identified(&text, &found);
        let rest: Vec<_> = found.iter().filter(|(_, rule)| *rule == kept).copied().collect();
        for (finding, fingerprint) in identified(&text, &rest) {
            prop_assert_eq!(&all[&finding], &fingerprint);
        }
    }

    #[test]
    fn fingerprints_stay_when_identical_findings_below_go((lines, found) in scan(), cut in 0..30_usize) {
        let text = text(&lines);
        let all = identified(&text, &found);
        let rest: Vec<_> = found.iter().filter(|(line, _)| *line <= cut).copied().collect();
        for (finding, fingerprint) in identified(&text, &rest) {
            prop_assert_eq!(&all[&finding], &fingerprint);
        }
    }
}
