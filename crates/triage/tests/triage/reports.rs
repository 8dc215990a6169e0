//! Reports as scanners write them.

use serde_json::{Value, json};

/// One result: rule, path, first and last line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) rule: &'static str,
    pub(crate) path: &'static str,
    pub(crate) lines: (u32, u32),
    pub(crate) severity: &'static str,
}

pub(crate) fn hit(rule: &'static str, path: &'static str, line: u32) -> Hit {
    Hit { rule, path, lines: (line, line), severity: "ERROR" }
}

/// A report of Semgrep's.
pub(crate) fn semgrep(hits: &[Hit]) -> Vec<u8> {
    let results: Vec<Value> = hits
        .iter()
        .map(|hit| {
            json!({
                "check_id": hit.rule,
                "path": hit.path,
                "start": {"line": hit.lines.0, "col": 1, "offset": 0},
                "end": {"line": hit.lines.1, "col": 40, "offset": 0},
                "extra": {
                    "message": "User input reaches a query.",
                    "severity": hit.severity,
                    "metadata": {"cwe": ["CWE-89: SQL Injection"], "confidence": "HIGH"},
                    "fingerprint": "requires login",
                    "lines": "requires login",
                    "engine_kind": "OSS",
                },
            })
        })
        .collect();
    let report = json!({
        "version": "1.99.0", "results": results, "errors": [], "paths": {"scanned": []},
    });
    report.to_string().into_bytes()
}

/// A SARIF report of a tool.
pub(crate) fn sarif(tool: &str, hits: &[Hit]) -> Vec<u8> {
    let results: Vec<Value> = hits
        .iter()
        .map(|hit| {
            json!({
                "ruleId": hit.rule,
                "level": if hit.severity == "ERROR" { "error" } else { "warning" },
                "message": {"text": "Looks wrong."},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": hit.path},
                    "region": {"startLine": hit.lines.0, "endLine": hit.lines.1},
                }}],
            })
        })
        .collect();
    let report = json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": tool, "version": "2.0"}}, "results": results}],
    });
    report.to_string().into_bytes()
}
