use super::*;

const SARIF: &str = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T"}}, "results": [
    {"ruleId": "A", "message": {"text": "m"}, "locations": [{"physicalLocation":
        {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": 1}}}]}]}]}"#;

fn error(bytes: &[u8], limits: Limits) -> String {
    parse(bytes, &Options { limits, known_paths: &[] }).unwrap_err().to_string()
}

#[test]
fn a_bound_that_is_passed_is_named() {
    let bytes = SARIF.as_bytes();
    let size = bytes.len() as u64;
    assert!(
        parse(
            bytes,
            &Options {
                limits: Limits { bytes: size, results: 1, ..Limits::default() },
                known_paths: &[]
            }
        )
        .is_ok()
    );
    assert_eq!(
        error(bytes, Limits { bytes: size - 1, ..Limits::default() }),
        format!("the report has {size} bytes, more than the bound of {} bytes", size - 1)
    );
    assert_eq!(
        error(bytes, Limits { results: 0, ..Limits::default() }),
        "the report has more results than the bound of 0 results"
    );
    assert_eq!(
        error(bytes, Limits { depth: 5, ..Limits::default() }),
        "the report is nested deeper than the bound of 5 levels"
    );
    let semgrep = br#"{"errors": [], "results": [{"check_id": "a", "path": "b"}, {}]}"#;
    assert_eq!(
        error(semgrep, Limits { results: 1, ..Limits::default() }),
        "the report has more results than the bound of 1 results"
    );
}

#[test]
fn the_real_bounds_are_those_that_are_promised() {
    let limits = Limits::default();
    assert_eq!((limits.bytes, limits.results), (100_000_000, 25_000));
}

#[test]
fn nesting_without_end_is_an_error_not_a_crash() {
    for open in ["[", "{\"a\":", "{\"runs\":["] {
        let deep = open.repeat(1_000_000);
        assert_eq!(
            error(deep.as_bytes(), Limits { depth: usize::MAX, ..Limits::default() }),
            "the report is nested deeper than the bound of 120 levels"
        );
    }
}

#[test]
fn results_of_all_runs_count_together() {
    let run = r#"{"results": [{"ruleId": "A"}, {"ruleId": "A"}]}"#;
    let json = format!(r#"{{"version": "2.1.0", "runs": [{run}, {run}]}}"#);
    let message = error(json.as_bytes(), Limits { results: 3, ..Limits::default() });
    assert_eq!(message, "the report has more results than the bound of 3 results");
}

#[test]
fn long_texts_are_cut_and_counted() {
    let json = SARIF.replace("\"m\"", &format!("\"{}\"", "ü".repeat(10_000)));
    let report = parse(json.as_bytes(), &Options::default()).unwrap();
    assert_eq!(report.results[0].message.expose().chars().count(), 4_096);
    assert_eq!(report.skipped, Skipped { cut_texts: 1, ..Skipped::default() });
}

#[test]
fn an_unknown_format_is_named_with_those_that_are_known() {
    for (text, seen) in [
        ("", "an empty file"),
        ("  \n", "an empty file"),
        ("<?xml version=\"1.0\"?>", "XML"),
        ("hello", "text that is not JSON"),
        ("[1, 2]", "a JSON array"),
        ("[", "a JSON array"),
        ("3", "a single JSON value"),
        ("{}", "an empty JSON object"),
        (r#"{"Issues": [], "a b": 1}"#, "a JSON object with Issues, ab"),
        (r#"{"version": "15.0.4", "vulnerabilities": {}}"#, "a GitLab report 15.0.4"),
        (r#"{"vulnerabilities": []}"#, "a JSON object with vulnerabilities"),
        (r#"{"version": "2.0.0", "runs": []}"#, "SARIF 2.0.0"),
        (r#"{"version": "2.1.0", "runs": null}"#, "a JSON object with version, runs"),
        (
            r#"{"errors": [], "results": [{"filename": "a.py"}]}"#,
            "a JSON object with errors, results",
        ),
        (
            r#"{"errors": [], "metrics": {}, "results": []}"#,
            "a JSON object with errors, metrics, results",
        ),
        (r#"{"results": {"failed": []}}"#, "a JSON object with results"),
    ] {
        let message = error(text.as_bytes(), Limits::default());
        let want = format!(
            "not a report that can be read: seen {seen}, supported are SARIF 2.1.0, Semgrep JSON and GitLab SAST"
        );
        if text == "[" {
            assert_eq!(message, "the report is cut off: its JSON ends too early");
        } else {
            assert_eq!(message, want, "{text}");
        }
    }
}

#[test]
fn broken_json_is_told_by_its_place() {
    for end in 1..SARIF.len() {
        let message = error(&SARIF.as_bytes()[..end], Limits::default());
        assert_eq!(message, "the report is cut off: its JSON ends too early", "{end}");
    }
    assert_eq!(
        error(b"{\"version\": \"2.1.0\",\n nonsense}", Limits::default()),
        "the report is not valid JSON at line 2, column 2"
    );
    let twice = format!("{SARIF} {{}}");
    assert!(error(twice.as_bytes(), Limits::default()).starts_with("the report is not valid JSON"));
}

#[test]
fn every_encoding_gives_the_same_report() {
    let read = |bytes: &[u8]| parse(bytes, &Options::default()).unwrap().results;
    let plain = read(SARIF.as_bytes());
    let marked = format!("\u{feff}{SARIF}");
    let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [marked.as_bytes(), &little, &big] {
        assert_eq!(read(bytes), plain);
    }
}

#[test]
fn what_was_skipped_is_told_in_words() {
    let skipped = Skipped { without_location: 2, cut_texts: 1, ..Skipped::default() };
    assert_eq!(skipped.to_string(), "2 results name no file, 1 text was cut");
    assert_eq!(Skipped::default().to_string(), "nothing");
}

#[test]
fn debug_shows_no_source() {
    let json = SARIF
        .replace("\"m\"", "\"sentinel\"")
        .replace("\"startLine\": 1", "\"startLine\": 1, \"snippet\": {\"text\": \"sentinel\"}");
    let report = parse(json.as_bytes(), &Options::default()).unwrap();
    assert_eq!(report.results[0].message.expose(), "sentinel");
    assert!(!format!("{report:?}").contains("sentinel"));
}
