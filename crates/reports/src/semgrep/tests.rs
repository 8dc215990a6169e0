use chaffinch_core::{Confidence, FlowRole, Severity};

use crate::{Options, Report, Sign, Skipped, parse};

fn read(results: &str) -> Report {
    let json = format!(r#"{{"results": [{results}], "errors": [], "version": "1.99.0"}}"#);
    parse(json.as_bytes(), &Options::default()).unwrap()
}

#[test]
fn a_result_is_read_whole() {
    let report = read(
        r#"{"check_id": "sqli", "path": "./app/db.py", "start": {"line": 3, "col": 5},
        "end": {"line": 4, "col": 9}, "extra": {"severity": "ERROR", "message": "bad [x](https://y.z)",
        "lines": "run(q)", "fingerprint": "f_0", "is_ignored": true, "engine_kind": "OSS",
        "metadata": {"cwe": ["CWE-89: SQL", "CWE-20"], "confidence": "HIGH", "impact": "LOW"}}}"#,
    );
    let result = &report.results[0];
    assert_eq!(result.tool.to_string(), "Semgrep OSS 1.99.0");
    assert_eq!(report.tools, ["Semgrep OSS"]);
    assert_eq!(result.rule.id.as_str(), "sqli");
    assert_eq!(result.rule.cwe, ["CWE-20", "CWE-89"]);
    assert_eq!(result.rule.severity, Severity::High);
    assert_eq!(result.rule.confidence, Confidence::High);
    assert_eq!(result.message.expose(), "bad x");
    assert_eq!(result.location.path.as_str(), "app/db.py");
    let region = result.location.region.unwrap();
    assert_eq!((region.lines.start, region.lines.end), (3, 4));
    assert_eq!((region.start_column, region.end_column), (Some(5), Some(9)));
    assert!(result.suppressed);
    assert_eq!(result.tool_fingerprint.as_deref(), Some("f_0"));
    assert_eq!(result.snippet.as_ref().unwrap().expose(), "run(q)");
}

#[test]
fn what_one_must_log_in_for_is_absent() {
    let report = read(
        r#"{"check_id": "a", "path": "b", "extra": {"lines": "requires login",
        "fingerprint": "requires login"}}"#,
    );
    let result = &report.results[0];
    assert_eq!((result.tool_fingerprint.as_deref(), result.snippet.is_none()), (None, true));
    assert_eq!(result.rule.severity, Severity::Medium);
    assert_eq!(result.location.region, None);
}

#[test]
fn a_path_is_no_uri() {
    let report =
        read(r#"{"check_id": "a", "path": "a%20b#c.py"}, {"check_id": "a", "path": "x\\y.py"}"#);
    let paths: Vec<_> = report.results.iter().map(|r| r.location.path.as_str()).collect();
    assert_eq!(paths, ["a%20b#c.py", "x/y.py"]);
}

#[test]
fn a_trace_becomes_a_flow() {
    let at = |line: u32| {
        format!(r#"{{"path": "a.py", "start": {{"line": {line}}}, "end": {{"line": {line}}}}}"#)
    };
    let report = read(&format!(
        r#"{{"check_id": "a", "path": "a.py", "extra": {{"dataflow_trace": {{
        "taint_source": ["CliLoc", [{}, "get()"]],
        "intermediate_vars": [{{"location": {}, "content": "name"}}, {{"location": {{"path": "/x"}}}}],
        "taint_sink": ["CliCall", [[{}, "f(name)"], [], ["CliLoc", [{}, "run()"]]]]}}}}}}"#,
        at(1),
        at(2),
        at(3),
        at(4)
    ));
    let flow = &report.results[0].flow;
    let shown: Vec<_> = flow
        .iter()
        .map(|s| {
            (s.role, s.location.region.unwrap().lines.start, s.message.as_ref().unwrap().expose())
        })
        .collect();
    assert_eq!(
        shown,
        [
            (FlowRole::Source, 1, "get()"),
            (FlowRole::Step, 2, "name"),
            (FlowRole::Step, 3, "f(name)"),
            (FlowRole::Sink, 4, "run()"),
        ]
    );
    assert_eq!(report.skipped, Skipped { flow_steps: 1, ..Skipped::default() });
}

#[test]
fn results_that_cannot_be_used_are_counted() {
    let report = read(
        r#"{"check_id": "a", "path": "a.py"}, {"check_id": "a"}, {"path": "a.py"}, 7, {"check_id": "a", "path": "/x/a.py"}"#,
    );
    assert_eq!(report.results.len(), 1);
    let want = Skipped { without_location: 1, malformed: 2, outside: 1, ..Skipped::default() };
    assert_eq!(report.skipped, want);
}

#[test]
fn findings_of_the_platform_are_read() {
    let json = r#"{"findings": [{"rule_name": "r", "rule_message": "m", "severity": "high",
        "confidence": "low", "match_based_id": "id", "status": "open", "triage_state": "ignored",
        "location": {"file_path": "a.ts", "line": 2, "column": 3, "end_line": 4, "end_column": 5},
        "rule": {"cwe_names": ["CWE-79: XSS"]}}]}"#;
    let report = parse(json.as_bytes(), &Options::default()).unwrap();
    let result = &report.results[0];
    assert_eq!((result.rule.id.as_str(), result.message.expose()), ("r", "m"));
    assert_eq!((result.rule.severity, result.rule.confidence), (Severity::High, Confidence::Low));
    assert_eq!(result.rule.cwe, ["CWE-79"]);
    assert_eq!(result.tool_fingerprint.as_deref(), Some("id"));
    assert!(result.suppressed);
}

#[test]
fn errors_of_the_scan_are_told_and_warnings_are_not() {
    let result = r#"{"check_id": "a", "path": "a.py", "start": {"line": 1}}"#;
    for (errors, want) in [
        ("[]", None),
        ("null", None),
        (r#"[{"level": "warn", "type": ["PartialParsing", []]}]"#, None),
        (
            r#"[{"level": "warn"}, {"level": "error", "type": "Rule parse error"}]"#,
            Some(Sign::Errors),
        ),
        (r#"[{"type": "FatalError"}]"#, Some(Sign::Errors)),
        (r#"["out of memory"]"#, Some(Sign::Errors)),
    ] {
        for results in ["", result] {
            let json = format!(r#"{{"results": [{results}], "errors": {errors}}}"#);
            let report = parse(json.as_bytes(), &Options::default()).unwrap();
            let signs: Vec<Sign> = report.unfinished.iter().map(|scan| scan.sign).collect();
            assert_eq!(signs, Vec::from_iter(want), "{json}");
            assert_eq!(report.results.len(), usize::from(!results.is_empty()));
        }
    }
}
