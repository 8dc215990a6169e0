//! `chaffinch demo`: the real server against two sandbox forges, on this machine alone.

pub(crate) mod program;
mod show;

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use chaffinch_core::{Clock, Enabling, Entropy, ForgeKind};
use chaffinch_sandbox as sandbox;
use chaffinch_server::{App, Config, Running, SystemClock, SystemEntropy, config::Upload};

use self::program::{NUMBER, REPORT_JOB, REPOSITORY};
use self::show::Seen;
use crate::{
    args::Demo,
    progress::{self, BOLD, DIM},
};

/// Settings of the environment that count where a real model is asked.
const OF_THE_MODEL: &[&str] = &["CHAFFINCH__MODEL__", "CHAFFINCH__TRIAGE__"];
const UPLOAD_TOKEN: &str = "the demo's upload token";
const SCRIPTED: &str =
    "Scripted answers: no model was asked. Set OPENAI_API_KEY to ask a real one.";
/// The model that OpenAI is asked for, where nobody names one.
const OPENAI_MODEL: &str = "gpt-6-luna";
/// A local model on a small machine takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) async fn run(
    options: Demo,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    if !options.listen.ip().is_loopback() {
        bail!("--listen takes an address on the loopback: the sandbox is for this machine alone");
    }
    chaffinch_server::install_crypto();
    let given = |name: &str| environment.iter().find(|(k, v)| k == name && !v.is_empty());
    let openai = given("OPENAI_API_KEY").map(|(_, v)| v.clone());
    let real = openai.is_some() || given("CHAFFINCH__MODEL__BASE_URL").is_some();
    let scripted = if real { None } else { Some(sandbox::Model::start().await?) };
    if let Some(model) = &scripted {
        program::script(model);
    }

    let (github, gitlab) = start_forges(&options, !real).await?;
    let merge_request = program::open_merge_request(&gitlab);
    let project = gitlab.project(REPOSITORY);
    let reader = project.token("chaffinch-read", &["read_api"], 20);
    let writer = project.token("chaffinch-write", &["api"], 30);
    let (job, file) = REPORT_JOB;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let address = free_address()?;
    let mut settings = vec![
        ("SERVER__LISTEN", address.to_string()),
        ("SERVER__PUBLIC_URL", format!("http://{address}")),
        ("POLICY__REPOSITORIES", format!("[\"{REPOSITORY}\"]")),
        ("STORE__URL", format!("sqlite:{}", folder.path().join("demo.db").display())),
        ("STORE__KEY", SystemEntropy.hex(32)),
        ("GITHUB__APP_ID", github.app_id().to_string()),
        ("GITHUB__API_URL", github.url()),
        ("GITHUB__PRIVATE_KEY", github.private_key().to_owned()),
        ("GITHUB__WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
        ("GITLAB__URL", gitlab.url()),
        (
            "GITLAB__PROJECT",
            format!(
                "[{{ path = \"{REPOSITORY}\", read_token = \"{}\", write_token = \"{}\", \
                 webhook_secret = \"{SIGNING_TOKEN}\" }}]",
                reader.value(),
                writer.value()
            ),
        ),
        ("GITLAB__REPORT", format!("[{{ job = \"{job}\", file = \"{file}\" }}]")),
        ("LOG__FILTER", "error".to_owned()),
    ];
    match &scripted {
        Some(model) => settings.extend([
            ("MODEL__BASE_URL", model.url()),
            ("MODEL__NAME", "scripted".to_owned()),
            ("MODEL__AUTH", "none".to_owned()),
            ("TRIAGE__NOTICE", SCRIPTED.to_owned()),
        ]),
        None => settings.extend(real_model(&options, openai, &environment)),
    }
    let settings = settings.into_iter().map(|(k, v)| (format!("CHAFFINCH__{k}"), v));
    let asked = environment
        .into_iter()
        .filter(|(k, _)| real && OF_THE_MODEL.iter().any(|p| k.starts_with(p)));
    let mut config = Config::load(None, settings.chain(asked))?;
    let mut uploader = Upload::new(REPOSITORY.parse()?, UPLOAD_TOKEN.into());
    uploader.forge = Some(ForgeKind::GitHub);
    config.upload.push(uploader);
    chaffinch_server::install_logs(&config.log, false);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = Arc::new(App::build(&config, clock, Arc::new(SystemEntropy)).await?);
    let running = chaffinch_server::start(Arc::clone(&app), config.server.listen).await?;
    github.set_webhook_url(format!("http://{}/webhooks/github", running.address));
    let hook = project.hook(&format!("http://{}/webhooks/gitlab", running.address));
    hook.signing_token(SIGNING_TOKEN);

    let change = program::open_change(&github);
    say_what_runs(&running, &config, real);
    for repo in github.repositories().into_iter().chain(gitlab.repositories()) {
        app.enable(&repo, "whoever runs the demo", Enabling::Command).await?;
    }
    let opened = change.deliver("pull_request.opened").await;
    // The pipeline has run, and left its report.
    let ended = merge_request.deliver("pipeline.success").await;
    for delivered in [opened, ended] {
        if delivered.status != 202 {
            bail!("a delivery was answered {}: {}", delivered.status, delivered.body.trim());
        }
    }
    upload(&running, &change.head()).await?;
    wait(&app).await?;

    if !real {
        progress::print(&show::notice(SCRIPTED))?;
    }
    let notice = if real { None } else { Some(SCRIPTED) };
    let seen = [Seen::pull_request(&change), Seen::merge_request(&merge_request)];
    progress::print(&show::both(&seen, notice))?;
    if !options.once {
        progress::print(&format!("\n{BOLD}The pull request:  {}{BOLD:#}\n", change.page()))?;
        let page = merge_request.page();
        progress::print(&format!("{BOLD}The merge request: {page}{BOLD:#}\n"))?;
        progress::print(&format!("The policy page:   http://{}/policy\n", running.address))?;
        progress::say(&format!("{DIM}Press Ctrl-C to stop.{DIM:#}"));
        tokio::signal::ctrl_c().await?;
    }
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Only this process ever sees it.
const WEBHOOK_SECRET: &str = "the demo's webhook secret";
/// GitLab's form of one.
const SIGNING_TOKEN: &str = "whsec_dGhlIGRlbW8ncyBvd24gc2lnbmluZyB0b2tlbiAzMmI=";

/// Comments link to the server's policy page, so its address must be known before it listens.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr())?)
}

/// GitHub on the port that was asked for, GitLab on the next.
async fn start_forges(
    options: &Demo,
    scripted: bool,
) -> anyhow::Result<(sandbox::GitHub, sandbox::GitLab)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let port = if options.once { 0 } else { options.listen.port() };
    let next = if port == 0 { 0 } else { port + 1 };
    let banner = scripted.then(|| SCRIPTED.to_owned());
    let taken = |port: u16| {
        format!("cannot show the page on port {port}; choose another with --listen 127.0.0.1:PORT")
    };
    let github = sandbox::Options {
        webhook_secret: WEBHOOK_SECRET.to_owned(),
        banner: banner.clone(),
        port,
        ..sandbox::Options::new(Arc::clone(&clock))
    };
    let github = sandbox::GitHub::start(github).await.with_context(|| taken(port))?;
    let gitlab =
        sandbox::GitLabOptions { banner, port: next, ..sandbox::GitLabOptions::new(clock) };
    let gitlab = sandbox::GitLab::start(gitlab).await.with_context(|| taken(next))?;
    Ok((github, gitlab))
}

/// Nothing is known of the endpoint; but the demo's own program is all that leaves.
fn real_model(
    options: &Demo,
    openai: Option<String>,
    environment: &[(String, String)],
) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        (
            "MODEL__ATTESTATION__AGREEMENT",
            "none; this is a demo, and only its own small program is sent".to_owned(),
        ),
        ("MODEL__ATTESTATION__NO_TRAINING", "true".to_owned()),
    ];
    let elsewhere = environment.iter().any(|(k, _)| k == "CHAFFINCH__MODEL__BASE_URL");
    let key_given = environment.iter().any(|(k, _)| k.starts_with("CHAFFINCH__MODEL__KEY"));
    settings.push(("MODEL__API", if elsewhere { "chat" } else { "responses" }.to_owned()));
    match openai {
        Some(key) if !key_given => settings.push(("MODEL__KEY", key)),
        None if !key_given => settings.push(("MODEL__AUTH", "none".to_owned())),
        _ => {}
    }
    let name = options.model.clone().unwrap_or_else(|| OPENAI_MODEL.to_owned());
    settings.push(("MODEL__NAME", name));
    settings
}

fn say_what_runs(running: &Running, config: &Config, real: bool) {
    let model = if real {
        format!("{} at {}", config.model.name, config.model.base_url)
    } else {
        "scripted answers".into()
    };
    progress::say(&format!(
        "{DIM}Server on {}, a sandbox GitHub and a sandbox GitLab, {model}. Triaging pull request #{NUMBER} and merge request !{NUMBER} …{DIM:#}",
        running.address
    ));
}

/// What the repository's CI would do.
async fn upload(running: &Running, head: &str) -> anyhow::Result<()> {
    let url = format!("http://{}/api/v1/reports", running.address);
    let number = NUMBER.to_string();
    let answer = chaffinch_server::http_client(None)?
        .post(url)
        .query(&[("repository", REPOSITORY), ("commit", head), ("change", &number)])
        .bearer_auth(UPLOAD_TOKEN)
        .body(program::REPORT)
        .send()
        .await?;
    let status = answer.status();
    if !status.is_success() {
        bail!(
            "the report was answered {status}: {}",
            answer.text().await.unwrap_or_default().trim()
        );
    }
    Ok(())
}

async fn wait(app: &App) -> anyhow::Result<()> {
    let done = async {
        loop {
            let depth = app.queue().depth().await?;
            if depth.ready + depth.leased + depth.delayed == 0 {
                anyhow::ensure!(depth.dead == 0, "the triage was given up on");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.context("the model did not answer in ten minutes")?
}
