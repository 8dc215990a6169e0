//! The same bot on GitLab: from a signed delivery to a discussion, a summary and a commit status.

use std::sync::Arc;

use chaffinch_sandbox::{
    GitLab, GitLabOptions, Hook, MergeRequest, Model, Project, Signature, needs_review,
    true_positive,
};
use chaffinch_server::{App, Config, Ended, Running, SystemEntropy, Worker, config::Upload};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{HandClock, SQLI, SQLI_FIXED, semgrep, steady, testdata};

/// Made for these tests, like every secret here.
const STORE_KEY: &str = "7a1f4c9be2d05833a6c47e19f0b2d85c61e8937f2a4bd06c95e31f78a0cd42b6";
const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const UPLOAD_TOKEN: &str = "an upload token of acme/web/shop";
const RULE: &str = "python.sqli";

/// The bot, a sandbox GitLab with one project, and the model.
struct Lab {
    gitlab: GitLab,
    project: Project,
    hook: Hook,
    model: Model,
    address: String,
    app: Arc<App>,
    running: Option<Running>,
    _folder: TempDir,
}

impl Lab {
    async fn start(base_path: &str) -> Self {
        let clock = Arc::new(HandClock::default());
        let mut options = GitLabOptions::new(clock.clone());
        options.base_path = base_path.to_owned();
        options.schemas = testdata("protocol");
        let gitlab = GitLab::start(options).await.unwrap();
        let project = gitlab.project("acme/web/shop");
        let read = project.token("chaffinch-read", &["read_api"], 20).value();
        let write = project.token("chaffinch-write", &["api"], 30).value();
        let model = Model::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chaffinch.toml");
        let store = folder.path().join("chaffinch.db");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 0\npublic_url = \"https://chaffinch.example\"\n\
             [policy]\nrepositories = [\"gitlab:acme/*/shop\"]\n\
             [model]\nbase_url = \"{}\"\nname = \"test-model\"\nauth = \"none\"\nmax_retries = 0\n\
             [store]\nurl = \"sqlite:{}\"\nkey = \"{STORE_KEY}\"\n\
             [gitlab]\nurl = \"{}\"\n\
             [[gitlab.project]]\npath = \"acme/web/*\"\nread_token = \"{read}\"\n\
             write_token = \"{write}\"\nwebhook_secret = \"{SIGNING}\"\n\
             [[gitlab.report]]\njob = \"semgrep\"\nfile = \"semgrep.json\"\n",
            model.url(),
            store.display(),
            gitlab.url(),
        );
        std::fs::write(&file, text).unwrap();
        let mut config = Config::load(Some(&file), []).unwrap();
        config.upload.push(Upload::new("acme/web/shop".parse().unwrap(), UPLOAD_TOKEN.into()));
        let app = App::build(&config, clock, Arc::new(SystemEntropy)).await.unwrap();
        let app = Arc::new(app);
        let running =
            chaffinch_server::start(Arc::clone(&app), config.server.listen).await.unwrap();
        let address = running.address.to_string();
        let hook = project.hook(&format!("http://{address}/webhooks/gitlab"));
        let hook = hook.signing_token(SIGNING);
        let running = Some(running);
        Self { gitlab, project, hook, model, address, app, running, _folder: folder }
    }

    /// The merge request that most tests talk about: `app/db.py` gets an SQL injection in line 5.
    fn sqli_change(&self, iid: u64) -> MergeRequest {
        self.project.base_file("README", "a shop\n").file("app/db.py", SQLI);
        self.project.merge_request(iid)
    }

    /// Delivers an event, and works until nothing is left to do.
    async fn deliver(&self, change: &MergeRequest, event: &str) -> Vec<String> {
        let delivered = change.deliver(event).await;
        assert!(matches!(delivered.status, 202 | 204), "{event}: {delivered:?}");
        self.work().await
    }

    async fn work(&self) -> Vec<String> {
        let worker = Worker::new(Arc::clone(&self.app));
        let mut ended = Vec::new();
        while let Some(end) = worker.once().await.unwrap() {
            ended.push(match end {
                Ended::Done(word) => word.to_owned(),
                other => format!("{other:?}"),
            });
            assert!(ended.len() < 50, "the bot does not come to rest: {ended:?}");
        }
        ended
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut complaints = self.gitlab.problems();
        complaints.extend(self.model.problems());
        complaints.extend(self.gitlab.unread().into_iter().map(|c| format!("nobody read: {c}")));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                if let Some(running) = self.running.take() {
                    running.stop().await;
                }
            });
        });
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

/// GitLab's own report: `(rule, path, line)` each.
fn sast(results: &[(&str, &str, u32)]) -> String {
    let found = results.iter().map(|(rule, path, line)| {
        json!({
            "id": "x", "name": "SQL injection", "description": format!("{rule} was found here."),
            "severity": "High", "location": { "file": path, "start_line": line },
            "identifiers": [{ "type": "semgrep_id", "name": rule, "value": rule }],
        })
    });
    let scanner =
        json!({ "id": "semgrep", "name": "Semgrep", "version": "1", "vendor": { "name": "x" } });
    json!({
        "version": "15.0.7",
        "scan": { "type": "sast", "status": "success", "scanner": scanner },
        "vulnerabilities": found.collect::<Vec<_>>(),
    })
    .to_string()
}

fn real() -> chaffinch_sandbox::Reply {
    true_positive("`name` comes from the request and is put into the query text.", "app/db.py:5")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_of_the_pipeline_gets_one_discussion_on_its_line() {
    for base_path in ["", "/gitlab"] {
        let lab = Lab::start(base_path).await;
        let change = lab.sqli_change(7);
        assert_eq!(lab.deliver(&change, "merge_request.open").await, ["not_yet"]);
        assert!(change.checks().is_empty(), "never green because nothing was looked at");

        let report = sast(&[(RULE, "app/db.py", 5)]);
        change.job("semgrep-sast").report("sast", "gl-sast-report.json", report).elsewhere();
        lab.model.answers([real()]);
        assert_eq!(lab.deliver(&change, "pipeline.success").await, ["published"]);
        let thread = steady(&change.thread("app/db.py:5"));
        assert!(thread.contains("**Real: `python.sqli` (high severity)**"), "{thread}");
        assert!(thread.contains("6 lines of `app/db.py`"), "{thread}");
        let check = change.check();
        assert!(check.contains("failed") && check.contains("1 finding is real"), "{check}");

        // The same again says nothing twice, and asks nothing twice.
        lab.deliver(&change, "merge_request.update").await;
        assert_eq!(lab.model.requests().len(), 1);
        assert_eq!(change.threads().len(), 1);
        assert_eq!(change.drafts(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_edits_and_a_finding_that_is_gone_is_resolved() {
    let lab = Lab::start("").await;
    let change = lab.sqli_change(7);
    change.job("semgrep").artifact("semgrep.json", semgrep(&[(RULE, "app/db.py", 5)]));
    lab.model.answers([needs_review("The caller is not shown.")]);
    assert_eq!(lab.deliver(&change, "pipeline.success").await, ["published"]);
    assert!(change.thread("app/db.py:5").contains("Needs a person's look"));

    change.push(&[("app/db.py", SQLI_FIXED)]);
    change.job("semgrep").artifact("semgrep.json", semgrep(&[]));
    lab.deliver(&change, "merge_request.update").await;
    lab.deliver(&change, "pipeline.success").await;
    let threads = change.threads();
    assert_eq!(threads.len(), 1);
    assert!(threads[0].resolved_by.is_some(), "what is gone is resolved");
    assert!(change.check().contains("success"), "{}", change.check());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_ci_uploads_is_triaged_too() {
    let lab = Lab::start("").await;
    let change = lab.sqli_change(7);
    lab.model.answers([real()]);
    let url = format!("http://{}/api/v1/reports", lab.address);
    let query = [("repository", "acme/web/shop"), ("commit", &change.head()), ("change", "7")];
    let request = chaffinch_server::http_client(None).unwrap().post(url).query(&query);
    let request = request.bearer_auth(UPLOAD_TOKEN).body(semgrep(&[(RULE, "app/db.py", 5)]));
    assert_eq!(request.send().await.unwrap().status().as_u16(), 202);
    assert_eq!(lab.work().await, ["published"]);
    assert_eq!(change.threads().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_is_refused_and_what_is_not_ours_is_no_error() {
    let lab = Lab::start("").await;
    let change = lab.sqli_change(7);
    let body = lab.gitlab.payload("merge_request.open", 7).unwrap().to_string();
    let header = "Merge Request Hook";
    let wrong = Signature::With("whsec_c29tZXRoaW5nIGVsc2UgZW50aXJlbHkh".into());
    let refused = lab.gitlab.deliver_raw(header, body.into_bytes(), wrong).await;
    assert_eq!(refused[0].status, 401, "{refused:?}");
    let push = br#"{"object_kind": "push"}"#.to_vec();
    let other = lab.gitlab.deliver_raw("Push Hook", push, Signature::Right).await;
    assert_eq!(other[0].status, 204, "{other:?}");
    // What only the title changed is no news.
    assert_eq!(change.deliver("merge_request.edit").await.status, 204);
    assert!(lab.work().await.is_empty());
    assert_eq!(lab.hook.alert_status(), "executable");
    assert_eq!(lab.app.queue().depth().await.unwrap().ready, 0);
}
