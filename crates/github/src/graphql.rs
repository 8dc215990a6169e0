//! GraphQL, for the little that REST cannot: threads as such, and closing them.

use chaffinch_core::ForgeError;
use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Call, limit_ends, names_limit},
    handle::Handle,
};

/// Characters of GitHub's words that are kept.
const WHY_LIMIT: usize = 500;

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

/// Only what is known to stay so is final: "Something went wrong while executing your query" has no
/// type, and neither has a secondary limit.
fn refused(problem: &Problem, query: &Query, answer: &Answer, now: DateTime<Utc>) -> ForgeError {
    let plain = |words: &str| -> String {
        words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WHY_LIMIT).collect()
    };
    match problem.r#type.as_str() {
        _ if names_limit(&problem.message)
            || problem.message.contains("was submitted too quickly") =>
        {
            ForgeError::RateLimited { until: limit_ends(answer, now) }
        }
        "RATE_LIMITED" | "RATE_LIMIT" => ForgeError::RateLimited { until: limit_ends(answer, now) },
        "NOT_FOUND" => ForgeError::NotFound,
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => ForgeError::Denied { needs: query.needs.to_owned() },
        "UNPROCESSABLE" if query.text.starts_with("mutation") => {
            ForgeError::Refused { why: plain(&problem.message) }
        }
        _ => {
            ForgeError::Unavailable { why: plain(&format!("{}: {}", query.route, problem.message)) }
        }
    }
}
