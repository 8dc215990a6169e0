//! `chaffinch excerpt`: what would be sent, to look at and to score.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::harness::{SQLI, chaffinch, semgrep, testdata};

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn score(root: &Path, truth: &Path) -> String {
    let mut command = chaffinch();
    command.args(["excerpt", "--jsonl", "--root"]).arg(root).arg("--truth").arg(truth);
    let ended = run(&mut command);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    text(&ended.stdout)
}

#[test]
fn every_line_is_shown_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("app")).unwrap();
    std::fs::write(root.path().join("app/db.py"), SQLI).unwrap();
    let report = root.path().join("report.json");
    std::fs::write(&report, semgrep(&[("python.sqli", "app/db.py", 5)])).unwrap();
    let excerpt = |more: &[&str]| {
        let mut command = chaffinch();
        command.args(["excerpt", "--root"]).arg(root.path()).arg("--report").arg(&report);
        run(command.args(more))
    };
    let explained = text(&excerpt(&["--explain"]).stdout);
    let line = explained.lines().find(|line| line.trim_start().starts_with("5 ")).unwrap();
    assert!(line.contains("finding"), "{explained}");
    assert!(explained.contains("tokens, rung"), "{explained}");
    let id = explained.lines().next().unwrap().split_whitespace().last().unwrap();

    assert_eq!(text(&excerpt(&["--explain", "--finding", &id[..8]]).stdout), explained);
    let none = excerpt(&["--finding", "zzz"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("no finding's id begins with zzz"));
    assert!(!text(&excerpt(&["--budget", "40"]).stdout).contains("import"), "little fits");
}

#[test]
fn testdata_what_is_needed_is_not_read_from_a_truth_set() {
    let Some(corpus) = testdata("findings/corpus") else { return };
    let truth = corpus.join("truth.jsonl");
    let told = score(&corpus, &truth);
    let mut blind = String::new();
    for line in std::fs::read_to_string(&truth).unwrap().lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let record = record.as_object_mut().unwrap();
        for key in ["needed_lines", "needed_other_files", "label", "why", "method", "cwe"] {
            record.remove(key);
        }
        blind.push_str(&format!("{}\n", Value::Object(record.clone())));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blind.jsonl");
    std::fs::write(&path, blind).unwrap();
    assert_eq!(told, score(&corpus, &path));
    assert!(told.lines().count() >= 28);
}
