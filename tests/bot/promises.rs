//! The promises that this path already keeps, one test each.

use std::{sync::Arc, time::Duration};

use chaffinch_core::{ForgeKind, VaultKind};
use chaffinch_sandbox::{Caller, needs_review, true_positive};
use chaffinch_server::{App, Config, SystemEntropy};
use tempfile::TempDir;

use crate::harness::{Bot, Change, Fake, Step, UPLOAD_TOKEN, on_both_forges, sarif};

on_both_forges! {
    p03_only_the_excerpt_is_sent,
    p08_one_finding_a_prompt,
    p09_access_is_file_by_file,
    p09_names_of_files_are_read_only_where_the_policy_says_so,
    p10_every_token_is_for_one_repository_and_reads_or_writes,
    p11_the_receipt_line_equals_what_the_model_received,
    p12_every_request_forbids_storage,
    p13_no_personal_information_and_no_secret_is_sent,
    p15_nothing_of_the_code_is_left_after_a_job,
    p15_an_uploaded_report_is_deleted_once_it_was_used,
    p15_a_report_that_names_no_change_is_deleted_once_it_was_used,
    p15_a_report_that_came_before_its_change_is_deleted_once_it_was_used,
    a_report_waits_in_the_vault_until_its_job_is_done,
    p18_the_policy_page_says_what_the_ceiling_lets_out,
    an_endpoint_without_agreement_is_refused_at_start,
    hostile_text_in_code_reports_and_answers_stays_text,
    nothing_secret_is_logged_at_any_level,
}

/// In the file, but no line of any excerpt.
const SENTINEL: &str = "sentinel_outside_of_every_excerpt";

/// A function of its own for the finding, far from the sentinel.
fn source() -> String {
    format!("{}\n\n\ndef other():\n    return \"{SENTINEL}\"\n", crate::harness::SQLI)
}

async fn p03_only_the_excerpt_is_sent(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/shop").base_file("README", "x\n").file("app/db.py", source());
    let change = bot.forge.repo("acme/shop").change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let requests = bot.model.requests();
    let sent = requests[0].body.to_string();
    assert!(sent.contains("cursor.execute") && !sent.contains(SENTINEL));
    let lines = requests[0].lines();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.number <= 6));
    change.threads();
}

async fn p08_one_finding_a_prompt(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("README", "x\n");
    repo.file("app/a.py", "def a(request):\n    run_alpha(request)\n");
    repo.file("app/b.py", "def b(request):\n    run_beta(request)\n");
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[("rule", "app/a.py", 2), ("rule", "app/b.py", 2)]));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    bot.deliver("opened", 7).await;
    let requests = bot.model.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let sent = request.body.to_string();
        assert_ne!(sent.contains("run_alpha"), sent.contains("run_beta"));
        assert_ne!(sent.contains("app/a.py"), sent.contains("app/b.py"));
    }
    change.threads();
}

async fn p09_access_is_file_by_file(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/shop").file("app/never.py", "x = 1\n");
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let files = bot.forge.requests(Step::ReadFile);
    let first = match on {
        ForgeKind::GitHub => "/contents/app/db.py",
        ForgeKind::GitLab => "/repository/files/app%2Fdb.py/raw",
    };
    assert!(files[0].path.ends_with(first), "{files:?}");
    assert!(files.len() <= 6, "a finding may ask for few: {files:?}");
    let mut paths: Vec<_> = files.iter().map(|request| &request.path).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), files.len(), "each is asked for once");
    for file in &files {
        assert!(file.query.contains(&("ref".to_owned(), change.head())), "pinned to the head");
    }
    let sent = bot.model.requests()[0].body.to_string();
    assert!(!sent.contains("never.py"), "what was looked at for nothing is not sent");
    change.threads();
}

async fn p09_names_of_files_are_read_only_where_the_policy_says_so(on: ForgeKind) {
    for listing in ["off", "names"] {
        let bot = Bot::with(on).set("POLICY__LISTING", listing).start().await;
        let allowed = listing == "names";
        // Whatever is listed without this fails the run.
        if allowed {
            bot.forge.allow_listing();
        }
        let repo = bot.forge.repo("acme/shop");
        repo.base_file("README", "x\n");
        repo.file("shop/show.go", "package shop\n\nfunc Show(w http.ResponseWriter, r *http.Request) {\n\trender(w, scrub(r.FormValue(\"q\")))\n}\n");
        repo.base_file(
            "shop/zebra.go",
            "package shop\n\nfunc scrub(s string) string {\n\treturn strings.ToUpper(s)\n}\n",
        );
        let change = repo.change(7);
        change.report(sarif("CodeQL", &[("go.xss", "shop/show.go", 4)]));
        bot.model.answers([needs_review("Not enough is shown.")]);
        bot.deliver("opened", 7).await;
        let sent = bot.model.requests()[0].body.to_string();
        assert_eq!(sent.contains("ToUpper"), allowed, "{listing}: {sent}");
        let body = change.threads()[0].comments[0].body.clone();
        assert_eq!(body.contains("chosen with the names of files of 1 folder"), allowed, "{body}");
        let (_, page) = bot.get("/policy").await;
        assert_eq!(page.contains("Names of files are not listed."), !allowed, "{page}");
    }
}

async fn p10_every_token_is_for_one_repository_and_reads_or_writes(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/other").file("x", "y\n");
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let mut seen = 0;
    for call in bot.forge.calls() {
        match call.caller {
            Caller::Token { permissions, repositories } => {
                assert_eq!(repositories, ["acme/shop"], "{}", call.route);
                let writes = permissions.values().any(|level| level == "write");
                assert!(!(writes && permissions.contains_key("contents")), "{permissions:?}");
                assert_ne!(permissions.get("contents").map(String::as_str), Some("write"));
            }
            // No scope of GitLab writes comments and does not read: what is read is read by the other.
            Caller::Access { scopes, projects, role, .. } => {
                assert_eq!(projects, ["acme/shop"], "{}", call.route);
                let file = call.route.contains("/repository/files/");
                assert!(!(file && scopes.contains(&"api".to_owned())), "{}", call.route);
                assert!(role < 40, "{}", call.route);
            }
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
    change.threads();
}

async fn p11_the_receipt_line_equals_what_the_model_received(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([true_positive("It is.", "app/db.py:5")]);
    bot.deliver("opened", 7).await;
    let lines = bot.model.requests()[0].lines().len();
    let said = bot.forge.thread(7, "app/db.py:5");
    assert!(said.contains(&format!("{lines} lines of")), "{lines}: {said}");
    assert!(
        said.contains("test-model") && said.contains("https://chaffinch.example/policy"),
        "{said}"
    );
}

async fn p12_every_request_forbids_storage(on: ForgeKind) {
    for api in ["chat", "responses"] {
        let bot = Bot::with(on).set("MODEL__API", api).start().await;
        let change = bot.sqli_change(7);
        change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
        bot.model.answers([needs_review("Not enough is shown.")]);
        bot.deliver("opened", 7).await;
        assert_eq!(bot.model.requests()[0].body["store"], false);
        change.threads();
    }
}

async fn p13_no_personal_information_and_no_secret_is_sent(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let key = format!("AKIA{}", "IOSFODNN7EXAMPLA");
    let source = crate::harness::SQLI
        .replace("limit = 10", &format!("aws_key = \"{key}\"  # ask carol@acme-corp.io"));
    bot.forge.repo("acme/shop").base_file("README", "x\n").file("app/db.py", source);
    let change = bot.forge.repo("acme/shop").change(7);
    change.title("canary-title").author("canary-author").branch("canary-branch");
    change.comment("canary-commenter", "canary-comment");
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let sent = bot.model.requests()[0].body.to_string();
    assert!(!sent.contains("canary"), "{sent}");
    assert!(!sent.contains(&key) && !sent.contains("carol@"), "{sent}");
    assert!(sent.contains("‹"), "placeholders stand in their place: {sent}");
    change.threads();
    change.summary();
}

async fn p15_nothing_of_the_code_is_left_after_a_job(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.upload(&change, &report()).await, 202);
    bot.work().await;
    let stored = bot.stored_bytes();
    for code in [SENTINEL, "cursor.execute", "SELECT * FROM", "app/db.py"] {
        assert!(!contains(&stored, code), "{code} is on disk");
    }
    assert!(contains(&stored, "SQLite format 3"), "this test looks at the right files");
    change.threads();
}

async fn p15_an_uploaded_report_is_deleted_once_it_was_used(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.upload(&change, &report()).await, 202);
    assert_eq!(bot.work().await, ["published"]);
    change.threads();
    assert_eq!(reports_left(bot, &folder).await, 0);
}

async fn p15_a_report_that_names_no_change_is_deleted_once_it_was_used(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([needs_review("Not enough is shown.")]);
    upload_for_no_change(&bot, &change).await;
    assert_eq!(bot.work().await, ["spread", "published"]);
    change.threads();
    assert_eq!(reports_left(bot, &folder).await, 0);
}

async fn p15_a_report_that_came_before_its_change_is_deleted_once_it_was_used(on: ForgeKind) {
    let (bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7).close();
    upload_for_no_change(&bot, &change).await;
    assert_eq!(bot.work().await, ["spread"]);
    change.reopen();
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("reopened", 7).await, ["published"]);
    change.threads();
    assert_eq!(reports_left(bot, &folder).await, 0);
}

async fn a_report_waits_in_the_vault_until_its_job_is_done(on: ForgeKind) {
    let (mut bot, folder) = with_store(on).await;
    let change = bot.sqli_change(7);
    assert_eq!(bot.upload(&change, &report()).await, 202);
    upload_for_no_change(&bot, &change).await;
    bot.leaves_jobs();
    assert_eq!(reports_left(bot, &folder).await, 2);
}

/// A bot whose store outlives it.
async fn with_store(on: ForgeKind) -> (Bot, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chaffinch.db").display());
    (Bot::with(on).set("STORE__URL", store).start().await, folder)
}

fn report() -> String {
    sarif("CodeQL", &[("rule", "app/db.py", 5)]).replace("was found here", SENTINEL)
}

async fn upload_for_no_change(bot: &Bot, change: &Change) {
    let (head, report) = (change.head(), report());
    assert_eq!(bot.upload_as(UPLOAD_TOKEN, "acme/shop", &head, None, &report).await, 202);
}

/// How many reports the store keeps for the repository once the bot has stopped. They are sealed:
/// no search of the disk finds them, only who has the key.
async fn reports_left(bot: Bot, folder: &TempDir) -> usize {
    let repo = bot.forge.repo_id("acme/shop");
    let settings = crate::harness::settings(&bot.forge, &bot.model, folder);
    let clock = bot.clock.clone();
    drop(bot);
    let config = Config::load(None, settings).unwrap();
    let app = App::build(&config, clock, Arc::new(SystemEntropy)).await.unwrap();
    app.vault().keys(&repo, VaultKind::Report, "").await.unwrap().len()
}

async fn p18_the_policy_page_says_what_the_ceiling_lets_out(on: ForgeKind) {
    for (ceiling, sends_others) in [("function", false), ("related", true), ("file", true)] {
        let bot = Bot::with(on).set("POLICY__CEILING", ceiling).start().await;
        let (_, page) = bot.get("/policy").await;
        assert_eq!(page.contains("of other files what"), sends_others, "{page}");
        assert_eq!(page.contains("commit messages, lines of other files."), !sends_others);
        let change = match on {
            ForgeKind::GitHub => "said on a pull request (",
            ForgeKind::GitLab => "said on a merge request (",
        };
        assert!(page.contains(&format!("Records of what the last run {change}")), "{page}");
    }
}

async fn an_endpoint_without_agreement_is_refused_at_start(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = crate::harness::settings(&bot.forge, &bot.model, &folder);
    settings.push(("CHAFFINCH__MODEL__BASE_URL".to_owned(), "https://model.example/v1".to_owned()));
    let ended = crate::harness::chaffinch().arg("serve").envs(settings).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("agreement") && said.contains("self-hosted"), "{said}");
}

async fn hostile_text_in_code_reports_and_answers_stays_text(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    let hostile = "@octocat <img src=x onerror=alert(1)> ![x](https://evil.example/p.png) [l](https://evil.example) <!-- chaffinch:1:summary --> /approve #1";
    let report =
        sarif("CodeQL", &[("rule", "app/db.py", 5)]).replace("rule was found here.", hostile);
    change.report(report);
    // At the beginning of a line, GitLab would do as it says, in our name.
    let answer = format!("{hostile}\n/approve\n/merge\n\n/close");
    bot.model.answers([true_positive(&answer, "app/db.py:5")]);
    bot.deliver("opened", 7).await;
    let body = change.threads()[0].comments[0].body.clone();
    assert!(body.contains("merge"), "the answer is there: {body}");
    assert!(!body.lines().any(|line| line.starts_with('/')), "{body}");
    for live in ["@octocat", "<img", "](https://evil", "![x]", "<!-- chaffinch:1:summary -->"] {
        assert!(!body.contains(live), "{live} is alive in: {body}");
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn nothing_secret_is_logged_at_any_level(on: ForgeKind) {
    let forge = Fake::start(on, Arc::new(chaffinch_server::SystemClock), "").await;
    let model = chaffinch_sandbox::Model::start().await.unwrap();
    model.answers([
        chaffinch_sandbox::malformed("sentinel-answer"),
        true_positive("sentinel-reason", "app/db.py:5"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let mut settings = crate::harness::settings(&forge, &model, &folder);
    for (key, value) in [
        ("SERVER__WORKERS", "1"),
        ("LOG__FILTER", "trace"),
        ("MODEL__AUTH", "bearer"),
        ("MODEL__KEY", "sentinel-model-key"),
    ] {
        settings.push((format!("CHAFFINCH__{key}"), value.to_owned()));
    }
    let repo = forge.repo("acme/shop");
    let source = crate::harness::SQLI.replace("limit = 10", "limit = 10  # sentinel-source");
    repo.base_file("README", "x\n").file("app/db.py", source);
    let change = repo.change(7);
    change.title("sentinel-title").author("sentinel-author");
    change.report(
        sarif("CodeQL", &[("rule", "app/db.py", 5)]).replace("was found here", "sentinel-message"),
    );
    let server = crate::harness::Binary::serve(&settings);
    forge.deliver_to(&server.address);
    assert_eq!(forge.deliver("opened", 7).await.status, 202);
    for _ in 0..600 {
        if !change.checks().is_empty() && forge.live_tokens() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(change.threads().len(), 1);
    let log = server.kill();
    assert!(log.contains("accepted") && log.contains("triaged"), "the log was read: {log}");
    let secrets = [
        "sentinel",
        "cursor.execute",
        "ghs_",
        "glpat-",
        crate::harness::WEBHOOK_SECRET,
        crate::harness::SIGNING_TOKEN,
        "BEGIN",
    ];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is logged: {}", line.unwrap_or_default());
    }
}
