//! `chaffinch demo`: the real server against a sandbox forge, on this machine alone.

mod program;
mod show;

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use chaffinch_core::{Clock, Entropy};
use chaffinch_sandbox as sandbox;
use chaffinch_server::{App, Config, Running, SystemClock, SystemEntropy, config::Upload};

use crate::{
    args::Demo,
    progress::{self, BOLD, DIM},
};

/// Settings of the environment that count where a real model is asked.
const OF_THE_MODEL: &[&str] = &["CHAFFINCH__MODEL__", "CHAFFINCH__TRIAGE__"];
const REPOSITORY: &str = "orchard/shop";
const NUMBER: u64 = 7;
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

    let github = start_forge(&options, !real).await?;
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
    config.upload.push(Upload::new(REPOSITORY.parse()?, UPLOAD_TOKEN.into()));
    chaffinch_server::install_logs(&config.log, false);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = Arc::new(App::build(&config, clock, Arc::new(SystemEntropy)).await?);
    let running = chaffinch_server::start(Arc::clone(&app), config.server.listen).await?;
    github.set_webhook_url(format!("http://{}/webhooks/github", running.address));

    let change = program::open_change(&github);
    say_what_runs(&running, &config, real);
    let delivered = change.deliver("pull_request.opened").await;
    if delivered.status != 202 {
        bail!("the delivery was answered {}: {}", delivered.status, delivered.body.trim());
    }
    upload(&running, &change.head()).await?;
    wait(&app).await?;

    progress::print(&show::change(&change, if real { None } else { Some(SCRIPTED) }))?;
    if !options.once {
        progress::print(&format!("\n{BOLD}The pull request: {}{BOLD:#}\n", change.page()))?;
        progress::print(&format!("The policy page:  http://{}/policy\n", running.address))?;
        progress::say(&format!("{DIM}Press Ctrl-C to stop.{DIM:#}"));
        tokio::signal::ctrl_c().await?;
    }
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Only this process ever sees it.
const WEBHOOK_SECRET: &str = "the demo's webhook secret";

/// Comments link to the server's policy page, so its address must be known before it listens.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr())?)
}

async fn start_forge(options: &Demo, scripted: bool) -> anyhow::Result<sandbox::GitHub> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let port = if options.once { 0 } else { options.listen.port() };
    let forge = sandbox::Options {
        webhook_secret: WEBHOOK_SECRET.to_owned(),
        banner: scripted.then(|| SCRIPTED.to_owned()),
        port,
        ..sandbox::Options::new(clock)
    };
    sandbox::GitHub::start(forge).await.with_context(|| {
        format!("cannot show the page on port {port}; choose another with --listen 127.0.0.1:PORT")
    })
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
        "{DIM}Server on {}, a sandbox GitHub, {model}. Triaging pull request #{NUMBER} …{DIM:#}",
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
