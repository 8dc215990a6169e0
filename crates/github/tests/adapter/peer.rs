//! A peer that plays GitHub: it notes every request, answers from a script, and fails the test on a
//! request that nobody expected.

use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chaffinch_core::{
    Access, Change, ChangeId, Clock, CommitSha, Forge, ForgeKind, RepoId, RepoName,
};
use chaffinch_github::{Config, GitHub};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub(crate) const APP: u64 = 12345;
pub(crate) const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method, path and query: `GET /repos/acme/shop/pulls/7`.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// How many requests with the same line came before.
    pub(crate) before: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Sent without saying how long it is.
    pub(crate) chunked: bool,
}

pub(crate) fn reply(status: u16, body: Value) -> Option<Reply> {
    let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    Some(Reply { status, headers, body: body.to_string().into_bytes(), chunked: false })
}

pub(crate) fn bytes(kind: &str, body: &[u8]) -> Option<Reply> {
    let headers = vec![("content-type", kind.to_owned())];
    Some(Reply { status: 200, headers, body: body.to_vec(), chunked: false })
}

impl Reply {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Option<Self> {
        self.headers.push((name, value.into()));
        Some(self)
    }
}

type Script = dyn Fn(&Seen) -> Option<Reply> + Send + Sync;

struct Shared {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    unexpected: Mutex<Vec<String>>,
}

pub(crate) struct Peer {
    pub(crate) address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Peer {
    /// Starts a peer. What the script has no answer for is answered as GitHub would for tokens and
    /// the App itself; anything else fails the test.
    pub(crate) async fn start(
        script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Mutex::default(),
            unexpected: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, server }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The lines of all requests but those for tokens and the App.
    pub(crate) fn lines(&self) -> Vec<String> {
        let ours = |s: &Seen| {
            !s.line.contains("/access_tokens") && !s.line.contains("/installation/token")
        };
        self.seen().into_iter().filter(ours).map(|s| s.line).collect()
    }

    /// The requests whose line starts with `line`.
    pub(crate) fn of(&self, line: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|s| s.line.starts_with(line)).collect()
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            private_key: private_key().into(),
            api_url: self.address.parse().unwrap(),
            back_off: std::time::Duration::from_millis(1),
            ..Config::new(APP)
        }
    }

    pub(crate) fn github(&self) -> GitHub {
        self.github_with(self.config(), Arc::default())
    }

    pub(crate) fn github_with(&self, config: Config, clock: Arc<StillClock>) -> GitHub {
        GitHub::new(config, client(), clock).unwrap()
    }

    pub(crate) async fn open(&self) -> Access {
        self.github().open(&repo()).await.unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.server.abort();
        let unexpected = self.shared.unexpected.lock().unwrap();
        if !std::thread::panicking() {
            assert!(unexpected.is_empty(), "the peer did not expect {unexpected:#?}");
        }
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let line = format!("{method} {}", uri.path_and_query().unwrap());
    let seen = {
        let mut log = shared.seen.lock().unwrap();
        let before = log.iter().filter(|s| s.line == line).count();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        log.push(Seen { line, headers, body, before });
        log.last().unwrap().clone()
    };
    let reply = (shared.script)(&seen).or_else(|| usual(&seen)).unwrap_or_else(|| {
        shared.unexpected.lock().unwrap().push(seen.line.clone());
        reply(418, json!({ "message": "unexpected" })).unwrap()
    });
    let body = if reply.chunked {
        let chunks: Vec<_> = reply.body.chunks(1000).map(|c| Ok::<_, String>(c.to_vec())).collect();
        Body::from_stream(futures_iter(chunks))
    } else {
        Body::from(reply.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status.try_into().unwrap();
    for (name, value) in reply.headers {
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
    }
    response
}

fn usual(seen: &Seen) -> Option<Reply> {
    let line = seen.line.as_str();
    if line.starts_with("POST ") && line.ends_with("/access_tokens") {
        return reply(201, minted(&seen.body, &token(seen)));
    }
    if line.ends_with("DELETE /installation/token") {
        return Some(Reply { status: 204, headers: vec![], body: vec![], chunked: false });
    }
    (line == "GET /app").then(|| reply(200, json!({ "id": APP, "slug": "chaffinch" })))?
}

/// `ghs_read1`, `ghs_write2`: what it is for, and the how-manieth it is.
fn token(seen: &Seen) -> String {
    let kind = if seen.body["permissions"]["checks"].is_string() { "write" } else { "read" };
    format!("ghs_{kind}{}", seen.before + 1)
}

/// What GitHub answers to a request for a token.
pub(crate) fn minted(asked: &Value, token: &str) -> Value {
    json!({
        "token": token,
        "expires_at": (now() + TimeDelta::hours(1)).to_rfc3339(),
        "permissions": asked["permissions"],
        "repository_selection": "selected",
        "repositories": [{ "id": 42, "name": "shop", "full_name": "acme/shop" }],
    })
}

/// Without CA certificates: reading the machine's takes longer than most tests.
pub(crate) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.no_proxy().tls_certs_only([]).build().unwrap()
}

fn futures_iter<T: Send + Unpin + 'static>(items: Vec<T>) -> impl futures::Stream<Item = T> + Send {
    futures::stream::iter(items)
}

/// A clock that stands still until it is moved.
pub(crate) struct StillClock(Mutex<DateTime<Utc>>);

impl Default for StillClock {
    fn default() -> Self {
        Self(Mutex::new(now()))
    }
}

impl StillClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// The App's key. Made once for all tests of a build: making one takes seconds.
pub(crate) fn key_pair() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    let kept = concat!(env!("CARGO_TARGET_TMPDIR"), "/app-key.der");
    KEY.get_or_init(|| {
        if let Some(key) = std::fs::read(kept).ok().and_then(|der| KeyPair::from_pkcs8(&der).ok()) {
            return key;
        }
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let own = format!("{kept}.{}", std::process::id());
        std::fs::write(&own, key.as_der().unwrap().as_ref()).unwrap();
        std::fs::rename(own, kept).unwrap();
        key
    })
}

pub(crate) fn private_key() -> String {
    let der = key_pair().as_der().unwrap();
    pem("PRIVATE KEY", der.as_ref())
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(crate) fn repo() -> RepoId {
    RepoId {
        forge: ForgeKind::GitHub,
        installation: 5,
        id: 42,
        name: RepoName::new("acme/shop").unwrap(),
    }
}

pub(crate) fn sha(text: &str) -> CommitSha {
    CommitSha::new(text).unwrap()
}

pub(crate) fn change() -> Change {
    Change {
        id: ChangeId { repo: repo(), number: 7 },
        base: sha(BASE),
        head: sha(HEAD),
        open: true,
        draft: false,
        fork: false,
    }
}

/// A pull request as GitHub shows it, with `head.repo` of this id.
pub(crate) fn pull(number: u64, head: &str, repo: Option<u64>) -> Value {
    json!({
        "number": number, "state": "open", "draft": false, "title": "not read",
        "head": { "sha": head, "repo": repo.map(|id| json!({ "id": id })) },
        "base": { "sha": BASE, "repo": { "id": 42 } },
    })
}
