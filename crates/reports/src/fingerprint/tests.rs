use chaffinch_core::{Confidence, FlowRole, FlowStep, LineRange, Rule, Severity};

use super::*;

const FILE: &str = "import os\n\ndef f(name):\n    run(name)\n    run(name)\n    other(name)\n";

fn at(rule: &str, line: u32) -> Unidentified {
    Unidentified {
        tool: Tool { name: "Semgrep OSS".to_owned(), version: Some("1".to_owned()) },
        rule: Rule {
            id: rule.parse().unwrap(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: "message".into(),
        location: Location {
            path: "a.py".parse().unwrap(),
            region: Some(Region {
                lines: LineRange::new(line, line),
                start_column: Some(5),
                end_column: Some(9),
            }),
        },
        flow: Vec::new(),
        suppressed: false,
        tool_fingerprint: None,
        snippet: None,
    }
}

fn identified(results: Vec<Unidentified>, file: Option<&str>) -> Vec<String> {
    let findings = identify(results, &|path| file.filter(|_| path.as_str() == "a.py"));
    findings.iter().map(|f| f.fingerprint.to_string()).collect()
}

#[test]
fn a_fingerprint_is_pinned() {
    // A change here gives every open thread a second one: the version in `digest` must change too.
    assert_eq!(identified(vec![at("sqli", 4)], Some(FILE)), ["ac506603cdb8c1124c0e21d1ca925387"]);
    let own = Unidentified { tool_fingerprint: Some("own".to_owned()), ..at("sqli", 4) };
    assert_eq!(identified(vec![own], Some(FILE)), ["1d38f17bc7a21a37aa277eab53ce0053"]);
}

#[test]
fn it_stays_when_lines_are_inserted_above_and_when_white_space_changes() {
    let before = identified(vec![at("sqli", 4), at("sqli", 5), at("sqli", 6)], Some(FILE));
    let moved = format!("# a comment\n\n{}", FILE.replace("    ", "\t"));
    let after = identified(vec![at("sqli", 6), at("sqli", 7), at("sqli", 8)], Some(&moved));
    assert_eq!(before, after);
}

#[test]
fn identical_findings_are_numbered_in_the_order_of_their_lines() {
    let forward = identified(vec![at("sqli", 4), at("sqli", 5)], Some(FILE));
    let backward = identified(vec![at("sqli", 5), at("sqli", 4)], Some(FILE));
    assert_ne!(forward[0], forward[1]);
    assert_eq!(forward, [backward[1].clone(), backward[0].clone()]);
    let alone = identified(vec![at("sqli", 4)], Some(FILE));
    assert_eq!(alone[0], forward[0]);
}

#[test]
fn another_rule_path_or_text_is_another_finding() {
    let mut elsewhere = at("sqli", 4);
    elsewhere.location.path = "b.py".parse().unwrap();
    let all = vec![at("sqli", 4), at("xss", 4), at("sqli", 6), elsewhere];
    let unique: HashSet<_> = identified(all, Some(FILE)).into_iter().collect();
    assert_eq!(unique.len(), 4);
}

#[test]
fn exact_duplicates_are_merged_and_the_best_of_both_is_kept() {
    let step = FlowStep { role: FlowRole::Sink, location: at("sqli", 4).location, message: None };
    let first = Unidentified { suppressed: true, ..at("sqli", 4) };
    let second = Unidentified { flow: vec![step], ..at("sqli", 4) };
    let findings = identify(vec![first, second], &|_| None);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].flow.len(), 1);
    assert!(!findings[0].suppressed);
}

#[test]
fn other_columns_messages_or_tools_are_no_duplicates() {
    let mut column = at("sqli", 4);
    column.location.region = column.location.region.map(|r| Region { start_column: Some(6), ..r });
    let message = Unidentified { message: "other".into(), ..at("sqli", 4) };
    let tool = Tool { name: "Other".to_owned(), version: None };
    let tool = Unidentified { tool, ..at("sqli", 4) };
    let unique: HashSet<_> =
        identified(vec![at("sqli", 4), column, message, tool], Some(FILE)).into_iter().collect();
    assert_eq!(unique.len(), 4);
}

#[test]
fn the_version_and_the_edition_of_a_tool_are_no_part_of_it() {
    for own in [None, Some("own".to_owned())] {
        let pro = Tool { name: "Semgrep PRO".to_owned(), version: Some("2".to_owned()) };
        let a = Unidentified { tool_fingerprint: own.clone(), ..at("sqli", 4) };
        let b = Unidentified { tool_fingerprint: own, tool: pro, ..at("sqli", 4) };
        assert_eq!(identified(vec![a], Some(FILE)), identified(vec![b], Some(FILE)));
    }
}

#[test]
fn a_tool_fingerprint_is_bound_to_tool_rule_and_path() {
    let own =
        |result: Unidentified| Unidentified { tool_fingerprint: Some("own".into()), ..result };
    let mut elsewhere = at("sqli", 4);
    elsewhere.location.path = "b.py".parse().unwrap();
    let all = vec![own(at("sqli", 4)), own(at("xss", 4)), own(elsewhere), at("sqli", 4)];
    // The last is the first without its fingerprint, and is merged into it.
    let unique: HashSet<_> = identified(all, None).into_iter().collect();
    assert_eq!(unique.len(), 3);
    let moved = identified(vec![own(at("sqli", 40))], Some(FILE));
    assert_eq!(moved, identified(vec![own(at("sqli", 4))], None));
}

#[test]
fn a_tool_fingerprint_that_two_runs_give_to_two_findings_is_not_used() {
    let own = |line| Unidentified { tool_fingerprint: Some("own".into()), ..at("sqli", line) };
    let both = identified(vec![own(4), own(6)], Some(FILE));
    assert_eq!(both, identified(vec![at("sqli", 4), at("sqli", 6)], Some(FILE)));
}

#[test]
fn without_the_file_the_quotation_counts_and_without_that_the_message() {
    let quoted = |text: &str| Unidentified { snippet: Some(text.into()), ..at("sqli", 4) };
    let from_file = identified(vec![at("sqli", 4)], Some(FILE));
    assert_eq!(identified(vec![quoted("  run(name)\n")], None), from_file);
    assert_eq!(identified(vec![quoted("stale")], Some(FILE)), from_file);
    assert_ne!(identified(vec![at("sqli", 4)], None), from_file);
    // The file is shorter than the report says, or blank there.
    for file in ["x\n", "x\n\n\n   \n"] {
        assert_eq!(identified(vec![quoted("run(name)")], Some(file)), from_file);
    }
}

#[test]
fn a_finding_of_a_whole_file_has_an_identity_too() {
    let mut whole = at("licence", 1);
    whole.location.region = None;
    let mut other = whole.clone();
    other.message = "other".into();
    assert_eq!(identified(vec![whole.clone()], Some(FILE)), identified(vec![whole.clone()], None));
    assert_ne!(identified(vec![whole], None), identified(vec![other], None));
}

#[test]
fn a_minified_file_of_one_line_has_findings_told_apart_by_column() {
    let long = "x".repeat(1_000_000);
    let mut columns = [at("sqli", 1), at("sqli", 1)];
    columns[1].location.region =
        Some(Region { lines: LineRange::new(1, 1), start_column: Some(999), end_column: None });
    let found = identified(columns.to_vec(), Some(&long));
    assert_ne!(found[0], found[1]);
    assert_eq!(fold(long.lines()).len(), BYTES);
}

fn by(tool: &str, result: Unidentified) -> Unidentified {
    Unidentified { tool: Tool { name: tool.to_owned(), version: None }, ..result }
}

#[test]
fn two_tools_have_two_findings_whether_they_report_together_or_not() {
    let (one, other) = (by("One", at("sqli", 4)), by("Other", at("sqli", 4)));
    let together = identified(combine(vec![vec![one.clone()], vec![other.clone()]]), Some(FILE));
    let apart = [one, other].map(|one| identified(vec![one], Some(FILE)).remove(0));
    assert_ne!(apart[0], apart[1]);
    assert_eq!(together, apart);
}

#[test]
fn what_two_reports_of_a_tool_say_of_the_same_lines_is_one_finding() {
    let step = FlowStep { role: FlowRole::Sink, location: at("sqli", 4).location, message: None };
    let mut again = by("Semgrep", at("sqli", 4));
    again.message = "in other words".into();
    again.location.region = again.location.region.map(|r| Region { start_column: None, ..r });
    again.flow = vec![step];
    let ignored = Unidentified { suppressed: true, ..at("sqli", 4) };
    let all = combine(vec![vec![ignored], vec![again.clone()]]);
    assert_eq!(all, [again]);
}

#[test]
fn results_of_identical_lines_in_two_reports_of_a_tool_stay_apart() {
    let all = combine(vec![vec![at("sqli", 4)], vec![at("sqli", 5)]]);
    let unique: HashSet<_> = identified(all, Some(FILE)).into_iter().collect();
    assert_eq!(unique.len(), 2);
    let twice = Unidentified { message: "more".into(), ..at("sqli", 4) };
    let report = vec![at("sqli", 4), twice];
    assert_eq!(combine(vec![report.clone(), report.clone()]), report);
}
