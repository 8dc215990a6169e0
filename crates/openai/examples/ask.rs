//! Asks a real OpenAI-compatible server, and says whether its answers have the shape that was asked
//! for. How good they are is not judged.
//!
//! ```text
//! cargo run -p chaffinch-openai --example ask -- http://127.0.0.1:PORT/v1 MODEL
//! ```
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for tests")]

#[path = "../tests/client/door.rs"]
mod door;

use std::{process::ExitCode, sync::Arc, time::Duration};

use chaffinch_egress::{Model, ModelError};
use chaffinch_openai::{Api, Client, Config};
use serde::Deserialize;

use crate::door::{Counting, Ticking, cleared};

/// So many questions that a small model, which often rambles to its limit, ends one of them.
const QUESTIONS: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    verdict: String,
    reason: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(model)) = (args.next(), args.next()) else {
        println!("usage: ask http://127.0.0.1:PORT/v1 MODEL");
        return ExitCode::from(2);
    };
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut is_right = true;
    for stream in [false, true] {
        // A small machine, or a busy one, writes a few words a second.
        let timeout = Duration::from_secs(600);
        let config =
            Config { stream, timeout, ..Config::new(url.parse().unwrap(), model.as_str()) };
        let client = Client::new(
            http.clone(),
            config.clone(),
            Arc::new(Ticking::default()),
            Arc::new(Counting::default()),
        )
        .unwrap();
        is_right &= answers(&client, &config).await;
        let probe = client.probe().await;
        println!("{:?}, stream {stream}: {probe:?}", Api::Chat);
        is_right &= probe.is_ok_and(|p| p.keeps_schema && p.reports_cut != Some(false));
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Until one answer is whole, and right in shape; one that was cut must have been called so.
async fn answers(client: &Client, config: &Config) -> bool {
    for i in 1..=QUESTIONS {
        let prompt = cleared(config, &format!("rule: python.sqli\nquestion {i}")).await;
        match client.complete(&prompt).await {
            Err(ModelError::Cut) => println!("answer {i} was cut off, and called so"),
            Err(error) => {
                println!("answer {i}: {error}");
                return false;
            }
            Ok(completion) => {
                let answer = serde_json::from_str::<Answer>(completion.text.expose());
                let verdicts = ["true_positive", "false_positive", "needs_review"];
                let has_shape =
                    answer.as_ref().is_ok_and(|a| verdicts.contains(&a.verdict.as_str()));
                let length = answer.map_or(0, |a| a.reason.len());
                let (model, usage) = (&completion.model, completion.usage);
                println!(
                    "answer {i} of {model}: has the shape: {has_shape}, reason {length} bytes, {usage:?}"
                );
                return has_shape;
            }
        }
    }
    println!("no answer in {QUESTIONS} was whole");
    false
}
