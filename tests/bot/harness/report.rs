//! Small sources, and reports about them.

use regex::Regex;
use serde_json::{Value, json};

/// An SQL injection in line 5.
pub(crate) const SQLI: &str = "\
def find(connection, request):
    name = request.args[\"name\"]
    limit = 10
    cursor = connection.cursor()
    cursor.execute(\"SELECT * FROM users WHERE name = '\" + name + \"'\")
    return cursor.fetchmany(limit)
";

/// The same, mended.
pub(crate) const SQLI_FIXED: &str = "\
def find(connection, request):
    name = request.args[\"name\"]
    limit = 10
    cursor = connection.cursor()
    cursor.execute(\"SELECT * FROM users WHERE name = %s\", [name])
    return cursor.fetchmany(limit)
";

/// A SARIF report by one tool: `(rule, path, line)` each.
pub(crate) fn sarif(tool: &str, results: &[(&str, &str, u32)]) -> String {
    let results: Vec<Value> = results
        .iter()
        .map(|(rule, path, line)| {
            json!({
                "ruleId": rule,
                "level": "error",
                "message": { "text": format!("{rule} was found here.") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": path },
                    "region": { "startLine": line }
                }}]
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": tool, "rules": [] } }, "results": results }]
    })
    .to_string()
}

/// A Semgrep JSON report: `(rule, path, line)` each.
pub(crate) fn semgrep(results: &[(&str, &str, u32)]) -> String {
    let results: Vec<Value> = results
        .iter()
        .map(|(rule, path, line)| {
            json!({
                "check_id": rule,
                "path": path,
                "start": { "line": line, "col": 1, "offset": 0 },
                "end": { "line": line, "col": 2, "offset": 1 },
                "extra": {
                    "message": format!("{rule} was found here."),
                    "severity": "ERROR",
                    "fingerprint": "requires login",
                    "lines": "requires login",
                    "metadata": { "cwe": ["CWE-89: SQL Injection"], "confidence": "MEDIUM" }
                }
            })
        })
        .collect();
    json!({ "version": "1.182.0", "results": results, "errors": [], "paths": { "scanned": [] } })
        .to_string()
}

/// A comment without what differs from run to run.
pub(crate) fn steady(text: &str) -> String {
    let text = Regex::new(r"http://127\.0\.0\.1:\d+").unwrap().replace_all(text, "MODEL");
    let text =
        Regex::new(r"project_\d+_bot_[0-9a-f]+").unwrap().replace_all(&text, "chaffinch[bot]");
    // The marker is random, and so is the number of tokens that it costs.
    let text =
        Regex::new(r"prompt of \d+ tokens").unwrap().replace_all(&text, "prompt of N tokens");
    let text = Regex::new(r"\([0-9a-f\u{200b}]+-[0-9a-f\u{200b}]+\)")
        .unwrap()
        .replace_all(&text, "(UPLOAD)");
    Regex::new("receipt `[0-9a-f]{16}`").unwrap().replace_all(&text, "receipt `ID`").into_owned()
}
