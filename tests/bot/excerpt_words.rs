//! `chaffinch excerpt`: what it says of what it cannot show, and how it shows what it can.

use std::{path::Path, process::Output};

use serde_json::Value;

use crate::harness::{SQLI, chaffinch, sarif, semgrep};

/// A folder with `app/db.py`, and a report beside it.
struct Desk {
    folder: tempfile::TempDir,
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new(source: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.file("app/db.py", source);
        desk
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let file = self.root().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    /// What is said of `report`.
    fn excerpt(&self, report: impl AsRef<[u8]>, more: &[&str]) -> Said {
        self.file("report", report);
        let report = self.root().join("report");
        self.run(&[&["--report", report.to_str().unwrap()], more].concat())
    }

    /// What is said of a truth set.
    fn truth(&self, records: &str) -> Said {
        self.file("set.jsonl", records);
        let set = self.root().join("set.jsonl");
        self.run(&["--truth", set.to_str().unwrap(), "--jsonl"])
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let mut command = chaffinch();
        command.args(["excerpt", "--root"]).arg(self.root()).args(arguments);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    }
}

#[test]
fn no_result_of_a_report_is_dropped_without_a_word() {
    let desk = Desk::new(SQLI);
    let said = |results: &[(&str, &str, u32)]| desk.excerpt(sarif("X", results), &[]);
    let outside = said(&[("a", "../x", 1), ("b", "/etc/passwd", 1), ("c", "app/db.py", 5)]);
    assert_eq!(outside.code, Some(2));
    assert!(outside.out.contains("app/db.py:5"), "{}", outside.out);
    let root = desk.root().display();
    let want = format!(
        "2 results are of no file in {root}: look at the paths in the report, and at --root."
    );
    assert!(outside.err.contains(&want), "{}", outside.err);

    let run = |results: &str| {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"X"}}}},"results":{results}}}]}}"#
        )
    };
    let nowhere = desk.excerpt(run(r#"[{"ruleId":"r","message":{"text":"m"}}]"#), &[]);
    assert_eq!(nowhere.code, Some(2));
    let want = "1 result of the reports could not be read as findings.";
    assert!(nowhere.err.contains(want), "{}", nowhere.err);

    let empty = desk.excerpt(run("[]"), &[]);
    assert_eq!((empty.code, empty.err.trim()), (Some(0), "no findings in the report"));
}

#[test]
fn secrets_and_addresses_are_shown_as_they_would_leave() {
    let secret = concat!("sk_live_", "4eC39HqLyjWDarjtT1zdp7dc");
    let source =
        format!("KEY = \"{secret}\"\nrun(KEY)  # ada@orchard.example\nuse(\"{secret}\")\n");
    let desk = Desk::new(&source);
    let said = desk.excerpt(semgrep(&[("rule", "app/db.py", 2)]), &["--ceiling", "File"]);
    assert!(!said.out.contains(secret) && !said.out.contains("ada@"), "{}", said.out);
    assert!(said.out.contains("KEY = \"‹secret:stripe-access-token#1›\""), "{}", said.out);
    assert!(said.out.contains("1 secret and 1 e-mail address replaced"), "{}", said.out);

    let name = format!("app/{secret}.py");
    desk.file(&name, SQLI);
    let said = desk.excerpt(semgrep(&[("rule", &name, 5)]), &[]);
    assert!(
        said.out.contains("nothing can be sent: it holds text that may not leave"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("execute"), "{}", said.out);
}

#[test]
fn source_cannot_write_to_the_terminal_or_turn_its_lines_around() {
    let desk = Desk::new("a = 1  # \u{202e}gnp\u{2066}.\u{1b}[2J\n");
    let said = desk.excerpt(semgrep(&[("rule", "app/db.py", 1)]), &[]);
    assert!(said.out.contains(r"# \u{202e}gnp\u{2066}.\u{1b}[2J"), "{}", said.out);
    assert!(!said.out.contains(['\u{202e}', '\u{2066}', '\u{1b}']));
}

#[cfg(unix)]
#[test]
fn a_path_without_a_file_is_told_by_what_is_there() {
    let desk = Desk::new(SQLI);
    std::os::unix::fs::symlink("/etc", desk.root().join("out")).unwrap();
    let at = |path: &str| desk.excerpt(semgrep(&[("rule", path, 1)]), &[]).out;
    let none = at("app/none.py");
    assert!(
        none.contains("there is no such file below") && none.contains("look at --root"),
        "{none}"
    );
    assert!(at("app").contains("it is a folder"), "{}", at("app"));
    assert!(at("out/passwd").contains("a link that leads out of"), "{}", at("out/passwd"));
    let far = desk.excerpt(semgrep(&[("rule", "app/db.py", 99)]), &[]).out;
    assert!(far.contains("on line 99 of a file of") && !far.contains("commit"), "{far}");
}

#[test]
fn what_is_too_little_is_said_with_what_would_do() {
    let desk = Desk::new(SQLI);
    let report = semgrep(&[("rule", "app/db.py", 5)]);
    let none = desk.excerpt(&report, &["--budget", "0"]).out;
    let needs = none.split("it takes ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(none.contains("raise --budget"), "{none}");
    let least: u32 = needs.parse().unwrap();
    let enough = |budget: u32| {
        let said = desk.excerpt(&report, &["--budget", &budget.to_string()]).out;
        !said.contains("nothing can be sent")
    };
    assert!(enough(least) && !enough(least - 1), "{least}");
    assert!(desk.excerpt(&report, &["--requests", "0"]).err.contains("--requests"));
}

#[test]
fn findings_are_chosen_by_any_of_several_beginnings_in_any_case() {
    let desk = Desk::new(SQLI);
    let report =
        semgrep(&[("one", "app/db.py", 5), ("two", "app/db.py", 4), ("three", "app/db.py", 3)]);
    let all = desk.excerpt(&report, &[]).out;
    let heads = all.lines().filter(|line| line.starts_with("app/db.py:"));
    let ids: Vec<String> =
        heads.map(|line| line.split_whitespace().last().unwrap()[..12].to_uppercase()).collect();
    assert_eq!(ids.len(), 3);
    let some = desk.excerpt(&report, &["--finding", &ids[0], "--finding", &ids[2]]);
    assert_eq!(some.code, Some(0), "{}", some.err);
    assert_eq!(some.out.matches("app/db.py:").count(), 2, "{}", some.out);
    let none = desk.excerpt(&report, &["--finding", &ids[0], "--finding", "zz"]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("begins with zz;"), "{}", none.err);
    assert_eq!(desk.excerpt(&report, &["--finding", ""]).code, Some(2));
}

#[test]
fn a_report_that_cannot_be_read_comes_with_what_to_do() {
    let desk = Desk::new(SQLI);
    let cut = sarif("X", &[("rule", "app/db.py", 5)]);
    let cut = &cut.as_bytes()[..60];
    let rows: [(&[u8], &str); 3] = [
        (b"\x1f\x8b\x08\x00abc", "is not text; if it is packed, unpack it first"),
        (b"\x7fELF\x00\x00", "is not text"),
        (cut, "run the scanner again"),
    ];
    for (report, want) in rows {
        let said = desk.excerpt(report, &[]);
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains(want), "{want}: {}", said.err);
    }
    assert!(desk.run(&["--report", "-"]).err.contains("standard input is not read"));
}

#[test]
fn a_bad_record_is_named_and_the_others_are_still_answered() {
    let desk = Desk::new(SQLI);
    let record = |repo: &str, path: &str, lines: &str| {
        format!(r#"{{"id":"a7","repo":"{repo}","path":"{path}",{lines},"rule":"r"}}"#)
    };
    let fine = r#""start":5,"end":5"#;
    let records = [
        record("corpus", "app/db.py", fine),
        record("..", "app/db.py", fine),
        record("/etc", "app/db.py", fine),
        record("a/../..", "app/db.py", fine),
        record("corpus", "app/db.py", r#""start":5,"end":4"#),
        record("corpus", "app/db.py", r#""start":5"#),
        record("acme/shop", "app/db.py", fine),
        record("corpus", "app/none.py", fine),
    ];
    let said = desk.truth(&records.join("\n"));
    assert_eq!(said.code, Some(2), "{}", said.err);
    let answers: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2, "{}", said.out);
    assert!(answers[0].get("why").is_none());
    assert!(answers[1]["why"].as_str().unwrap().contains("no such file"), "{}", said.out);
    let errors: Vec<&str> = said.err.lines().collect();
    let wants = [
        "line 2: \"repo\" is",
        "line 3: \"repo\" is",
        "line 4: \"repo\" is",
        "line 5: \"path\", \"start\", \"end\": lines 5 to 4",
        "line 6: missing field `end`; want \"id\", \"repo\", \"path\", \"start\", \"end\" and \"rule\"",
        "line 7: the record a7: cannot open the checkout",
    ];
    assert_eq!(errors.len(), wants.len(), "{}", said.err);
    for (error, want) in errors.iter().zip(wants) {
        assert!(error.contains(want), "{want}: {error}");
    }
    assert!(desk.truth("\n").err.contains("no records in"));
}

#[test]
fn a_truth_set_and_its_form_of_output_go_together() {
    let desk = Desk::new(SQLI);
    for (given, wants) in [("--jsonl", "--truth"), ("--truth=set.jsonl", "--jsonl")] {
        let said = desk.run(&[given]);
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains(&format!("give {wants}")), "{given}: {}", said.err);
    }
    let help = desk.run(&["--help"]).out;
    let record = help.split("here it takes three:\n").nth(1).unwrap();
    let record = &record[..record.find("}]}").unwrap() + 3];
    serde_json::from_str::<Value>(record).unwrap();
    assert!(help.contains("Exit codes: 0"), "{help}");
}

#[test]
fn what_was_asked_for_is_said_in_words_and_no_reason_is_cut() {
    let name = "an_uncommonly_long_name_of_a_helper";
    let source =
        format!("from .far import {name}\n\n\ndef go(x):\n    y = {name}(x)\n    run(y)\n");
    let desk = Desk::new(&source);
    desk.file("app/far.py", format!("def {name}(x):\n    return x\n"));
    let report = semgrep(&[("rule", "app/db.py", 6)]);
    let said = desk.excerpt(&report, &["--explain", "--listing"]).out;
    assert!(said.contains(&format!("definition of {name} ")), "{said}");
    assert!(said.contains("  read: app/far.py\n") && said.contains("  names of: "), "{said}");
    let counts = said.lines().find(|line| line.contains(" tokens, ")).unwrap();
    let want = "rung related, 6 files asked for (its own included), the names of 1 folder";
    assert!(counts.contains(want), "{counts}");

    desk.file("main.go", "package main\n\nfunc start(x string) { run(x) }\n");
    let said = desk.excerpt(semgrep(&[("rule", "main.go", 3)]), &["--explain", "--listing"]).out;
    assert!(said.contains("  names of: the root\n"), "{said}");
    assert!(said.contains("1 file asked for (its own), the names of 1 folder"), "{said}");
}
