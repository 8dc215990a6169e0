//! Puts the client through a chaos server, `llmock`, which grades it: each case scripts a fault,
//! asks, and checks what came of it. The server's own verdict is read by the script that runs this.
//!
//! ```text
//! cargo run -p chaffinch-openai --example grade -- http://127.0.0.1:PORT
//! ```
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for tests")]

#[path = "../tests/client/door.rs"]
mod door;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use chaffinch_egress::{Completion, Model, ModelError};
use chaffinch_openai::{Api, Client, Config, OutputLimit};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::door::{Counting, Ticking, cleared};

/// One fault, or several in a row, and what must come of them.
struct Case {
    name: &'static str,
    faults: Vec<Value>,
    stream: bool,
    timeout: Duration,
    /// How often the server must have been asked.
    attempts: usize,
    wanted: fn(&Result<Completion, ModelError>) -> bool,
}

impl Case {
    fn new(
        name: &'static str,
        faults: impl Into<Vec<Value>>,
        attempts: usize,
        wanted: fn(&Result<Completion, ModelError>) -> bool,
    ) -> Self {
        let timeout = Duration::from_secs(30);
        Self { name, faults: faults.into(), stream: false, timeout, attempts, wanted }
    }

    fn streamed(self) -> Self {
        Self { stream: true, ..self }
    }

    fn within(self, millis: u64) -> Self {
        Self { timeout: Duration::from_millis(millis), ..self }
    }
}

fn fail(status: u16, times: u32) -> Value {
    json!({"type": "fail", "status": status, "times": times})
}

fn stream_fault(kind: &str) -> Value {
    json!({"type": "stream_fault", "kind": kind, "after_chunks": 2, "stall_seconds": 20})
}

/// The server fills schemas with examples; that is whole, though no judgement.
fn has_shape(result: &Result<Completion, ModelError>) -> bool {
    let Ok(completion) = result else { return false };
    let answer: Value = serde_json::from_str(completion.text.expose()).unwrap_or_default();
    let is_text = |key: &str| answer.get(key).is_some_and(Value::is_string);
    is_text("verdict") && is_text("reason") && answer.as_object().is_some_and(|o| o.len() == 2)
}

fn is_text(result: &Result<Completion, ModelError>, wanted: &str) -> bool {
    result.as_ref().is_ok_and(|c| c.text.expose() == wanted)
}

fn is_unavailable(result: &Result<Completion, ModelError>) -> bool {
    matches!(result, Err(ModelError::Unavailable(_)))
}

fn is_other(result: &Result<Completion, ModelError>) -> bool {
    matches!(result, Err(ModelError::Other(_)))
}

fn cases() -> Vec<Case> {
    let paused = json!({"type": "fail", "status": 429, "retry_after": 1, "times": 2});
    let delay = |seconds: f64| json!({"type": "delay", "seconds": seconds});
    let overflow = json!({"type": "fail", "status": 400, "code": "context_length_exceeded"});
    let bad = json!({"type": "reply", "text": "not json"});
    let half = json!({"type": "reply", "text": "{\"verdict\": \"fal", "finish_reason": "length"});
    vec![
        Case::new("no fault", [], 1, has_shape),
        Case::new("429 with Retry-After, twice", [paused], 3, has_shape),
        Case::new("429, to the end", [fail(429, 3)], 3, |r| {
            *r.as_ref().unwrap_err()
                == ModelError::RateLimited { after: Some(Duration::from_secs(1)) }
        }),
        Case::new("500", [fail(500, 1)], 2, has_shape),
        Case::new("503, twice", [fail(503, 2)], 3, has_shape),
        Case::new("502, to the end", [fail(502, 3)], 3, is_unavailable),
        Case::new("delay", [delay(1.0)], 1, has_shape),
        Case::new("delay, too long", [delay(3.0)], 1, is_unavailable).within(1500),
        // What the text says is judged by those who asked for it.
        Case::new("bad JSON", [bad], 1, |r| is_text(r, "not json")),
        Case::new("half JSON", [half], 1, |r| *r.as_ref().unwrap_err() == ModelError::Cut),
        Case::new("stream without fault", [], 1, has_shape).streamed(),
        Case::new("stream truncated", [stream_fault("truncate")], 2, has_shape).streamed(),
        Case::new("stream disconnected", [stream_fault("disconnect")], 2, has_shape).streamed(),
        Case::new("stream malformed", [stream_fault("malformed")], 2, has_shape).streamed(),
        Case::new("stream stalled", [stream_fault("stall")], 1, is_unavailable)
            .streamed()
            .within(1500),
        Case::new("401", [fail(401, 1)], 1, |r| *r.as_ref().unwrap_err() == ModelError::Denied),
        Case::new("400", [fail(400, 1)], 1, is_other),
        Case::new("404", [fail(404, 1)], 1, is_other),
        Case::new("400, too large", [overflow], 1, |r| {
            *r.as_ref().unwrap_err() == ModelError::TooLarge
        }),
    ]
}

/// The chaos server, over its control interface. Faults are scripted, and requests counted, for one
/// path, so that both interfaces can be tried at the same time.
struct Chaos {
    http: reqwest::Client,
    url: String,
}

fn path(api: Api) -> &'static str {
    match api {
        Api::Chat => "/v1/chat/completions",
        Api::Responses => "/v1/responses",
    }
}

impl Chaos {
    async fn script(&self, api: Api, faults: &[Value]) {
        if faults.is_empty() {
            return;
        }
        let mut faults = faults.to_vec();
        for fault in &mut faults {
            fault["match"] = json!({"path": path(api)});
        }
        let url = format!("{}/_llmock/scenario", self.url);
        let request = self.http.post(url).json(&json!({"behaviors": faults}));
        request.send().await.unwrap().error_for_status().unwrap();
    }

    async fn get(&self, what: &str) -> Value {
        let url = format!("{}/_llmock/{what}", self.url);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn requests(&self, api: Api) -> usize {
        let seen = self.get("requests").await;
        let all = seen["requests"].as_array().unwrap();
        all.iter().filter(|r| r["path"] == path(api)).count()
    }

    async fn faults_left(&self, api: Api) -> usize {
        let scripted = self.get("scenario").await;
        let all = scripted["pending"].as_array().unwrap();
        all.iter().filter(|f| f["match"]["path"] == path(api)).count()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        println!("usage: grade http://127.0.0.1:PORT");
        return ExitCode::from(2);
    };
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let chaos = Chaos { http, url: url.trim_end_matches('/').to_owned() };
    let (chat, responses) = tokio::join!(all(&chaos, Api::Chat), all(&chaos, Api::Responses));
    if chat && responses { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn all(chaos: &Chaos, api: Api) -> bool {
    let mut is_right = true;
    for case in cases() {
        is_right &= run(chaos, api, &case).await;
    }
    is_right & at_once(chaos, api).await
}

async fn run(chaos: &Chaos, api: Api, case: &Case) -> bool {
    chaos.script(api, &case.faults).await;
    let before = chaos.requests(api).await;
    let started = Instant::now();
    let config = Config { stream: case.stream, timeout: case.timeout, ..config(chaos, api) };
    // The server takes a repeated body for a retry, so each case asks something else.
    let result = client(chaos, &config).complete(&cleared(&config, case.name).await).await;
    let seconds = started.elapsed().as_secs_f64();
    let attempts = chaos.requests(api).await - before;
    let left = chaos.faults_left(api).await;
    let is_right = (case.wanted)(&result) && attempts == case.attempts && left == 0;
    let mark = if is_right { "ok   " } else { "WRONG" };
    let name = case.name;
    println!("{mark} {api:?}: {name}: {attempts} requests, {seconds:.1} s, {left} faults left");
    if !is_right {
        println!("      {result:?}");
    }
    is_right
}

/// Several calls of one client at the same time, with every option, while some requests fail.
async fn at_once(chaos: &Chaos, api: Api) -> bool {
    chaos.script(api, &[fail(500, 2), fail(503, 2)]).await;
    let extra = json!({"service_tier": "flex"});
    let config = Config {
        reasoning_effort: Some("low".into()),
        output_limit: OutputLimit::MaxTokens,
        extra: extra.as_object().unwrap().clone(),
        ..config(chaos, api)
    };
    let client = client(chaos, &config);
    let calls = (0..12).map(|i| {
        let (client, config) = (&client, &config);
        async move { client.complete(&cleared(config, &format!("call {i}")).await).await }
    });
    let whole = join_all(calls).await.iter().filter(|r| has_shape(r)).count();
    let mark = if whole == 12 { "ok   " } else { "WRONG" };
    println!("{mark} {api:?}: twelve calls at once: {whole} whole");
    whole == 12
}

fn config(chaos: &Chaos, api: Api) -> Config {
    Config { api, ..Config::new(format!("{}/v1", chaos.url).parse().unwrap(), "gpt-graded") }
}

fn client(chaos: &Chaos, config: &Config) -> Client {
    let clock = Arc::new(Ticking::default());
    Client::new(chaos.http.clone(), config.clone(), clock, Arc::new(Counting::default())).unwrap()
}
