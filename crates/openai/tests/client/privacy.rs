//! What nobody may see: keys, prompts, answers, and the words of a body.

use std::{
    io,
    sync::{Arc, Mutex},
};

use chaffinch_openai::{Api, Auth, Config};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    door::INSTRUCTIONS,
    peer::{Peer, Reply, complete, good},
};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Everything that is logged while the returned guard lives, of every crate, at every level.
fn capture() -> (Captured, tracing::subscriber::DefaultGuard) {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    (captured, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn no_log_error_or_debug_shows_key_prompt_or_answer() {
    let (captured, guard) = capture();
    let secret = "sentinel_answer";
    let mut whole = good(Api::Chat);
    whole["choices"][0]["message"]["content"] = json!(secret);
    let echo = json!({"error": {"message": "sentinel_source", "code": secret, "type": secret, "param": secret}});
    let mut shown = String::new();
    for reply in [
        Reply::json(200, &whole),
        Reply::text(200, secret),
        Reply::json(200, &json!({"choices": secret})),
        Reply::json(200, &json!({"error": secret})),
        Reply::json(400, &echo),
        Reply::json(401, &echo),
        Reply::json(429, &echo),
        Reply::json(500, &echo),
        Reply::broken(secret),
        Reply::error(429, "insufficient_quota"),
    ] {
        for auth in [Auth::Bearer("sentinel_key".into()), Auth::ApiKey("sentinel_key".into())] {
            let peer = Peer::start([reply.clone(), reply.clone()]).await;
            let config = Config { auth, max_retries: 1, ..peer.config(Api::Chat) };
            let result = complete(&config).await;
            shown += &format!("{config:?} {result:?} ");
            if let Err(error) = result {
                shown += &error.to_string();
            }
        }
    }
    drop(guard);
    let logged = captured.text();
    assert!(logged.contains("reply"), "something is logged");
    assert!(logged.contains("hyper"), "the libraries are listened to as well");
    for text in [&logged, &shown] {
        assert!(!text.contains("sentinel"), "{text}");
        assert!(!text.contains(INSTRUCTIONS), "{text}");
        assert!(!text.contains("K7F3"), "{text}");
    }
}

#[tokio::test]
async fn another_model_than_was_asked_for_is_reported_once() {
    let mut other = good(Api::Chat);
    other["model"] = json!("smol\n\u{1b}[31m");
    let reply = || Reply::json(200, &other);
    let peer = Peer::start([reply(), reply()]).await;
    let config = peer.config(Api::Chat);
    let client = crate::peer::client(&config);
    let (captured, guard) = capture();
    for _ in 0..2 {
        let prompt = crate::door::cleared(&config, "q").await;
        let completion = chaffinch_egress::Model::complete(&client, &prompt).await.unwrap();
        assert_eq!(completion.model, "smol[31m", "only what is printable");
    }
    drop(guard);
    let warnings = captured.text().matches("another model answers").count();
    assert_eq!(warnings, 1);
}

#[tokio::test]
async fn the_endpoints_id_is_logged_so_that_a_call_can_be_traced() {
    let peer = Peer::start([Reply::good(Api::Chat).header("x-request-id", "req_7")]).await;
    let (captured, guard) = capture();
    complete(&peer.config(Api::Chat)).await.unwrap();
    drop(guard);
    let sent = peer.seen()[0].headers["x-client-request-id"].to_str().unwrap().to_owned();
    let logged = captured.text();
    assert!(logged.contains("req_7") && logged.contains(&sent));
}
