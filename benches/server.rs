//! The whole program, as an operator runs it: webhook acknowledgements, memory, and a cached triage.
//!
//! Wants `target/release/chaffinch` (`make bench` builds it) and a `redis-server` on the PATH.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use aws_lc_rs::hmac;
use chaffinch_core::{Clock, Consent, Enabling, ForgeKind, RepoId};
use chaffinch_sandbox::{GitHub, Model, Options, needs_review};
use chaffinch_server::{App, Config, SystemClock, SystemEntropy, Worker};
use tokio::sync::Semaphore;

const SECRET: &str = "a webhook secret for the benchmark";
const STORE_KEY: &str = "7a1f4c9be2d05833a6c47e19f0b2d85c61e8937f2a4bd06c95e31f78a0cd42b6";
const DELIVERIES: u64 = 20_000;
const CONNECTIONS: usize = 32;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chaffinch_server::install_crypto();
    let binary = binary()?;
    let folder = tempfile::tempdir()?;
    let forge = GitHub::start(Options::new(Arc::new(SystemClock))).await?;
    let key = forge.private_key();
    println!(
        "{:<10}{:>12}{:>10}{:>10}{:>12}{:>14}{:>14}",
        "store", "acks/s", "p50 ms", "p99 ms", "idle MiB", "10,000 MiB", "20,000 MiB"
    );
    for store in ["sqlite", "redis"] {
        let redis = (store == "redis").then(|| Redis::start(folder.path())).transpose()?;
        let url = match &redis {
            Some(redis) => redis.url.clone(),
            None => format!("sqlite:{}", folder.path().join("bench.db").display()),
        };
        let server = Server::start(&binary, &url, key)?;
        enable(&url).await?;
        let idle = server.memory()?;
        let (mut times, first) = load(&server.address, 0, DELIVERIES / 2).await?;
        let half = server.memory()?;
        let (more, second) = load(&server.address, DELIVERIES / 2, DELIVERIES / 2).await?;
        let full = server.memory()?;
        times.extend(more);
        times.sort_unstable();
        let at =
            |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let rate = DELIVERIES as f64 / (first + second).as_secs_f64();
        println!(
            "{store:<10}{rate:>12.0}{:>10.2}{:>10.2}{idle:>12.1}{half:>14.1}{full:>14.1}",
            at(0.5),
            at(0.99)
        );
    }
    cached(folder.path()).await
}

/// Enables the repository that the deliveries are about.
async fn enable(store: &str) -> anyhow::Result<()> {
    let settings = [("STORE__URL", store), ("STORE__KEY", STORE_KEY)];
    let settings = settings.map(|(k, v)| (format!("CHAFFINCH__{k}"), v.to_owned()));
    let kept = chaffinch_server::kept(&Config::load(None, settings)?).await?;
    let consent = Consent {
        repo: RepoId {
            forge: ForgeKind::GitHub,
            installation: 7,
            id: 42,
            name: "acme/shop".parse()?,
        },
        by: "the benchmark".to_owned(),
        at: SystemClock.now(),
        how: Enabling::Command,
        policy_digest: String::new(),
    };
    chaffinch_server::consent::record(&*kept.ledger, consent).await
}

/// Delivers `count` pull requests, each its own job, over kept-alive connections.
async fn load(address: &str, from: u64, count: u64) -> anyhow::Result<(Vec<Duration>, Duration)> {
    let client = chaffinch_server::http_client(None)?;
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let url = format!("http://{address}/webhooks/github");
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in from..from + count {
        let (client, key, url) = (client.clone(), Arc::clone(&key), url.clone());
        let permit = Arc::clone(&room).acquire_owned().await?;
        tasks.spawn(async move {
            let body = body(number + 1);
            let signature = hex::encode(hmac::sign(&key, body.as_bytes()));
            let sent = Instant::now();
            let answer = client
                .post(url)
                .header("x-github-event", "pull_request")
                .header("x-github-delivery", format!("00000000-0000-4000-8000-{number:012}"))
                .header("x-hub-signature-256", format!("sha256={signature}"))
                .header("content-type", "application/json")
                .body(body)
                .send()
                .await?;
            let time = sent.elapsed();
            drop(permit);
            if answer.status() != 202 {
                bail!("answered {}", answer.status());
            }
            Ok(time)
        });
    }
    let mut times = Vec::new();
    while let Some(time) = tasks.join_next().await {
        times.push(time??);
    }
    Ok((times, started.elapsed()))
}

/// About as large as GitHub's own deliveries: 20 kB, most of which nobody reads.
fn body(number: u64) -> String {
    let padding = "x".repeat(18_000);
    format!(
        r#"{{"action":"opened","number":{number},"pull_request":{{"number":{number},"state":"open","draft":false,"title":"t","body":"{padding}","head":{{"sha":"{:040x}","ref":"b","repo":{{"id":42,"full_name":"acme/shop"}}}},"base":{{"sha":"{:040x}","ref":"main","repo":{{"id":42,"full_name":"acme/shop"}}}}}},"repository":{{"id":42,"full_name":"acme/shop","name":"shop","owner":{{"login":"acme"}}}},"installation":{{"id":7}},"sender":{{"login":"someone"}}}}"#,
        number, 0
    )
}

/// Twenty findings whose answers are in the cache: what a re-run costs beside the forge's own time.
async fn cached(folder: &Path) -> anyhow::Result<()> {
    let github = GitHub::start(Options::new(Arc::new(SystemClock))).await?;
    let model = Model::start().await?;
    model.answer_with(|_| needs_review("Not enough is shown."));
    let settings = [
        ("SERVER__WORKERS", "0".to_owned()),
        ("POLICY__REPOSITORIES", "[\"acme/shop\"]".to_owned()),
        ("MODEL__BASE_URL", model.url()),
        ("MODEL__NAME", "test-model".to_owned()),
        ("MODEL__AUTH", "none".to_owned()),
        ("STORE__URL", format!("sqlite:{}", folder.join("cached.db").display())),
        ("STORE__KEY", STORE_KEY.to_owned()),
        ("GITHUB__APP_ID", github.app_id().to_string()),
        ("GITHUB__API_URL", github.url()),
        ("GITHUB__PRIVATE_KEY", github.private_key().to_owned()),
        ("GITHUB__WEBHOOK_SECRET", "it is a secret to everybody".to_owned()),
    ];
    let settings = settings.map(|(k, v)| (format!("CHAFFINCH__{k}"), v));
    let config = Config::load(None, settings)?;
    let app = App::build(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let app = Arc::new(app);
    let running = chaffinch_server::start(Arc::clone(&app), config.server.listen).await?;
    github.set_webhook_url(format!("http://{}/webhooks/github", running.address));
    let repo = github.repo("acme/shop");
    repo.base_file("README", "x\n");
    let mut results = Vec::new();
    for file in 0..4 {
        let functions = (0..5).map(|n| {
            format!("def f{n}(request):\n    value = request.args['{n}']\n    run_{n}(value)\n\n\n")
        });
        repo.file(&format!("app/f{file}.py"), functions.collect::<String>());
        results.extend((0..5).map(|n| {
            let region = serde_json::json!({ "startLine": n * 5 + 3 });
            let path = serde_json::json!({ "uri": format!("app/f{file}.py") });
            let at = serde_json::json!({ "physicalLocation": { "artifactLocation": path, "region": region } });
            serde_json::json!({ "ruleId": format!("rule.{n}"), "message": { "text": "x" }, "locations": [at] })
        }));
    }
    let sarif = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "CodeQL" } }, "results": results }] });
    repo.change(7).report(sarif.to_string());
    for repo in github.repositories() {
        app.enable(&repo, "the benchmark", Enabling::Command).await?;
    }
    github.deliver("pull_request.opened", 7).await;
    let worker = Worker::new(app);
    while worker.once().await?.is_some() {}
    let asked = model.requests().len();
    let mut times = Vec::new();
    for _ in 0..30 {
        github.deliver("check_run.rerequested", 7).await;
        let (forge, started) = (forge_seconds(), Instant::now());
        while worker.once().await?.is_some() {}
        let (all, forge) = (started.elapsed().as_secs_f64(), forge_seconds() - forge);
        times.push((all - forge, all));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (own, all) = times[times.len() / 2];
    anyhow::ensure!(
        asked == 20 && model.requests().len() == 20,
        "every answer comes from the cache"
    );
    println!(
        "cached triage of 20 findings: {:.1} ms beside the forge, {:.1} ms with it (median of 30)",
        own * 1e3,
        all * 1e3
    );
    running.stop().await;
    Ok(())
}

/// How long this process has waited for the forge so far.
fn forge_seconds() -> f64 {
    let counts = chaffinch_server::install_metrics().render();
    let sums = counts.lines().filter(|l| l.starts_with("chaffinch_github_request_seconds_sum"));
    sums.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(binary: &Path, store: &str, key: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .env("CHAFFINCH__SERVER__LISTEN", "127.0.0.1:0")
            .env("CHAFFINCH__SERVER__WORKERS", "0")
            .env("CHAFFINCH__POLICY__REPOSITORIES", r#"["acme/shop"]"#)
            .env("CHAFFINCH__MODEL__BASE_URL", "http://127.0.0.1:9/v1")
            .env("CHAFFINCH__MODEL__NAME", "none")
            .env("CHAFFINCH__MODEL__AUTH", "none")
            .env("CHAFFINCH__STORE__URL", store)
            .env("CHAFFINCH__STORE__KEY", STORE_KEY)
            .env("CHAFFINCH__GITHUB__APP_ID", "1")
            .env("CHAFFINCH__GITHUB__API_URL", "http://127.0.0.1:9")
            .env("CHAFFINCH__GITHUB__PRIVATE_KEY", key)
            .env("CHAFFINCH__GITHUB__WEBHOOK_SECRET", SECRET)
            .env("CHAFFINCH__LOG__FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let stderr = child.stderr.take().context("no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut seen = String::new();
        for line in lines.by_ref() {
            let line = line?;
            if let Some((_, rest)) = line.split_once(r#""address":""#) {
                let address = rest.split('"').next().unwrap_or_default().to_owned();
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { child, address });
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        bail!("the server did not start:\n{seen}")
    }

    /// Resident memory, in MiB.
    fn memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Redis {
    child: Child,
    url: String,
}

impl Redis {
    /// As in `deploy/compose.yaml`: every write is in the append-only file within a second.
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "yes",
            ])
            .args(["--dir", &folder.display().to_string(), "--maxmemory-policy", "noeviction"])
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start redis-server; Debian: apt-get install redis-server")?;
        let started = Self { child, url: format!("redis://127.0.0.1:{port}/0") };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(started);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("redis-server did not start")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> anyhow::Result<PathBuf> {
    let mine = std::env::current_exe()?;
    let folder = mine.parent().and_then(Path::parent).context("no target folder")?;
    let binary = folder.join("chaffinch");
    if !binary.exists() {
        bail!(
            "{} is missing: build it with `cargo build --workspace --release --bins`",
            binary.display()
        );
    }
    Ok(binary)
}
