use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock},
};

use chaffinch_core::{Forge, ForgeError, RepoPath};
use chaffinch_gitlab::Config;
use chrono::TimeDelta;
use serde_json::json;

use crate::peer::*;

const REQUEST: &str = "GET /api/v4/projects/42/merge_requests/7";
const NOTES: &str = "POST /api/v4/projects/42/merge_requests/7/notes";

fn status(status: u16) -> Option<Reply> {
    reply(status, json!({ "message": "no" }))
}

#[tokio::test]
async fn a_read_is_repeated_twice_where_the_server_failed() {
    let peer = Peer::start(|seen| match seen.before {
        _ if seen.line != REQUEST => None,
        0 => status(502),
        1 => status(503),
        _ => reply(200, request(7, HEAD, Some(42))),
    })
    .await;
    peer.open().await.source.change(7).await.unwrap();
    assert_eq!(peer.of(REQUEST).len(), 3);

    let peer = Peer::start(|seen| (seen.line == REQUEST).then(|| status(502))?).await;
    let error = peer.open().await.source.change(7).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: 502");
    assert_eq!(peer.of(REQUEST).len(), 3);
}

#[tokio::test]
async fn a_write_is_never_repeated() {
    let peer = Peer::start(|seen| seen.line.starts_with("POST").then(|| status(502))?).await;
    let discussion = peer.open().await.discussion;
    let error = discussion.put_summary(&change(), None, "text").await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
    assert_eq!(peer.of("POST").len(), 1);
}

#[tokio::test]
async fn a_rate_limit_says_until_when_and_is_not_waited_for() {
    let peer = Peer::start(|seen| {
        if seen.line != REQUEST {
            return None;
        }
        bytes("text/plain", b"Retry later")
            .map(|answer| Reply { status: 429, ..answer })?
            .with("retry-after", "90")
    })
    .await;
    let error = peer.open().await.source.change(7).await.unwrap_err();
    let ForgeError::RateLimited { until } = error else { panic!("{error}") };
    assert_eq!(until, now() + TimeDelta::seconds(90));
    assert_eq!(peer.of(REQUEST).len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let peer = Peer::start(|_| None).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = Config { url: format!("http://{gone}").parse().unwrap(), ..peer.config() };
    let error = peer.gitlab_with(config).open(&repo()).await.err().unwrap();
    assert_eq!(error.to_string(), "unavailable: cannot connect");
}

#[tokio::test]
async fn an_answer_that_is_not_what_it_should_be_is_unavailable_and_not_repeated_in_words() {
    let peer =
        Peer::start(|seen| (seen.line == REQUEST).then(|| bytes("text/html", b"<p>sentinel"))?)
            .await;
    let error = peer.open().await.source.change(7).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
    assert!(!error.to_string().contains("sentinel"), "{error}");
}

#[tokio::test]
async fn a_project_that_moved_is_followed_with_the_token_on_the_same_host() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        REQUEST => status(301)?.with("location", "/api/v4/projects/43/merge_requests/7"),
        "GET /api/v4/projects/43/merge_requests/7" => reply(200, request(7, HEAD, Some(42))),
        NOTES => status(307)?.with("location", "/api/v4/projects/43/merge_requests/7/notes"),
        "POST /api/v4/projects/43/merge_requests/7/notes" => reply(201, json!({ "id": 1 })),
        _ => None,
    })
    .await;
    let access = peer.open().await;
    access.source.change(7).await.unwrap();
    access.discussion.put_summary(&change(), None, "text").await.unwrap();
    assert_eq!(peer.of("GET /api/v4/projects/43")[0].header("private-token"), "glpat-read");
    let written = &peer.of("POST /api/v4/projects/43")[0];
    assert_eq!(written.header("private-token"), "glpat-write");
    assert_eq!(written.body, json!({ "body": "text" }));
}

#[tokio::test]
async fn a_redirect_to_another_host_is_followed_without_the_token() {
    let elsewhere = Peer::start(|_| bytes("application/octet-stream", b"text")).await;
    let target = format!("{}/blob?sig=1", elsewhere.address);
    let peer = Peer::start(move |seen| {
        let file = seen.line.contains("/repository/files/");
        file.then(|| status(302)?.with("location", target.clone()))?
    })
    .await;
    let path = RepoPath::new("a.py").unwrap();
    let file = peer.open().await.source.file(&path, &sha(HEAD)).await.unwrap();
    assert_eq!(file.expose(), b"text");
    let there = &elsewhere.seen()[0];
    assert_eq!(there.line, "GET /blob?sig=1");
    assert_eq!(there.header("private-token"), "");
    assert_eq!(peer.seen_since_opened()[0].header("private-token"), "glpat-read");
}

#[tokio::test]
async fn another_host_cannot_lead_the_token_back_to_an_address_of_its_choice() {
    let back: Arc<OnceLock<String>> = Arc::default();
    let there = Arc::clone(&back);
    let elsewhere = Peer::start(move |_| status(302)?.with("location", there.get()?.clone())).await;
    let target = format!("{}/blob", elsewhere.address);
    let peer = Peer::start(move |seen| match seen.line.as_str() {
        "GET /api/v4/chosen" => bytes("application/octet-stream", b"text"),
        line if line.contains("/repository/files/") => {
            status(302)?.with("location", target.clone())
        }
        _ => None,
    })
    .await;
    let access = peer.open().await;
    back.set(format!("{}/api/v4/chosen", peer.address)).unwrap();
    let path = RepoPath::new("a.py").unwrap();
    assert!(access.source.file(&path, &sha(HEAD)).await.is_ok());
    let chosen = peer.seen_since_opened().remove(1);
    assert_eq!(chosen.line, "GET /api/v4/chosen");
    assert_eq!(chosen.header("private-token"), "");
}

#[tokio::test]
async fn a_redirect_that_must_not_be_followed_is_an_error() {
    // A write that would lose its meaning, or leave the host.
    let elsewhere = Peer::start(|_| None).await;
    for (code, target) in [(301, "/new"), (302, "/new"), (307, elsewhere.address.as_str())] {
        let target = target.to_owned();
        let peer = Peer::start(move |seen| {
            let write = seen.line.starts_with("POST");
            write.then(|| status(code)?.with("location", target.clone()))?
        })
        .await;
        let discussion = peer.open().await.discussion;
        let error = discussion.put_summary(&change(), None, "text").await.unwrap_err();
        assert!(matches!(error, ForgeError::Other(_)), "{error}");
    }
    assert!(elsewhere.seen().is_empty());
    // A read that goes round in circles, or nowhere.
    for target in ["/api/v4/projects/42/merge_requests/7", "http://[", ""] {
        let peer = Peer::start(move |seen| {
            (seen.line == REQUEST).then(|| status(301)?.with("location", target))?
        })
        .await;
        let error = peer.open().await.source.change(7).await.unwrap_err();
        assert!(matches!(error, ForgeError::Other(_)), "{error}");
        assert!(peer.of(REQUEST).len() <= 4);
    }
}

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what is logged from here on, as long as the guard lives.
    pub(crate) fn keep(level: tracing::Level) -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_no_source_and_no_name_of_a_file_is_ever_logged() {
    let (log, _guard) = Log::keep(tracing::Level::TRACE);
    let peer = Peer::start(|seen| {
        if seen.line.contains("/repository/files/") {
            return bytes("text/plain", b"sentinel_source");
        }
        seen.line
            .starts_with("POST")
            .then(|| reply(422, json!({ "message": "no", "value": "sentinel_source" })))?
    })
    .await;
    let access = peer.open().await;
    let path = RepoPath::new("sentinel_path.py").unwrap();
    let file = access.source.file(&path, &sha(HEAD)).await.unwrap();
    tracing::info!(?file, "as a careless caller would");
    let error =
        access.discussion.put_summary(&change(), None, "sentinel_source").await.unwrap_err();
    tracing::info!(%error, ?error, config = ?peer.config(), "as a careless caller would");
    let text = log.text();
    assert!(text.contains("/projects/{id}/repository/files/{path}/raw"), "{text}");
    for secret in ["glpat", "sentinel"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
