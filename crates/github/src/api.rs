//! The one way to GitHub: every request of this crate goes through [`Api::send`].
//!
//! It sets the headers, bounds time and size, follows redirects without carrying the credential to
//! another host, repeats what may be repeated, and writes the one log line and the metrics.

mod answer;
mod call;
mod failure;

use std::{sync::Arc, time::Duration};

use chaffinch_core::{Clock, ForgeError};
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

pub(crate) use answer::Answer;
pub(crate) use call::{Accept, Call, encode};
pub(crate) use failure::{Told, limit_ends, names_limit, refused};

/// The version of the REST API that this crate was written against.
const API_VERSION: &str = "2022-11-28";
const USER_AGENT: &str = concat!("chaffinch/", env!("CARGO_PKG_VERSION"));
/// For one request, its redirects and its body apart.
const TIMEOUT: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: usize = 3;
const MOST_REPEATS: u32 = 2;
/// What is read of an answer that says no.
const FAILURE_LIMIT: u64 = 64 << 10;

/// A GitHub server.
pub(crate) struct Api {
    root: String,
    graphql: Url,
    http: Client,
    clock: Arc<dyn Clock>,
    back_off: Duration,
}

impl Api {
    pub(crate) fn new(
        api_url: &Url,
        http: Client,
        clock: Arc<dyn Clock>,
        back_off: Duration,
    ) -> Result<Self, url::ParseError> {
        let root = api_url.as_str().trim_end_matches('/').to_owned();
        // GHES: REST below /api/v3, GraphQL beside it.
        let graphql = match root.strip_suffix("/api/v3") {
            Some(host) => format!("{host}/api/graphql"),
            None => format!("{root}/graphql"),
        };
        Ok(Self { graphql: Url::parse(&graphql)?, root, http, clock, back_off })
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The address of `path`, which starts with `/` and is encoded already.
    pub(crate) fn url(&self, path: &str) -> Result<Url, ForgeError> {
        Url::parse(&format!("{}{path}", self.root))
            .map_err(|_| ForgeError::Other("github: a path makes no address".to_owned()))
    }

    pub(crate) fn graphql_url(&self) -> Url {
        self.graphql.clone()
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
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.exchange(call, &url, credential).await?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            url = next_hop(call, &url, &answer)?;
        }
        Err(ForgeError::Other(format!("github: more than {MOST_REDIRECTS} redirects")))
    }

    async fn exchange(
        &self,
        call: &Call,
        url: &Url,
        credential: &SecretString,
    ) -> Result<Answer, ForgeError> {
        let mut request = self
            .http
            .request(call.method.clone(), url.clone())
            .timeout(TIMEOUT)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, call.accept.as_str());
        // The credential goes to the host that it is for, and to no other.
        if url.origin() == self.graphql.origin() {
            let value = HeaderValue::try_from(format!("Bearer {}", credential.expose_secret()));
            let mut value = value
                .map_err(|_| ForgeError::Other("github: a token that no header can hold".into()))?;
            value.set_sensitive(true);
            request = request
                .header(header::AUTHORIZATION, value)
                .header("x-github-api-version", API_VERSION);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let started = Instant::now();
        let answer = match request.send().await {
            Ok(response) => read(call, response).await,
            Err(error) => Err(unavailable(&error)),
        };
        self.observe(call, &answer, started.elapsed());
        answer
    }

    fn observe(&self, call: &Call, answer: &Result<Answer, ForgeError>, took: Duration) {
        let status = match answer {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err(ForgeError::Truncated { .. }) => "too_large".to_owned(),
            Err(_) => "none".to_owned(),
        };
        let ms = took.as_millis() as u64;
        tracing::debug!(method = %call.method, route = call.route, status, ms, "github request");
        metrics::counter!("chaffinch_github_requests_total", "route" => call.route, "status" => status)
            .increment(1);
        metrics::histogram!("chaffinch_github_request_seconds").record(took.as_secs_f64());
        if let Ok(answer) = answer
            && let Some(left) = answer.number("x-ratelimit-remaining")
        {
            let resource = match answer.text("x-ratelimit-resource") {
                Some("graphql") => "graphql",
                Some("core") | None => "core",
                Some(_) => "other",
            };
            metrics::gauge!("chaffinch_github_rate_limit_remaining", "resource" => resource)
                .set(left as f64);
        }
    }
}

/// Where a redirect leads, if this call may follow it. A renamed repository answers 301 to reads
/// and 307 to writes; a write is repeated only where its meaning is kept, on the same host.
fn next_hop(call: &Call, from: &Url, answer: &Answer) -> Result<Url, ForgeError> {
    let refuse = |why: &str| ForgeError::Other(format!("github: {why}"));
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

async fn read(call: &Call, mut response: Response) -> Result<Answer, ForgeError> {
    let status = response.status();
    let limit = if status.is_success() { call.limit } else { FAILURE_LIMIT };
    let announced = response.content_length().unwrap_or(0);
    if status.is_success() && announced > limit {
        return Err(ForgeError::Truncated { limit });
    }
    let mut body = Vec::with_capacity(announced.min(limit) as usize);
    while let Some(chunk) = response.chunk().await.map_err(|e| unavailable(&e))? {
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
    Ok(Answer { status, headers: response.headers().clone(), body, route: call.route })
}

/// In our own words: the library's would name the address.
fn unavailable(error: &reqwest::Error) -> ForgeError {
    let why = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_body() || error.is_decode() {
        "the answer was cut off"
    } else {
        "the connection broke"
    };
    ForgeError::Unavailable { why: why.to_owned() }
}
