//! The command line, as a person uses it.

use std::process::{Command, Output};

use chaffinch_sandbox::{Model, false_positive, needs_review, true_positive};

use crate::harness::{SQLI, chaffinch, sarif, semgrep, testdata};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn triage(model: &Model, root: &std::path::Path, report: &std::path::Path) -> Command {
    let mut command = chaffinch();
    command
        .arg("triage")
        .arg("--root")
        .arg(root)
        .arg("--report")
        .arg(report)
        .env("CHAFFINCH__MODEL__BASE_URL", model.url())
        .env("CHAFFINCH__MODEL__NAME", "test-model")
        .env("CHAFFINCH__MODEL__AUTH", "none");
    command
}

/// A folder with the file of `sqli_change`.
fn checkout() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("app")).unwrap();
    std::fs::write(root.path().join("app/db.py"), SQLI).unwrap();
    root
}

#[tokio::test(flavor = "multi_thread")]
async fn triage_of_a_checkout_says_by_its_exit_code_whether_something_stands() {
    let root = checkout();
    let report = root.path().join("report.sarif");
    std::fs::write(&report, sarif("CodeQL", &[("rule", "app/db.py", 5)])).unwrap();
    let rows = [
        (true_positive("It is.", "app/db.py:5"), 1),
        (needs_review("Not enough is shown."), 3),
        (false_positive("It is bound.", "app/db.py:5"), 0),
    ];
    for (reply, code) in rows {
        let model = Model::start().await.unwrap();
        model.answers([reply]);
        let ended = run(triage(&model, root.path(), &report)).await;
        assert_eq!(
            ended.status.code(),
            Some(code),
            "{}\n{}",
            text(&ended.stdout),
            text(&ended.stderr)
        );
        assert!(text(&ended.stdout).contains("app/db.py:5"));
        assert!(!text(&ended.stdout).contains('\x1b'), "no colours where nobody sees them");
        assert!(text(&ended.stderr).contains("lines of source were sent to"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_of_triage_is_what_it_says() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("db.py"), SQLI).unwrap();
    let report = root.path().join("report.sarif");
    // As a CI machine writes it: an absolute path of its own.
    let sarif = sarif("CodeQL", &[("rule", "file:///builds/acme/shop/db.py", 5)]);
    std::fs::write(&report, sarif).unwrap();
    for format in ["json", "sarif", "markdown"] {
        let model = Model::start().await.unwrap();
        model.answers([true_positive("It is.", "db.py:5")]);
        let mut command = triage(&model, root.path(), &report);
        command.args(["--format", format]);
        let ended = run(command).await;
        let out = text(&ended.stdout);
        assert_eq!(ended.status.code(), Some(1), "{format}: {out}\n{}", text(&ended.stderr));
        match format {
            "json" => {
                let json: serde_json::Value = serde_json::from_str(&out).unwrap();
                assert_eq!(json["version"], 1);
            }
            "sarif" => {
                let json: serde_json::Value = serde_json::from_str(&out).unwrap();
                assert_eq!(json["version"], "2.1.0");
                assert_eq!(json["runs"][0]["results"].as_array().unwrap().len(), 1);
            }
            _ => assert!(out.contains("It is"), "{out}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn testdata_real_semgrep_reports_of_the_corpus_go_through_triage() {
    let Some(findings) = testdata("findings") else {
        println!("skipped: no test data");
        return;
    };
    let mut reports = 0;
    for entry in std::fs::read_dir(findings.join("outputs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("corpus.") || name.contains(".gitlab.") {
            continue;
        }
        let model = Model::start().await.unwrap();
        let mut command = triage(&model, &findings.join("corpus"), &path);
        command.args(["--format", "json"]);
        let ended = run(command).await;
        let out = text(&ended.stdout);
        let json: serde_json::Value = serde_json::from_str(&out)
            .unwrap_or_else(|e| panic!("{name}: {e}\n{}", text(&ended.stderr)));
        let outcomes = json["assessment"]["outcomes"].as_array().unwrap();
        assert!(outcomes.len() >= 25, "{name}: {}", outcomes.len());
        assert!(model.requests().len() >= 20, "{name}");
        assert!(model.problems().is_empty(), "{name}: {:?}", model.problems());
        let failed: Vec<_> = outcomes
            .iter()
            .filter(|o| !o["triage"]["cause"].is_null() && o["triage"]["cause"]["kind"] != "unsure")
            .map(|o| o["triage"]["cause"].to_string())
            .collect();
        assert!(failed.is_empty(), "{name}: {failed:?}");
        reports += 1;
    }
    assert!(reports >= 4, "{reports}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_on_the_command_line_end_in_sentences() {
    let rows: [(&[&str], &str); 8] = [
        (&["config", "check"], "policy.repositories is empty"),
        (&["config", "check", "--config", "/nowhere.toml"], "cannot read the configuration file"),
        (&["serve"], "github.webhook_secret is missing"),
        (&["triage", "--report", "x.sarif"], "cannot read the report x.sarif"),
        (&["triage", "--report", "/dev/null"], "set CHAFFINCH__MODEL__KEY"),
        // With name and key, not only after they are there.
        (&["triage", "--report", "/dev/null"], ".agreement, .retention_days and .no_training"),
        (&["triage"], "--report"),
        (&["doctor"], "policy.repositories is empty"),
    ];
    for (arguments, says) in rows {
        let mut command = chaffinch();
        command.args(arguments);
        let ended = run(command).await;
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_configuration_is_what_is_compiled_in() {
    let mut command = chaffinch();
    command.args(["config", "example"]);
    let printed = text(&run(command).await.stdout);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../chaffinch.example.toml");
    assert_eq!(printed, std::fs::read_to_string(file).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_comments_and_a_check_and_says_that_they_are_scripted() {
    let mut command = chaffinch();
    command.args(["demo", "--once"]);
    let ended = run(command).await;
    let out = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{out}\n{}", text(&ended.stderr));
    assert!(out.contains("Scripted answers: no model was asked"), "{out}");
    assert!(!out.contains("alone)"), "what is the same on both stands once: {out}");
    for shown in [
        "app/orders.py:23",
        "app/invoices.py",
        "web/login.js:12 (on both)",
        "GitHub: pull request #7",
        "Chaffinch · failure",
        "GitLab: merge request !7",
        "chaffinch · failed",
    ] {
        assert!(out.contains(shown), "{shown} is missing in:\n{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_there_is_said_to_have_got_nothing() {
    let root = checkout();
    let report = root.path().join("report.json");
    std::fs::write(&report, semgrep(&[("python.sqli", "app/db.py", 5)])).unwrap();
    // Taken and let go: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = chaffinch();
    command
        .args(["triage", "--root"])
        .arg(root.path())
        .arg("--report")
        .arg(&report)
        .env("CHAFFINCH__MODEL__BASE_URL", format!("http://127.0.0.1:{port}/v1"))
        .env("CHAFFINCH__MODEL__NAME", "nobody")
        .env("CHAFFINCH__MODEL__AUTH", "none")
        .env("CHAFFINCH__MODEL__MAX_RETRIES", "0");
    let ended = run(command).await;
    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
    assert_eq!(ended.status.code(), Some(3), "{out}{err}");
    assert!(out.contains("nothing was sent") && err.contains("No source was sent."), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_read_is_named() {
    let model = Model::start().await.unwrap();
    let root = checkout();
    let report = root.path().join("report.json");
    std::fs::write(&report, "{\"runs\": [").unwrap();
    let ended = run(triage(&model, root.path(), &report)).await;
    let out = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(3), "{out}");
    assert!(out.contains("cut off") && out.contains("report.json"), "{out}");
    assert!(out.contains("no findings in what could be read"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_of_no_file_in_the_checkout_is_not_green() {
    let model = Model::start().await.unwrap();
    let root = checkout();
    let report = root.path().join("report.sarif");
    std::fs::write(&report, sarif("CodeQL", &[("rule", "../../etc/passwd", 1)])).unwrap();
    let ended = run(triage(&model, root.path(), &report)).await;
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("look at the paths in the report"), "{said}");
}
