//! The one way to GitLab: every request of this crate goes through [`Api::send`].
//!
//! It sets the headers, bounds time and size, follows redirects without carrying the credential to
//! another host, repeats what may be repeated, and writes the one log line and the metrics.

mod answer;
mod call;
mod failure;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{Clock, ForgeError};
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout};
use url::{Origin, Url};

pub(crate) use answer::Answer;
pub(crate) use call::{Call, encode};
pub(crate) use failure::refused;

const USER_AGENT: &str = concat!("chaffinch/", env!("CARGO_PKG_VERSION"));
const PATIENCE: Patience = Patience {
    answer: Duration::from_secs(60),
    piece: Duration::from_secs(30),
    body: Duration::from_secs(5 * 60),
};
const MOST_REDIRECTS: usize = 3;
const MOST_REPEATS: u32 = 2;
/// What is read of an answer that says no.
const FAILURE_LIMIT: u64 = 64 << 10;

/// How long is waited for one request; each redirect is one of its own.
#[derive(Clone, Copy)]
struct Patience {
    /// Until its answer begins.
    answer: Duration,
    /// For each next piece of the answer.
    piece: Duration,
    /// From the beginning of the answer to its end: a large report may come slowly.
    body: Duration,
}

/// A GitLab server.
pub(crate) struct Api {
    /// `https://host/sub-path/api/v4`.
    root: String,
    origin: Origin,
    http: Client,
    clock: Arc<dyn Clock>,
    back_off: Duration,
    patience: Patience,
    /// Digests of the tokens that GitLab has taken since we started: as many as were ever configured.
    taken: Mutex<HashSet<Vec<u8>>>,
}

impl Api {
    pub(crate) fn new(url: &Url, http: Client, clock: Arc<dyn Clock>, back_off: Duration) -> Self {
        let base = url.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/api/v4").unwrap_or(base);
        Self {
            root: format!("{base}/api/v4"),
            origin: url.origin(),
            http,
            clock,
            back_off,
            patience: PATIENCE,
            taken: Mutex::default(),
        }
    }

    pub(crate) fn back_off(&self) -> Duration {
        self.back_off
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The address of `path`, which starts with `/` and is encoded already.
    pub(crate) fn url(&self, path: &str) -> Result<Url, ForgeError> {
        Url::parse(&format!("{}{path}", self.root))
            .map_err(|_| ForgeError::Other("gitlab: a path makes no address".to_owned()))
    }

    /// Sends a call and reads its answer, whatever its status. A read that failed on the way is
    /// repeated; a write never is: it may have been done.
    pub(crate) async fn send(
        &self,
        call: &Call,
        credential: &SecretString,
    ) -> Result<Answer, ForgeError> {
        let mut pause = self.back_off;
        for _ in 0..MOST_REPEATS {
            let outcome = self.follow(call, credential).await;
            let passing = match &outcome {
                Ok(answer) => answer.status.is_server_error(),
                Err(error) => matches!(error, ForgeError::Unavailable { .. }),
            };
            if !(passing && call.repeatable) {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            pause *= 4;
        }
        self.follow(call, credential).await
    }

    async fn follow(&self, call: &Call, credential: &SecretString) -> Result<Answer, ForgeError> {
        let mut url = call.url.clone();
        let mut credential = Some(credential);
        for _ in 0..=MOST_REDIRECTS {
            // The credential goes to the host that it is for. From another one nothing leads back to it
            // with the credential: that host would choose what is asked.
            credential = credential.filter(|_| url.origin() == self.origin);
            let answer = self.exchange(call, &url, credential).await?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            url = next_hop(call, &url, &answer)?;
        }
        Err(ForgeError::Other(format!("gitlab: more than {MOST_REDIRECTS} redirects")))
    }

    async fn exchange(
        &self,
        call: &Call,
        url: &Url,
        credential: Option<&SecretString>,
    ) -> Result<Answer, ForgeError> {
        let mut request = self
            .http
            .request(call.method.clone(), url.clone())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, call.accept.as_str());
        if let Some(credential) = credential {
            let value = HeaderValue::try_from(credential.expose_secret());
            let mut value = value
                .map_err(|_| ForgeError::Other("gitlab: a token that no header can hold".into()))?;
            value.set_sensitive(true);
            request = request.header("private-token", value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let started = Instant::now();
        let Patience { answer, body, .. } = self.patience;
        let mut answer = match timeout(answer, request.send()).await {
            Ok(Ok(response)) => {
                let read = timeout(body, self.read(call, response)).await;
                read.unwrap_or_else(|_| Err(timed_out()))
            }
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(timed_out()),
        };
        if let Ok(answer) = &mut answer
            && let Some(credential) = credential
        {
            answer.taken_before = self.taken_before(credential, answer.status);
        }
        self.observe(call, &answer, started.elapsed());
        answer
    }

    async fn read(&self, call: &Call, mut response: Response) -> Result<Answer, ForgeError> {
        let status = response.status();
        let limit = if status.is_success() { call.limit } else { FAILURE_LIMIT };
        let announced = response.content_length().unwrap_or(0);
        if status.is_success() && announced > limit {
            return Err(ForgeError::Truncated { limit });
        }
        let mut body = Vec::with_capacity(announced.min(limit) as usize);
        loop {
            let next = timeout(self.patience.piece, response.chunk()).await;
            let next = next.map_err(|_| timed_out())?.map_err(|e| unavailable(&e))?;
            let Some(chunk) = next else { break };
            let room = (limit - body.len() as u64) as usize;
            if chunk.len() <= room {
                body.extend_from_slice(&chunk);
            } else if status.is_success() {
                return Err(ForgeError::Truncated { limit });
            } else {
                body.extend_from_slice(&chunk[..room]);
                break;
            }
        }
        Ok(Answer {
            status,
            headers: response.headers().clone(),
            body,
            route: call.route,
            taken_before: false,
        })
    }

    /// Whether GitLab has taken the token before; remembers that it does now.
    fn taken_before(&self, token: &SecretString, status: StatusCode) -> bool {
        let digest = digest(&SHA256, token.expose_secret().as_bytes()).as_ref().to_vec();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if status.is_success() { !taken.insert(digest) } else { taken.contains(&digest) }
    }

    fn observe(&self, call: &Call, answer: &Result<Answer, ForgeError>, took: Duration) {
        let status = match answer {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err(ForgeError::Truncated { .. }) => "too_large".to_owned(),
            Err(_) => "none".to_owned(),
        };
        let ms = took.as_millis() as u64;
        tracing::debug!(method = %call.method, route = call.route, status, ms, "gitlab request");
        metrics::counter!("chaffinch_gitlab_requests_total", "route" => call.route, "status" => status)
            .increment(1);
        metrics::histogram!("chaffinch_gitlab_request_seconds").record(took.as_secs_f64());
        if let Ok(answer) = answer
            && let Some(left) = answer.number("ratelimit-remaining")
        {
            metrics::gauge!("chaffinch_gitlab_rate_limit_remaining").set(left as f64);
        }
    }
}

/// Where a redirect leads, if this call may follow it. Artifacts redirect to object storage, a
/// project that was moved to its new name; a write is repeated only where its meaning is kept, on the
/// same host.
fn next_hop(call: &Call, from: &Url, answer: &Answer) -> Result<Url, ForgeError> {
    let refuse = |why: &str| ForgeError::Other(format!("gitlab: {why}"));
    let to = answer
        .text("location")
        .and_then(|to| from.join(to).ok())
        .ok_or_else(|| refuse("a redirect that leads nowhere"))?;
    let keeps_meaning =
        matches!(answer.status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let may_follow = match answer.status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => call.method == Method::GET,
        _ if keeps_meaning => call.method == Method::GET || to.origin() == from.origin(),
        _ => false,
    };
    if !may_follow {
        return Err(refuse(&format!(
            "a redirect ({}) that this call must not follow",
            answer.status
        )));
    }
    if to.scheme() != "https" && to.scheme() != from.scheme() {
        return Err(refuse("a redirect that leaves https"));
    }
    Ok(to)
}

fn timed_out() -> ForgeError {
    ForgeError::Unavailable { why: "timed out".to_owned() }
}

/// In our own words: the library's would name the address.
fn unavailable(error: &reqwest::Error) -> ForgeError {
    let why = if error.is_timeout() {
        return timed_out();
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_body() || error.is_decode() {
        "the answer was cut off"
    } else {
        "the connection broke"
    };
    ForgeError::Unavailable { why: why.to_owned() }
}

#[cfg(test)]
mod tests;
