//! An endpoint that answers from a script, and remembers what it was asked.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::pending,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode},
};
use chaffinch_egress::{Completion, Model, ModelError};
use chaffinch_openai::{Api, Client, Config};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::door::{Counting, Ticking, cleared};

/// The model that is asked for in these tests.
pub(crate) const MODEL: &str = "gpt-test";

/// What a good answer says.
pub(crate) const ANSWER: &str = r#"{"verdict":"needs_review","reason":"r"}"#;

/// One scripted reply.
#[derive(Clone)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: Kind,
    delay: Duration,
}

#[derive(Clone)]
enum Kind {
    Whole(String),
    /// This, and then the connection breaks.
    Broken(String),
    /// This, and then nothing more, without an end.
    Hanging(String),
    /// Without an end, as fast as it is read.
    Endless,
}

impl Reply {
    fn new(status: u16, body: Kind) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self { status, headers: Vec::new(), body, delay: Duration::ZERO }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::new(status, Kind::Whole(body.to_owned()))
    }

    pub(crate) fn good(api: Api) -> Self {
        Self::json(200, &good(api))
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        let error = json!({"message": "m", "type": "t", "param": null, "code": code});
        Self::json(status, &json!({"error": error}))
    }

    pub(crate) fn events(events: &[&str]) -> Self {
        let text: String = events.iter().map(|e| format!("data: {e}\n\n")).collect();
        Self::text(200, &text).header("content-type", "text/event-stream; charset=utf-8")
    }

    pub(crate) fn broken(start: &str) -> Self {
        Self::new(200, Kind::Broken(start.to_owned()))
    }

    pub(crate) fn hanging(status: u16, start: &str) -> Self {
        Self::new(status, Kind::Hanging(start.to_owned()))
    }

    pub(crate) fn endless() -> Self {
        Self::new(200, Kind::Endless)
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    #[must_use]
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// A whole answer.
pub(crate) fn good(api: Api) -> Value {
    match api {
        Api::Chat => json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL,
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null,
                "message": {"role": "assistant", "content": ANSWER, "refusal": null}}],
            "usage": {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 100}},
        }),
        Api::Responses => json!({
            "id": "resp_1", "object": "response", "status": "completed", "model": MODEL,
            "error": null, "incomplete_details": null,
            "output": [
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                    "content": [{"type": "output_text", "text": ANSWER, "annotations": []}]},
            ],
            "usage": {"input_tokens": 120, "output_tokens": 30, "total_tokens": 150,
                "input_tokens_details": {"cached_tokens": 100},
                "output_tokens_details": {"reasoning_tokens": 10}},
        }),
    }
}

/// One request that came in.
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The endpoint. A script that has run out answers 418, so that no test passes by accident.
pub(crate) struct Peer {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    running: Mutex<(usize, usize)>,
}

impl Peer {
    pub(crate) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let shared = Arc::new(Shared::default());
        shared.script.lock().unwrap().extend(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    pub(crate) fn config(&self, api: Api) -> Config {
        Config {
            api,
            backoff: Duration::from_millis(1),
            ..Config::new(format!("{}/v1", self.url).parse().unwrap(), MODEL)
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    pub(crate) fn count(&self) -> usize {
        self.shared.seen.lock().unwrap().len()
    }

    /// The most requests that were answered at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.running.lock().unwrap().1
    }
}

/// Asks one question of an endpoint with this script, and says how often it was asked.
pub(crate) async fn ask(
    api: Api,
    script: impl IntoIterator<Item = Reply>,
) -> (Result<Completion, ModelError>, usize) {
    let peer = Peer::start(script).await;
    let result = complete(&peer.config(api)).await;
    (result, peer.count())
}

pub(crate) async fn complete(config: &Config) -> Result<Completion, ModelError> {
    client(config).complete(&cleared(config, "rule: python.sqli").await).await
}

pub(crate) fn client(config: &Config) -> Client {
    Client::new(http(), config.clone(), Arc::new(Ticking::default()), Arc::new(Counting::default()))
        .unwrap()
}

/// As the server should build it; no proxy of the machine, no time-out but the client's own.
pub(crate) fn http() -> reqwest::Client {
    builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Trusts no authority, so that it can be built on a machine without any.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let at = Instant::now();
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10_000_000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let target = format!("{} {}", parts.method, parts.uri);
    shared.seen.lock().unwrap().push(Seen { at, target, headers: parts.headers, body });
    let reply = shared.script.lock().unwrap().pop_front();
    let reply = reply.unwrap_or_else(|| Reply::text(418, "the script has run out"));
    let running = Running::start(&shared);
    tokio::time::sleep(reply.delay).await;
    drop(running);
    let mut response = Response::builder().status(reply.status);
    if !reply.headers.iter().any(|(name, _)| *name == "content-type") {
        response = response.header("content-type", "application/json");
    }
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(body_of(reply.body)).unwrap()
}

fn body_of(kind: Kind) -> Body {
    let first = |text: String| stream::once(async { Ok(Bytes::from(text)) });
    match kind {
        Kind::Whole(text) => Body::from(text),
        Kind::Broken(text) => {
            let end = stream::once(async { Err(io::Error::other("broken on purpose")) });
            Body::from_stream(first(text).chain(end))
        }
        Kind::Hanging(text) => {
            let end = stream::once(pending::<Result<Bytes, io::Error>>());
            Body::from_stream(first(text).chain(end))
        }
        Kind::Endless => {
            let chunk = Bytes::from(vec![b' '; 64 * 1024]);
            Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone())))
        }
    }
}

struct Running<'a>(&'a Shared);

impl<'a> Running<'a> {
    fn start(shared: &'a Shared) -> Self {
        let mut running = shared.running.lock().unwrap();
        running.0 += 1;
        running.1 = running.1.max(running.0);
        Self(shared)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.lock().unwrap().0 -= 1;
    }
}
