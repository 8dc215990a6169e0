use chaffinch_core::{Confidence, FlowRole, Severity};

use crate::{Options, Report, Sign, Skipped, Unfinished, Unidentified, parse};

fn read(json: &str) -> Report {
    parse(json.as_bytes(), &Options::default()).unwrap()
}

/// A run with these members beside its tool, whose driver has these members beside its name.
fn run(driver: &str, members: &str) -> String {
    format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "T"{driver}}}}}{members}}}]}}"#
    )
}

/// The one result of a run, given its members beside a location.
fn one(driver: &str, members: &str, result: &str) -> Unidentified {
    let at = r#""locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"},
        "region": {"startLine": 7}}}]"#;
    let mut report = read(&run(driver, &format!(r#"{members}, "results": [{{{at}, {result}}}]"#)));
    assert_eq!(report.results.len(), 1, "{:?}", report.skipped);
    report.results.remove(0)
}

fn skipped(result: &str) -> Skipped {
    let report = read(&run("", &format!(r#", "results": [{result}]"#)));
    assert_eq!(report.results.len(), 0);
    report.skipped
}

#[test]
fn a_rule_is_found_by_index_name_and_reference() {
    let driver = r#", "rules": [{"id": "A", "name": "first"}, {"id": "B", "name": "second"}]"#;
    let tool = format!(
        r#"{{"version": "2.1.0", "runs": [{{"results": RESULTS, "tool": {{"driver": {{"name": "T"{driver}}},
        "extensions": [{{"name": "E", "guid": "G", "rules": [{{"id": "C", "name": "third"}}]}}]}}}}]}}"#
    );
    for (result, id, title) in [
        (r#""ruleIndex": 1"#, "B", Some("second")),
        (r#""ruleId": "B""#, "B", Some("second")),
        (r#""ruleId": "B", "ruleIndex": 0"#, "B", Some("second")),
        (r#""ruleId": "B/x/y", "ruleIndex": 1"#, "B/x/y", Some("second")),
        (r#""ruleId": "A/x/y""#, "A/x/y", Some("first")),
        (r#""rule": {"id": "A"}"#, "A", Some("first")),
        (r#""rule": {"index": 1}"#, "B", Some("second")),
        (r#""rule": {"index": 0, "toolComponent": {"index": 0}}"#, "C", Some("third")),
        (r#""rule": {"index": 0, "toolComponent": {"name": "E"}}"#, "C", Some("third")),
        (r#""rule": {"index": 0, "toolComponent": {"guid": "G"}}"#, "C", Some("third")),
        (r#""ruleId": "C""#, "C", Some("third")),
        (r#""ruleId": "D", "ruleIndex": 9"#, "D", None),
        (r#""ruleIndex": -1"#, "unnamed", None),
    ] {
        let at = r#""locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"}}}]"#;
        let report = read(&tool.replace("RESULTS", &format!("[{{{at}, {result}}}]")));
        let rule = &report.results[0].rule;
        assert_eq!((rule.id.as_str(), rule.title.as_deref()), (id, title), "{result}");
    }
}

#[test]
fn messages_of_every_kind_are_read() {
    let driver = r#", "globalMessageStrings": {"shared": {"text": "shared {0}"}},
        "rules": [{"id": "A", "messageStrings": {"own": {"text": "own {0} of {1}"}},
            "fullDescription": {"text": "about A"}}]"#;
    for (message, want) in [
        (r#""message": {"text": "see [the source](1)"}"#, "see the source"),
        (r#""message": {"text": "{0}", "arguments": ["x"]}"#, "x"),
        (r#""message": {"id": "own", "arguments": ["x", 2]}"#, "own x of 2"),
        (r#""message": {"id": "shared", "arguments": ["x"]}"#, "shared x"),
        (r#""message": {"id": "none", "markdown": "*m*"}"#, "*m*"),
        (r#""message": "bare""#, "bare"),
        (r#""message": {"text": " "}"#, "about A"),
        (r#""kind": "fail""#, "about A"),
    ] {
        let result = one(driver, "", &format!(r#""ruleId": "A", {message}"#));
        assert_eq!(result.message.expose(), want, "{message}");
    }
}

#[test]
fn severity_comes_from_the_score_then_the_level_then_the_rule() {
    let driver = r#", "rules": [
        {"id": "scored", "properties": {"security-severity": "9.1"}},
        {"id": "worded", "properties": {"security-severity": "MEDIUM"}},
        {"id": "unscored", "properties": {"security-severity": "0.0"}},
        {"id": "levelled", "defaultConfiguration": {"level": "note"}},
        {"id": "problem", "properties": {"problem.severity": "error"}}]"#;
    for (result, want) in [
        (r#""ruleId": "scored""#, Severity::Critical),
        (r#""ruleId": "scored", "level": "note""#, Severity::Critical),
        (r#""ruleId": "scored", "properties": {"security-severity": 4.0}"#, Severity::Medium),
        (r#""ruleId": "worded", "level": "error""#, Severity::Medium),
        (r#""ruleId": "unscored", "level": "error""#, Severity::High),
        (r#""ruleId": "levelled""#, Severity::Low),
        (r#""ruleId": "levelled", "level": "error""#, Severity::High),
        (r#""ruleId": "problem""#, Severity::High),
        (r#""ruleId": "unknown""#, Severity::Medium),
        (r#""ruleId": "unknown", "level": "none""#, Severity::Info),
        (r#""ruleId": "unknown", "level": 3"#, Severity::Medium),
        (r#""ruleId": "scored", "kind": "informational""#, Severity::Info),
    ] {
        assert_eq!(one(driver, "", result).rule.severity, want, "{result}");
    }
}

#[test]
fn confidence_comes_from_the_result_then_its_tags_then_the_precision() {
    let driver = r#", "rules": [{"id": "A", "properties": {"precision": "very-high",
        "tags": ["LOW CONFIDENCE", "security"]}}, {"id": "B", "properties": {"precision": "medium"}}]"#;
    for (result, want) in [
        (r#""ruleId": "A""#, Confidence::Low),
        (r#""ruleId": "A", "properties": {"issue_confidence": "HIGH"}"#, Confidence::High),
        (r#""ruleId": "B""#, Confidence::Medium),
        (r#""ruleId": "C""#, Confidence::Unknown),
    ] {
        assert_eq!(one(driver, "", result).rule.confidence, want, "{result}");
    }
}

#[test]
fn the_precision_that_semgrep_writes_for_every_rule_says_nothing() {
    let rules = r#""rules": [{"id": "A", "properties": {"precision": "very-high"}}]"#;
    let json = run(
        "",
        r#", "results": [{"ruleId": "A", "locations": [{"physicalLocation":
        {"artifactLocation": {"uri": "a.c"}}}]}]"#,
    );
    for (tool, want) in [("Semgrep OSS", Confidence::Unknown), ("CodeQL", Confidence::High)] {
        let driver = format!("\"{tool}\", {rules}");
        let report = read(&json.replace("\"T\"", &driver));
        assert_eq!(report.results[0].rule.confidence, want, "{tool}");
    }
}

#[test]
fn weaknesses_are_gathered_from_everywhere_once() {
    let driver = r#", "rules": [{"id": "A", "properties": {"tags": ["external/cwe/cwe-089"],
        "cwe": "CWE-20"}, "relationships": [
            {"target": {"id": "CWE-327", "toolComponent": {"name": "CWE"}}},
            {"target": {"id": "78", "toolComponent": {"index": 0}}},
            {"target": {"id": "79", "toolComponent": {"guid": "OTHER"}}}]}]"#;
    let members =
        r#", "taxonomies": [{"name": "CWE", "guid": "C"}, {"name": "OWASP", "guid": "OTHER"}]"#;
    let result = r#""ruleId": "A", "taxa": [{"id": "190", "toolComponent": {"name": "cwe"}},
        {"id": "22", "toolComponent": {"guid": "C"}}, {"id": "5", "toolComponent": {"name": "X"}}],
        "properties": {"tags": ["CWE-89: SQL"], "cwe": ["CWE-601"]}"#;
    assert_eq!(
        one(driver, members, result).rule.cwe,
        ["CWE-190", "CWE-20", "CWE-22", "CWE-327", "CWE-601", "CWE-78", "CWE-89"]
    );
}

#[test]
fn only_accepted_suppressions_suppress() {
    for (suppressions, want) in [
        ("[]", false),
        ("null", false),
        (r#"[{"kind": "inSource"}]"#, true),
        (r#"[{"kind": "external", "status": "accepted"}]"#, true),
        (r#"[{"kind": "external", "state": "rejected"}]"#, false),
        (r#"[{"kind": "inSource"}, {"kind": "external", "status": "underReview"}]"#, false),
    ] {
        let result = one("", "", &format!(r#""ruleId": "A", "suppressions": {suppressions}"#));
        assert_eq!(result.suppressed, want, "{suppressions}");
    }
}

#[test]
fn what_is_no_finding_is_counted_with_its_reason() {
    let file = r#""physicalLocation": {"artifactLocation": {"uri": "URI"}}"#;
    let at = |uri: &str| {
        format!(r#"{{"ruleId": "A", "locations": [{{{}}}]}}"#, file.replace("URI", uri))
    };
    let none = Skipped::default();
    for (result, want) in [
        (r#"{"ruleId": "A"}"#.to_owned(), Skipped { without_location: 1, ..none }),
        (
            r#"{"ruleId": "A", "locations": [{}, 3]}"#.to_owned(),
            Skipped { without_location: 1, ..none },
        ),
        (at("./"), Skipped { without_location: 1, ..none }),
        (at("/etc/passwd"), Skipped { outside: 1, ..none }),
        (at("https://example.com/a.c"), Skipped { outside: 1, ..none }),
        ("7".to_owned(), Skipped { malformed: 1, ..none }),
        (r#"{"ruleId": "A", "ruleId": "B"}"#.to_owned(), Skipped { malformed: 1, ..none }),
        (r#"{"ruleId": "A", "kind": "pass"}"#.to_owned(), Skipped { passed: 1, ..none }),
        (r#"{"ruleId": "A", "baselineState": "absent"}"#.to_owned(), Skipped { gone: 1, ..none }),
    ] {
        assert_eq!(skipped(&result), want, "{result}");
    }
}

#[test]
fn each_location_in_the_repository_gives_a_finding() {
    let at = |uri: &str, line: u32| {
        format!(
            r#"{{"physicalLocation": {{"artifactLocation": {{"uri": "{uri}"}}, "region": {{"startLine": {line}}}}}}}"#
        )
    };
    let locations = [at("a.c", 1), at("https://x/b.c", 2), at("b.c", 3)].join(",");
    let report =
        read(&run("", &format!(r#", "results": [{{"ruleId": "A", "locations": [{locations}]}}]"#)));
    let paths: Vec<_> = report.results.iter().map(|r| r.location.path.as_str()).collect();
    assert_eq!(paths, ["a.c", "b.c"]);
    assert_eq!(report.skipped, Skipped { locations: 1, ..Skipped::default() });

    let many = (1..=25).map(|line| at("a.c", line)).collect::<Vec<_>>().join(",");
    let report =
        read(&run("", &format!(r#", "results": [{{"ruleId": "A", "locations": [{many}]}}]"#)));
    assert_eq!((report.results.len(), report.skipped.locations_past_bound), (20, 5));
}

#[test]
fn regions_may_be_incomplete_or_odd() {
    for (region, want) in [
        (r#"{"startLine": 3}"#, Some((3, 3, None, None))),
        (r#"{"startLine": 3, "startColumn": 2, "endColumn": 9}"#, Some((3, 3, Some(2), Some(9)))),
        (r#"{"startLine": 5, "endLine": 2}"#, Some((2, 5, None, None))),
        (r#"{"startLine": "4"}"#, Some((4, 4, None, None))),
        (r#"{"startLine": 0}"#, None),
        (r#"{"startLine": -1, "endLine": 3}"#, None),
        (r#"{"charOffset": 10}"#, None),
        ("null", None),
    ] {
        let at = format!(
            r#""locations": [{{"physicalLocation": {{"artifactLocation": {{"uri": "a.c"}}, "region": {region}}}}}]"#
        );
        let report = read(&run("", &format!(r#", "results": [{{"ruleId": "A", {at}}}]"#)));
        let shown = report.results[0].location.region;
        let shown = shown.map(|r| (r.lines.start, r.lines.end, r.start_column, r.end_column));
        assert_eq!(shown, want, "{region}");
    }
}

#[test]
fn the_first_flow_with_steps_is_taken() {
    let step = |uri: &str, line: u32| {
        format!(
            r#"{{"location": {{"message": {{"text": "at {line}"}}, "physicalLocation":
            {{"artifactLocation": {{"uri": "{uri}"}}, "region": {{"startLine": {line}}}}}}}}}"#
        )
    };
    let steps = [
        step("a.c", 1),
        step("/usr/include/x.h", 2),
        step("b.c", 3),
        r#"{"index": 0}"#.to_owned(),
        "{}".to_owned(),
        step("c.c", 5),
    ];
    let flows = format!(
        r#""ruleId": "A", "codeFlows": [{{"threadFlows": [{{"locations": []}}]}},
        {{"threadFlows": [{{}}, {{"locations": [{}]}}]}}, {{"threadFlows": [{{"locations": [{}]}}]}}]"#,
        steps.join(","),
        step("z.c", 9)
    );
    let members = format!(r#", "threadFlowLocations": [{}]"#, step("shared.c", 4));
    let result = one("", &members, &flows);
    let shown: Vec<_> = result
        .flow
        .iter()
        .map(|s| (s.role, s.location.path.as_str(), s.message.as_ref().unwrap().expose()))
        .collect();
    assert_eq!(
        shown,
        [
            (FlowRole::Source, "a.c", "at 1"),
            (FlowRole::Step, "b.c", "at 3"),
            (FlowRole::Step, "shared.c", "at 4"),
            (FlowRole::Sink, "c.c", "at 5"),
        ]
    );
}

#[test]
fn a_long_flow_keeps_its_source_and_its_sink() {
    let steps: Vec<_> = (1..=1_000)
        .map(|line| {
            format!(
                r#"{{"location": {{"physicalLocation": {{"artifactLocation": {{"uri": "a.c"}}, "region": {{"startLine": {line}}}}}}}}}"#
            )
        })
        .collect();
    let flows = format!(
        r#""ruleId": "A", "codeFlows": [{{"threadFlows": [{{"locations": [{}]}}]}}]"#,
        steps.join(",")
    );
    let result = one("", "", &flows);
    let line = |i: usize| result.flow[i].location.region.unwrap().lines.start;
    assert_eq!(
        (result.flow.len(), line(0), line(49), line(50), line(99)),
        (100, 1, 50, 951, 1_000)
    );
}

#[test]
fn a_fingerprint_counts_only_if_it_is_full_and_unique_in_its_run() {
    let at = r#""locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"}}}]"#;
    let results: Vec<_> = [
        r#""fingerprints": {"v1": "same"}"#,
        r#""fingerprints": {"v1": "same", "v2": "other"}"#,
        r#""fingerprints": {"v1": "requires login"}"#,
        r#""fingerprints": {"v1": " "}"#,
        r#""fingerprints": {"v1": {"value": "nested"}}"#,
        r#""fingerprints": {"v1": "alone"}"#,
        r#""partialFingerprints": {"primaryLocationLineHash": "abc:1"}"#,
    ]
    .iter()
    .map(|members| format!(r#"{{"ruleId": "A", {at}, {members}}}"#))
    .collect();
    let report = read(&run("", &format!(r#", "results": [{}]"#, results.join(","))));
    let own: Vec<_> = report.results.iter().map(|r| r.tool_fingerprint.as_deref()).collect();
    assert_eq!(own, [None, Some("other"), None, None, Some("nested"), Some("alone"), None]);
}

#[test]
fn rules_and_artifacts_may_stand_after_the_results() {
    let report = read(
        r#"{"runs": [{"results": [{"ruleIndex": 0, "message": {"id": "m"}, "locations": [
            {"physicalLocation": {"artifactLocation": {"index": 0}}}]}],
        "artifacts": [{"location": {"uri": "late.c", "uriBaseId": "S"}}],
        "originalUriBaseIds": {"S": {"uri": "src/"}},
        "tool": {"driver": {"rules": [{"id": "A", "messageStrings": {"m": {"text": "late"}}}],
            "name": "Late", "semanticVersion": "1.2"}}}], "version": "2.1.0"}"#,
    );
    let result = &report.results[0];
    assert_eq!(result.location.path.as_str(), "src/late.c");
    assert_eq!(result.message.expose(), "late");
    assert_eq!((result.rule.id.as_str(), result.tool.to_string().as_str()), ("A", "Late 1.2"));
}

#[test]
fn every_run_names_its_tool_even_without_results() {
    let report = read(
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "A"}}}, 7,
        {"tool": {"driver": {"name": "B"}}, "results": []},
        {"tool": {"driver": {"name": "A"}}, "results": null}, {}]}"#,
    );
    assert_eq!(report.tools, ["A", "B", "unnamed tool"]);
    assert_eq!(report.skipped, Skipped { malformed: 1, ..Skipped::default() });
}

#[test]
fn a_scan_that_did_not_come_to_its_end_is_told_and_its_results_count() {
    let result = r#"{"ruleId": "A", "locations": [{"physicalLocation":
        {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": 1}}}]}"#;
    let results = format!(r#", "results": [{result}]"#);
    let invoked = |invocations: &str| format!(r#"{results}, "invocations": {invocations}"#);
    let failed = (vec![Sign::Failed], 1);
    for (members, want) in [
        (results.clone(), (vec![], 1)),
        (r#", "results": []"#.to_owned(), (vec![], 0)),
        (invoked(r#"[{"executionSuccessful": true}, {}]"#), (vec![], 1)),
        (
            invoked(r#"[{"executionSuccessful": true}, {"executionSuccessful": false}]"#),
            failed.clone(),
        ),
        (invoked(r#"{"executionSuccessful": false}"#), failed.clone()),
        (invoked(&format!("[{}{{}}]", "{},".repeat(100))), failed),
        (r#", "results": null"#.to_owned(), (vec![Sign::NoResults], 0)),
        (r#", "results": {}"#.to_owned(), (vec![Sign::NoResults], 0)),
        (String::new(), (vec![Sign::NoResults], 0)),
        (
            r#", "results": null, "invocations": [{"executionSuccessful": false}]"#.to_owned(),
            (vec![Sign::Failed, Sign::NoResults], 0),
        ),
    ] {
        let report = read(&run("", &members));
        assert!(report.unfinished.iter().all(|scan| scan.tool.as_deref() == Some("T")));
        let signs: Vec<Sign> = report.unfinished.iter().map(|scan| scan.sign).collect();
        assert_eq!((signs, report.results.len()), want, "{members}");
    }
    let report = read(r#"{"version": "2.1.0", "runs": []}"#);
    assert_eq!(report.unfinished, [Unfinished { tool: None, sign: Sign::NoRun }]);
}
