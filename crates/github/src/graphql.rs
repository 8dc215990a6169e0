//! GraphQL, for the little that REST cannot: threads as such, and closing them.

use chaffinch_core::ForgeError;
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Call},
    handle::Handle,
};

/// The pause after a limit that names no time.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// A query or mutation. All that we send may be done twice: closing what is closed changes nothing.
pub(crate) struct Query {
    pub(crate) text: &'static str,
    /// Its name, for logs.
    pub(crate) route: &'static str,
    pub(crate) needs: &'static str,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    message: String,
}

/// Asks; `None` where the server has no GraphQL at all.
pub(crate) async fn ask<T: DeserializeOwned>(
    handle: &Handle,
    query: &Query,
    variables: Value,
) -> Result<Option<T>, ForgeError> {
    let body = json!({ "query": query.text, "variables": variables });
    let url = handle.app.api.graphql_url();
    let mut call = Call::write(Method::POST, query.route, url, body, query.needs);
    call.repeatable = true;
    let answer = match handle.send(&call).await {
        // What is not there inside GraphQL comes as 200.
        Err(ForgeError::NotFound) => return Ok(None),
        answer => answer?,
    };
    let reply: Reply = answer.json()?;
    // Data beside an error is not whole, so not good enough.
    if let Some(problem) = reply.errors.first() {
        return Err(refused(problem, query, &answer, handle.app.api.clock().now()));
    }
    let unexpected =
        |_| ForgeError::Unavailable { why: format!("unexpected answer to {}", query.route) };
    serde_json::from_value(reply.data).map(Some).map_err(unexpected)
}

fn refused(problem: &Problem, query: &Query, answer: &Answer, now: DateTime<Utc>) -> ForgeError {
    match problem.r#type.as_str() {
        "NOT_FOUND" => ForgeError::NotFound,
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => ForgeError::Denied { needs: query.needs.to_owned() },
        "RATE_LIMITED" | "RATE_LIMIT" => {
            let reset = answer.number("x-ratelimit-reset");
            let reset = reset.and_then(|at| DateTime::from_timestamp(at, 0));
            ForgeError::RateLimited { until: reset.filter(|at| *at > now).unwrap_or(now + PAUSE) }
        }
        _ => ForgeError::Refused { why: problem.message.chars().take(500).collect() },
    }
}
