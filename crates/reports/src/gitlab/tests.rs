use chaffinch_core::{Confidence, FlowRole, Severity};

use crate::{Format, Options, Report, Sign, parse};

fn read(json: &str) -> Report {
    parse(json.as_bytes(), &Options::default()).unwrap()
}

/// A report of schema 15 with one result.
fn one(result: &str) -> Report {
    read(&format!(
        r#"{{"version": "15.0.7", "scan": {{"type": "sast", "status": "success",
            "scanner": {{"id": "semgrep", "name": "Semgrep", "version": "1.2.3"}}}},
            "vulnerabilities": [{result}]}}"#
    ))
}

const LOCATION: &str = r#""location": {"file": "app/db.py", "start_line": 12}"#;
const RULE: &str =
    r#""identifiers": [{"type": "semgrep_id", "name": "Semgrep - sqli", "value": "python.sqli"}]"#;

#[test]
fn a_result_is_read_with_its_rule_and_place() {
    let report = one(&format!(
        r#"{{"id": "x", "name": "SQL injection", "description": "SQL is concatenated.",
            "severity": "Critical", {LOCATION}, "identifiers": [
            {{"type": "cwe", "name": "CWE-89", "value": "89"}},
            {{"type": "semgrep_id", "name": "Semgrep - sqli", "value": "python.sqli"}}],
            "details": {{"confidence": {{"type": "text", "name": "confidence", "value": "LOW"}}}}}}"#
    ));
    assert_eq!(report.format, Format::GitLab);
    assert_eq!(report.tools, ["Semgrep"]);
    let found = &report.results[0];
    assert_eq!(found.tool.to_string(), "Semgrep 1.2.3");
    assert_eq!(found.rule.id.as_str(), "python.sqli");
    assert_eq!(found.rule.title.as_deref(), Some("SQL injection"));
    assert_eq!(found.rule.cwe, ["CWE-89"]);
    assert_eq!((found.rule.severity, found.rule.confidence), (Severity::Critical, Confidence::Low));
    assert_eq!(found.message.expose(), "SQL is concatenated.");
    let lines = found.location.region.unwrap().lines;
    assert_eq!((found.location.path.as_str(), lines.start, lines.end), ("app/db.py", 12, 12));
    assert!(report.unfinished.is_empty());
}

#[test]
fn the_rule_is_the_identifier_that_is_an_id() {
    let id = |identifiers: &str| {
        let report =
            one(&format!(r#"{{"name": "n", {LOCATION}, "identifiers": [{identifiers}]}}"#));
        report.results.first().map(|found| found.rule.id.to_string())
    };
    let sentence =
        r#"{"type": "njsscan_rule_type", "name": "node_x", "value": "A whole sentence."}"#;
    assert_eq!(id(sentence).as_deref(), Some("node_x"));
    let words =
        r#"{"type": "trufflehog_rule_id", "name": "TruffleHog rule", "value": "Password in URL"}"#;
    assert_eq!(id(words).as_deref(), Some("Password in URL"));
    assert_eq!(id(r#"{"type": "cwe", "name": "CWE-79", "value": 79}"#).as_deref(), Some("79"));
    assert_eq!(id(""), None);
}

#[test]
fn a_flow_is_read_from_its_source_to_its_sink() {
    let node = |kind: &str, line: u32| {
        format!(
            r#"{{"type": "code-flow-node", "node_type": "{kind}", "file_location":
            {{"type": "file-location", "file_name": "app/web.py", "line_start": {line}}}}}"#
        )
    };
    let nodes = [node("source", 3), node("propagation", 4), node("sink", 9)].join(",");
    let report = one(&format!(
        r#"{{{RULE}, {LOCATION}, "details": {{"code_flows":
            {{"name": "code_flows", "type": "code-flows", "items": [[{nodes}], [{nodes}]]}}}}}}"#
    ));
    let flow = &report.results[0].flow;
    assert_eq!(
        flow.iter().map(|s| (s.role, s.location.region.unwrap().lines.start)).collect::<Vec<_>>(),
        [(FlowRole::Source, 3), (FlowRole::Step, 4), (FlowRole::Sink, 9)]
    );
}

#[test]
fn a_scan_that_failed_proves_nothing() {
    for (scan, sign) in [
        (r#"{"status": "failure", "scanner": {"name": "S"}}"#, Some(Sign::Failed)),
        (r#"{"status": "no success", "scanner": {"name": "S"}}"#, Some(Sign::Failed)),
        (
            r#"{"status": "success", "scanner": {"name": "S"}, "messages": [{"level": "fatal", "value": "x"}]}"#,
            Some(Sign::Errors),
        ),
        (r#"{"status": "success", "scanner": {"name": "S"}}"#, None),
        ("{}", None),
    ] {
        let report =
            read(&format!(r#"{{"version": "15.0.4", "scan": {scan}, "vulnerabilities": []}}"#));
        assert_eq!(report.unfinished.first().map(|u| u.sign), sign, "{scan}");
        assert_eq!(report.tools.len(), 1, "{scan}");
    }
}

#[test]
fn what_cannot_be_read_or_names_no_file_is_counted() {
    let no_rule = format!(r#"{{"name": "n", {LOCATION}}}"#);
    let no_file = format!(r#"{{{RULE}, "location": {{"start_line": 3}}}}"#);
    let report = one(&[no_rule.as_str(), no_file.as_str(), "3", "null"].join(","));
    assert!(report.results.is_empty());
    assert_eq!((report.skipped.malformed, report.skipped.without_location), (3, 1));
}

#[test]
fn only_reports_of_sast_are_read() {
    let json =
        r#"{"version": "15.0.4", "scan": {"type": "dependency_scanning"}, "vulnerabilities": []}"#;
    let error = parse(json.as_bytes(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("seen a GitLab dependency_scanning report 15.0.4"), "{error}");
}
