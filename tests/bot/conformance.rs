//! Programs that nobody here wrote: another emulator of GitHub, two client libraries of each forge, and a
//! checker of recorded traffic.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Model, needs_review, true_positive};
use serde_json::{Value, json};

use crate::harness::{
    Binary, Bot, Change, Fake, SQLI, UPLOAD_TOKEN, WEBHOOK_SECRET, is_closed, sarif, semgrep,
    settings, testdata,
};

/// Where `tests/tools.sh` puts Node, its packages and Python's.
fn tools() -> PathBuf {
    let tools = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools"));
    assert!(tools.join("node").exists(), "the tools are not installed: run `make tools`");
    tools
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance")).join(name)
}

async fn read_back(mut command: Command) -> Value {
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let out = String::from_utf8_lossy(&ended.stdout);
    serde_json::from_str(&out)
        .unwrap_or_else(|e| panic!("{e}: {out}\n{}", String::from_utf8_lossy(&ended.stderr)))
}

/// A change with a finding in its lines and one outside of them, triaged; its text, and how many lines
/// that has.
async fn triaged(bot: &Bot) -> (Change, String, u32) {
    let repo = bot.forge.repo("acme/shop");
    let filler = "\n# nothing to see\n".repeat(20);
    let old = format!("{SQLI}{filler}");
    let new = format!("{old}LIMIT = 10\n");
    let last = new.lines().count() as u32;
    repo.base_file("app/db.py", old).file("app/db.py", new.clone());
    let change = repo.change(7);
    change.report(sarif(
        "CodeQL",
        &[("rule.inside", "app/db.py", last), ("rule.outside", "app/db.py", 5)],
    ));
    bot.model.answer_with(|request| {
        let line = request.lines().iter().map(|l| l.number).next_back().unwrap_or(1);
        true_positive("It is.", &format!("app/db.py:{line}"))
    });
    bot.deliver("opened", 7).await;
    (change, new, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn octokit_and_pygithub_read_what_the_bot_wrote() {
    let mut bot = Bot::start(ForgeKind::GitHub).await;
    let (change, new, last) = triaged(&bot).await;
    let token = bot.forge.github().token(
        &["acme/shop"],
        &[("contents", "read"), ("pull_requests", "read"), ("checks", "read")],
    );
    bot.leaves_tokens();
    let (number, head, tools) = ("7", change.head(), tools());
    let arguments = [&bot.forge.github().url(), &token, "acme", "shop", number, &head];
    let mut octokit = Command::new(tools.join("node"));
    octokit.arg(script("octokit.mjs")).args(arguments).env("CHAFFINCH_TOOLS", &tools);
    let mut pygithub = Command::new(tools.join("venv/bin/python"));
    pygithub.arg(script("pygithub.py")).args(arguments);
    let (by_octokit, by_pygithub) = (read_back(octokit).await, read_back(pygithub).await);

    let thread = &change.threads()[0];
    let check = change.checks().pop().unwrap();
    let expected = json!({
        "threads": [{ "path": "app/db.py", "line": last, "author": "chaffinch[bot]", "body": thread.comments[0].body }],
        "checks": [{ "name": "Chaffinch", "conclusion": "failure", "title": check.title, "annotations": check.annotations.len() }],
        "file": new,
    });
    for (who, read) in [("octokit", &by_octokit), ("PyGithub", &by_pygithub)] {
        for key in ["threads", "checks", "file"] {
            assert_eq!(read[key], expected[key], "{who}, {key}");
        }
        assert_eq!(read["summaries"].as_array().unwrap().len(), 1, "{who}");
        assert!(read["summaries"][0]["body"].as_str().unwrap().contains("rule.outside"), "{who}");
    }
    assert_eq!(by_octokit, by_pygithub, "the same meaning to both");
    change.summary();
}

#[tokio::test(flavor = "multi_thread")]
async fn python_gitlab_and_gitbeaker_read_what_the_bot_wrote() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let (change, new, last) = triaged(&bot).await;
    let project = bot.forge.gitlab().project("acme/shop");
    let token = project.token("reader", &["read_api"], 20).value();
    let (number, head, tools) = ("7", change.head(), tools());
    let url = bot.forge.gitlab().url();
    let arguments = [&url, &token, "acme/shop", number, &head];
    let mut gitbeaker = Command::new(tools.join("node"));
    gitbeaker.arg(script("gitbeaker.mjs")).args(arguments).env("CHAFFINCH_TOOLS", &tools);
    let mut python = Command::new(tools.join("venv/bin/python"));
    python.arg(script("pythongitlab.py")).args(arguments);
    let (by_gitbeaker, by_python) = (read_back(gitbeaker).await, read_back(python).await);

    let thread = &change.threads()[0];
    let author = &thread.comments[0].author;
    let expected = json!({
        "threads": [{ "path": "app/db.py", "line": last, "author": author, "body": thread.comments[0].body }],
        "checks": [{ "name": "chaffinch", "state": "failed", "title": "2 findings are real" }],
        "file": new,
    });
    for (who, read) in [("gitbeaker", &by_gitbeaker), ("python-gitlab", &by_python)] {
        for key in ["threads", "checks", "file"] {
            assert_eq!(read[key], expected[key], "{who}, {key}");
        }
        assert_eq!(read["summaries"].as_array().unwrap().len(), 1, "{who}");
        assert!(read["summaries"][0]["body"].as_str().unwrap().contains("rule.outside"), "{who}");
    }
    assert_eq!(by_gitbeaker, by_python, "the same meaning to both");
    change.summary();

    // Somebody else answers and says something of his own, through a program that sends forms.
    let other = project.token("somebody", &["api"], 30).value();
    let last = last.to_string();
    let mut writes = Command::new(tools.join("node"));
    writes.arg(script("gitbeaker-writes.mjs")).args([&url, &other, "acme/shop", number, &last]);
    writes.env("CHAFFINCH_TOOLS", &tools);
    let wrote = read_back(writes).await;
    let threads = change.threads();
    assert_eq!(threads.len(), 2);
    assert_eq!(threads[0].comments[1].body, "I do not think so.");
    assert_eq!(json!(threads[1].comments[0].id), wrote["note"]);
    assert_eq!((threads[1].line, threads[1].outdated), (threads[0].line, false));
    // To the bot the first is its own, and answered; the other is none of its business.
    bot.ask_again(7).await;
    assert_eq!(change.threads(), threads);
}

#[tokio::test(flavor = "multi_thread")]
async fn testdata_recorded_traffic_passes_the_checker() {
    let Some(protocol) = testdata("protocol") else {
        println!("skipped: no test data");
        return;
    };
    let traffic = tempfile::NamedTempFile::new().unwrap();
    let bot = Bot::with(ForgeKind::GitLab).record(traffic.path()).start().await;
    let (change, _, _) = triaged(&bot).await;
    // A second run edits, and one that finds nothing resolves.
    bot.ask_again(7).await;
    change.push(&[("app/db.py", "nothing = True\n")]);
    change.report(sarif("CodeQL", &[]));
    bot.deliver("pushed", 7).await;
    assert!(is_closed(&change.threads()[0]));
    change.summary();
    // The document says of this one list that it is one object, and of a member's role, which is a number
    // on every server, that it is a text.
    let recorded = std::fs::read_to_string(traffic.path()).unwrap();
    let wrong = ["/merge_requests/7/pipelines\"", "/members/all/"];
    for one in wrong {
        assert!(recorded.contains(one), "{one} is asked for no more");
    }
    let right = recorded.lines().filter(|line| !wrong.iter().any(|one| line.contains(one)));
    let kept: String = right.map(|line| format!("{line}\n")).collect();
    assert!(kept.lines().count() > 40);
    std::fs::write(traffic.path(), kept).unwrap();
    let mut checker = Command::new(tools().join("venv/bin/python"));
    checker.arg(protocol.join("tools/check_traffic.py"));
    checker.arg(protocol.join("gitlab/schemas/gitlab-rest.schemas.json"));
    checker.arg(traffic.path());
    let ended = tokio::task::spawn_blocking(move || checker.output().unwrap()).await.unwrap();
    let said = [ended.stdout, ended.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
    assert!(ended.status.success() && said.contains(" 0 failed"), "{said}");
}

/// `emulate@0.12.2`, killed when dropped.
struct Emulate {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Emulate {
    async fn start(port: u16, seed: &Value, folder: &std::path::Path) -> Self {
        let tools = tools();
        std::fs::write(folder.join("seed.json"), seed.to_string()).unwrap();
        let child = Command::new(tools.join("node"))
            .arg(tools.join("node_modules/emulate/dist/index.js"))
            .args(["start", "--service", "github", "--port", &port.to_string(), "--seed"])
            .arg(folder.join("seed.json"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = chaffinch_server::http_client(None).unwrap();
        let started = Self { child, url: format!("http://127.0.0.1:{port}"), client };
        for _ in 0..200 {
            if started.client.get(format!("{}/meta", started.url)).send().await.is_ok() {
                return started;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("emulate did not start");
    }

    /// As a person with a token of their own.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let mut request = request.header("authorization", "token usertoken_octocat");
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

impl Drop for Emulate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn seed(key: &str, webhook: &str) -> Value {
    json!({
        "tokens": { "usertoken_octocat": { "login": "octocat", "scopes": ["repo"] } },
        "github": {
            "users": [{ "login": "octocat" }],
            "orgs": [{ "login": "acme", "members": [{ "login": "octocat", "role": "admin" }] }],
            "repos": [{ "owner": "acme", "name": "shop", "auto_init": true }],
            "apps": [{
                "app_id": 12345, "slug": "chaffinch", "name": "Chaffinch", "private_key": key,
                "permissions": { "contents": "read", "pull_requests": "write", "checks": "write", "metadata": "read" },
                "events": ["pull_request", "check_run"],
                "webhook_url": webhook, "webhook_secret": WEBHOOK_SECRET,
                "installations": [{ "installation_id": 100, "account": "acme", "repository_selection": "all" }]
            }]
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unchanged_bot_works_against_another_emulator() {
    chaffinch_server::install_crypto();
    let folder = tempfile::tempdir().unwrap();
    let model = Model::start().await.unwrap();
    model.answer_with(|_| needs_review("Not enough is shown."));
    // A sandbox only for its key: the emulator wants one that it did not make.
    let clock = std::sync::Arc::new(chaffinch_server::SystemClock);
    let sandbox = Fake::start(ForgeKind::GitHub, clock, "").await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut settings = settings(&sandbox, &model, &folder);
    let config = folder.path().join("chaffinch.toml");
    std::fs::write(
        &config,
        format!("[[upload]]\nrepository = \"acme/shop\"\ntoken = \"{UPLOAD_TOKEN}\"\n"),
    )
    .unwrap();
    for (key, value) in [
        ("SERVER__WORKERS", "1".to_owned()),
        ("GITHUB__API_URL", format!("http://127.0.0.1:{port}")),
        ("GITHUB__CODE_SCANNING", "false".to_owned()),
    ] {
        settings.push((format!("CHAFFINCH__{key}"), value));
    }
    let server = Binary::serve_with(&settings, &config);
    let webhook = format!("http://{}/webhooks/github", server.address);
    let emulate =
        Emulate::start(port, &seed(sandbox.github().private_key(), &webhook), folder.path()).await;

    let mut enable = crate::harness::chaffinch();
    enable.args(["enable", "acme/shop", "--by", "the tests", "--config"]).arg(&config);
    let enabled = tokio::task::block_in_place(|| enable.envs(settings.clone()).output().unwrap());
    assert!(enabled.status.success(), "{}", String::from_utf8_lossy(&enabled.stderr));

    let main = emulate.ask("GET", "/repos/acme/shop/git/ref/heads/main", None).await;
    let main = main["object"]["sha"].as_str().unwrap().to_owned();
    let branch = json!({ "ref": "refs/heads/find", "sha": main });
    emulate.ask("POST", "/repos/acme/shop/git/refs", Some(branch)).await;
    let content = base64_of(SQLI);
    let file = json!({ "message": "find", "content": content, "branch": "find" });
    emulate.ask("PUT", "/repos/acme/shop/contents/app/db.py", Some(file)).await;
    let pull = json!({ "title": "find", "head": "find", "base": "main" });
    let pull = emulate.ask("POST", "/repos/acme/shop/pulls", Some(pull)).await;
    let (number, head) = (pull["number"].as_u64().unwrap(), pull["head"]["sha"].as_str().unwrap());

    let upload = chaffinch_server::http_client(None)
        .unwrap()
        .post(format!("http://{}/api/v1/reports", server.address))
        .query(&[("repository", "acme/shop"), ("commit", head), ("change", &number.to_string())])
        .bearer_auth(UPLOAD_TOKEN)
        .body(semgrep(&[("python.sqli", "app/db.py", 5)]))
        .send()
        .await
        .unwrap();
    assert_eq!(upload.status(), 202, "{}", upload.text().await.unwrap());

    let mut checks = Value::Null;
    for _ in 0..200 {
        checks =
            emulate.ask("GET", &format!("/repos/acme/shop/commits/{head}/check-runs"), None).await;
        if checks["total_count"].as_u64() > Some(0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let check = &checks["check_runs"][0];
    assert_eq!((&check["name"], &check["conclusion"]), (&json!("Chaffinch"), &json!("neutral")));
    let comments =
        emulate.ask("GET", &format!("/repos/acme/shop/issues/{number}/comments"), None).await;
    let comments = comments.as_array().unwrap();
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert_eq!(comments[0]["user"]["login"], "chaffinch[bot]");
    assert!(comments[0]["body"].as_str().unwrap().contains("python.sqli"));
    assert!(model.requests()[0].prompt().contains("cursor.execute"), "the file was read");

    // The webhook was signed by the emulator and understood by the bot.
    let metrics = format!("http://{}/metrics", server.address);
    let metrics = chaffinch_server::http_client(None).unwrap().get(metrics).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let accepted = r#"chaffinch_deliveries_total{forge="github",outcome="accepted"} 1"#;
    assert!(metrics.contains(accepted), "{metrics}");
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
