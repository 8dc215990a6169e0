//! What `chaffinch prove` shows is what leaves, and what it plants does not.

use std::{path::Path, process::Output};

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Bot, Fake, HandClock, SQLI, chaffinch, on_both_forges, sarif, semgrep, settings,
};

on_both_forges! {
    what_is_proved_is_what_leaves_byte_for_byte,
    p13_no_planted_word_arrives_with_the_configuration_of_the_installation,
    each_of_five_leaks_is_found,
}

async fn run(settings: Vec<(String, String)>, args: &[&str]) -> Output {
    let mut command = chaffinch();
    command.args(args).envs(settings);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(output: &Output) -> String {
    out(output) + &String::from_utf8(output.stderr.clone()).unwrap()
}

/// The marker that fences a prompt is another one each time.
fn unmarked(body: &str) -> String {
    let marker = regex::Regex::new(r"[0-9A-F]{8}\|").unwrap();
    marker.replace_all(body, "M|").into_owned()
}

async fn what_is_proved_is_what_leaves_byte_for_byte(on: ForgeKind) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("chaffinch.db").display());
    let bot = Bot::with(on).set("STORE__URL", store).clock(HandClock::of_now()).start().await;
    let change = bot.sqli_change(7);
    change.push(&[("app/b.py", "def b(request):\n    run(request, \"carol@acme-corp.io\")\n")]);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5), ("rule", "app/b.py", 2)]));
    bot.consent().await;

    let proved = run(
        settings(&bot.forge, &bot.model, &folder),
        &["prove", "acme/shop", "7", "--format", "json"],
    )
    .await;
    assert_eq!(proved.status.code(), Some(0), "{}", said(&proved));
    assert!(bot.model.requests().is_empty(), "nothing was sent");
    let repo = bot.forge.repo_id("acme/shop");
    assert!(bot.app().receipts().list(&repo, None).await.unwrap().is_empty(), "nothing was kept");
    let pages: Vec<Value> =
        out(&proved).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut shown: Vec<String> =
        pages.iter().map(|page| unmarked(page["body"].as_str().unwrap())).collect();

    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    bot.deliver("opened", 7).await;
    let mut received: Vec<String> = bot
        .model
        .requests()
        .iter()
        .map(|request| unmarked(std::str::from_utf8(&request.raw).unwrap()))
        .collect();
    shown.sort();
    received.sort();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown, received);
    assert_eq!(pages[0]["url"], format!("{}/responses", bot.model.url()));
    let replaced = |page: &Value| page["redactions"]["email"] == 1;
    assert!(pages.iter().any(replaced), "{pages:?}");
    change.threads();
    change.summary();
}

/// What an operator's `chaffinch.toml` would say: no forge, no model is there.
async fn configuration(on: ForgeKind) -> (Vec<(String, String)>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(chaffinch_server::SystemClock);
    let forge = Fake::start(on, clock, "").await;
    let model = chaffinch_sandbox::Model::start().await.unwrap();
    (settings(&forge, &model, &folder), folder)
}

async fn p13_no_planted_word_arrives_with_the_configuration_of_the_installation(on: ForgeKind) {
    for (key, value) in [
        ("MODEL__API", "chat"),
        ("MODEL__API", "responses"),
        ("POLICY__CEILING", "finding"),
        // Looser than the default: tried as it will be once its notice is over.
        ("POLICY__LISTING", "names"),
        ("POLICY__SECRETS", "block"),
        ("POLICY__CEILING", "file"),
    ] {
        let (mut settings, folder) = configuration(on).await;
        settings.push((format!("CHAFFINCH__{key}"), value.to_owned()));
        let proved = run(settings, &["prove", "--canary"]).await;
        assert_eq!(proved.status.code(), Some(0), "{key}={value}: {}", said(&proved));
        let told = said(&proved);
        assert!(told.contains("the finding's own line did"), "{told}");
        // What the model asks for is another question about each of the two.
        let more = matches!(value, "chat" | "responses" | "names");
        assert_eq!(told.contains("4 requests were received."), more, "{key}={value}: {told}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "the installation's own store is not touched: {left:?}");
    }
}

async fn each_of_five_leaks_is_found(on: ForgeKind) {
    for (leak, place) in [
        ("title", "title"),
        ("author", "author"),
        ("neighbours", "neighbouring lines"),
        ("other-file", "another changed file"),
        ("secrets", "a secret in the line"),
    ] {
        let (settings, _folder) = configuration(on).await;
        let proved =
            run(settings, &["prove", "--canary", "--leak", leak, "--format", "json"]).await;
        assert_eq!(proved.status.code(), Some(1), "{leak}: {}", said(&proved));
        let lines: Vec<Value> =
            out(&proved).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let reached = |line: &&Value| line["reached"].is_string();
        let places: Vec<_> =
            lines.iter().filter(reached).map(|line| line["place"].as_str().unwrap()).collect();
        assert!(places.contains(&place), "{leak}: {places:?}");
        let few = if leak == "secrets" { 2 } else { 1 };
        assert_eq!(places.len(), few, "{leak} alone: {places:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configuration_that_of_the_demo_is_proved_on_both_forges() {
    let proved = run(Vec::new(), &["prove", "--canary"]).await;
    assert_eq!(proved.status.code(), Some(0), "{}", said(&proved));
    let told = said(&proved);
    assert!(told.contains("that of the demo is tried"), "{told}");
    assert!(told.contains("8 requests were received."), "four on each forge: {told}");
    let leaky = run(Vec::new(), &["prove", "--canary", "--leak", "author"]).await;
    assert_eq!(leaky.status.code(), Some(1), "{}", said(&leaky));
}

#[test]
fn no_build_that_is_used_can_be_made_to_leak() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    let mut leaky = 0;
    for package in metadata.unwrap().packages {
        leaky += usize::from(package.features.contains_key("leaks"));
        let default = package.features.get("default");
        assert!(default.is_none_or(Vec::is_empty), "{}: a default feature", package.name);
        for dependency in &package.dependencies {
            assert!(!dependency.features.contains(&"leaks".to_owned()), "{}", package.name);
        }
    }
    assert!(leaky > 5, "{leaky}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_can_be_proved_without_a_forge() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("app");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("db.py"), SQLI).unwrap();
    let report = folder.path().join("report.json");
    std::fs::write(&report, semgrep(&[("python.sqli", "app/db.py", 5)])).unwrap();
    let settings: Vec<(String, String)> = [
        ("MODEL__NAME", "test-model"),
        ("MODEL__AUTH", "none"),
        ("MODEL__BASE_URL", "http://127.0.0.1:9/v1"),
    ]
    .map(|(key, value)| (format!("CHAFFINCH__{key}"), value.to_owned()))
    .into();
    let bodies = folder.path().join("bodies");
    let (root, report) = (folder.path().to_str().unwrap(), report.to_str().unwrap());
    let args = ["prove", "--root", root, "--report", report, "--out", bodies.to_str().unwrap()];
    let proved = run(settings, &args).await;
    assert_eq!(proved.status.code(), Some(0), "{}", said(&proved));
    let told = said(&proved);
    for part in ["POST http://127.0.0.1:9/v1/responses", "app/db.py:5", "Nothing was sent"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let body = std::fs::read_to_string(bodies.join("001.json")).unwrap();
    assert!(told.contains(&body), "the file is what is shown");
}
