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

/// A fenced block: the words behind its fence, and its text.
fn blocks(text: &str) -> Vec<(Vec<String>, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(Vec<String>, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(words), None) => {
                open = Some((words.split(' ').map(str::to_owned).collect(), String::new()));
            }
            (None, Some((words, text))) => open = Some((words, format!("{text}{line}\n"))),
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn the_examples_of_the_documentation_are_what_is_sent() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/context.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut shown = 0;
    for chapter in page.split("\n### ").skip(1) {
        let root = tempfile::tempdir().unwrap();
        let report = root.path().join("report.json");
        let mut sent = String::new();
        for (words, text) in blocks(chapter) {
            if words[1] == "sent" {
                sent = text;
                continue;
            }
            let (path, line) = words[1].split_once(':').unwrap_or((&words[1], ""));
            let file = root.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
            if let Ok(line) = line.parse() {
                std::fs::write(&report, semgrep(&[("rule", path, line)])).unwrap();
            }
        }
        let mut command = chaffinch();
        command.args(["excerpt", "--explain", "--root"]).arg(root.path());
        let ended = run(command.arg("--report").arg(&report));
        let lines = text(&ended.stdout);
        let lines = lines.trim_end().lines().skip(1).map(|line| line.trim_end());
        let lines: String = lines.map(|l| format!("{}\n", l.get(2..).unwrap_or(""))).collect();
        assert_eq!(lines, sent, "{}", chapter.lines().next().unwrap());
        shown += 1;
    }
    assert_eq!(shown, 12, "one a language");
}
