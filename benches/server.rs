//! The whole program, as an operator runs it: webhook acknowledgements, and memory.
//!
//! Wants `target/release/chaffinch` (`make bench` builds it) and a `redis-server` on the PATH.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use aws_lc_rs::hmac;
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
    let key = chaffinch_sandbox::private_key();
    println!("{:<10}{:>12}{:>10}{:>10}{:>12}{:>14}{:>14}", "store", "acks/s", "p50 ms", "p99 ms", "idle MiB", "10,000 MiB", "20,000 MiB");
    for store in ["sqlite", "redis"] {
        let redis = (store == "redis").then(|| Redis::start(folder.path())).transpose()?;
        let url = match &redis {
            Some(redis) => redis.url.clone(),
            None => format!("sqlite:{}", folder.path().join("bench.db").display()),
        };
        let server = Server::start(&binary, &url, &key)?;
        let idle = server.memory()?;
        let (mut times, first) = load(&server.address, 0, DELIVERIES / 2).await?;
        let half = server.memory()?;
        let (more, second) = load(&server.address, DELIVERIES / 2, DELIVERIES / 2).await?;
        let full = server.memory()?;
        times.extend(more);
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let rate = DELIVERIES as f64 / (first + second).as_secs_f64();
        println!("{store:<10}{rate:>12.0}{:>10.2}{:>10.2}{idle:>12.1}{half:>14.1}{full:>14.1}", at(0.5), at(0.99));
    }
    Ok(())
}

/// Delivers `count` pull requests, each its own job, over kept-alive connections.
async fn load(address: &str, from: u64, count: u64) -> anyhow::Result<(Vec<Duration>, Duration)> {
    let client = chaffinch_server::http_client()?;
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
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
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
        bail!("{} is missing: build it with `cargo build --workspace --release --bins`", binary.display());
    }
    Ok(binary)
}
