//! A peer that plays GitLab: it notes every request, answers from a script, and fails the test on a
//! request that nobody expected.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri},
};
use chaffinch_core::{
    Access, Change, ChangeId, Clock, CommitSha, Forge, ForgeKind, RepoId, RepoName,
};
use chaffinch_gitlab::{Config, GitLab, ProjectTokens};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The user of the token that writes.
pub(crate) const US: u64 = 77;
pub(crate) const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method, path and query: `GET /api/v4/projects/42`.
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
    /// Starts a peer. Anything that the script has no answer for fails the test, but for the questions
    /// with which a project is opened.
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

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen_since_opened().into_iter().map(|s| s.line).collect()
    }

    /// Without those with which a project is opened.
    pub(crate) fn seen_since_opened(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|s| usual(s).is_none()).collect()
    }

    /// The requests whose line starts with `line`.
    pub(crate) fn of(&self, line: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|s| s.line.starts_with(line)).collect()
    }

    pub(crate) fn config(&self) -> Config {
        let tokens = ProjectTokens {
            projects: "acme/shop".parse().unwrap(),
            read: "glpat-read".into(),
            write: "glpat-write".into(),
        };
        Config {
            tokens: vec![tokens],
            back_off: std::time::Duration::from_millis(1),
            ..Config::new(self.address.parse().unwrap())
        }
    }

    pub(crate) fn gitlab(&self) -> GitLab {
        self.gitlab_with(self.config())
    }

    pub(crate) fn gitlab_with(&self, config: Config) -> GitLab {
        GitLab::new(config, client(), Arc::new(StillClock)).unwrap()
    }

    pub(crate) async fn open(&self) -> Access {
        self.gitlab().open(&repo()).await.unwrap()
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
    match seen.line.replacen(" /gitlab/", " /", 1).as_str() {
        "GET /api/v4/user" => reply(200, json!({ "id": US, "username": "project_42_bot_1f" })),
        "GET /api/v4/projects/42" => {
            reply(200, json!({ "id": 42, "path_with_namespace": "acme/shop" }))
        }
        _ => None,
    }
}

/// Without CA certificates: reading the machine's takes longer than most tests.
pub(crate) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.no_proxy().tls_certs_only([]).build().unwrap()
}

fn futures_iter<T: Send + Unpin + 'static>(items: Vec<T>) -> impl futures::Stream<Item = T> + Send {
    futures::stream::iter(items)
}

/// A clock that stands still.
pub(crate) struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub(crate) fn repo() -> RepoId {
    let name = RepoName::new("acme/shop").unwrap();
    RepoId { forge: ForgeKind::GitLab, installation: 42, id: 42, name }
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

/// Below the project's address.
pub(crate) fn below(seen: &Seen) -> Option<(&str, &str)> {
    let (method, path) = seen.line.split_once(' ')?;
    Some((method, path.strip_prefix("/api/v4/projects/42")?))
}

/// The page of a listing that is asked for without a size.
pub(crate) fn usual_page(all: &[Value], path: &str) -> Option<Reply> {
    let number = match path.split_once('?') {
        Some((_, query)) => query.strip_prefix("page=")?.parse().unwrap(),
        None => 1,
    };
    let next = if all.len() > number * 20 { (number + 1).to_string() } else { String::new() };
    let page = all.chunks(20).nth(number - 1).unwrap_or_default();
    reply(200, json!(page))?.with("x-next-page", next)
}

/// A merge request as GitLab shows it, from the project of this number.
pub(crate) fn request(number: u64, head: &str, from: Option<u64>) -> Value {
    json!({
        "iid": number, "state": "opened", "draft": false, "title": "not read", "sha": head,
        "source_project_id": from, "target_project_id": 42, "source_branch": "topic",
        "changes_count": "1",
        "diff_refs": { "base_sha": BASE, "start_sha": BASE, "head_sha": head },
    })
}
