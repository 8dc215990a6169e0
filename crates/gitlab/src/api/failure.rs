//! An answer that says no → the case that a caller branches on.

use chaffinch_core::ForgeError;
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde_json::Value;

use super::Answer;
use crate::body::one_line;

/// How long to wait where a limit names no time, in seconds: GitLab's limits are by the minute.
const LEAST_PAUSE: i64 = 60;
/// No stated time further off is believed, in seconds.
const LONGEST_PAUSE: i64 = 24 * 60 * 60;
const WHY_LIMIT: usize = 500;

/// What GitLab says of its refusal.
struct Told {
    /// Its `message` or `error`, which are a text, a list, or an object of lists.
    text: String,
    /// The scope that it misses, where it names one.
    scope: Option<String>,
}

impl Told {
    fn of(answer: &Answer) -> Self {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mut texts = Vec::new();
        flatten("", &body["message"], &mut texts);
        if texts.is_empty() {
            flatten("", &body["error"], &mut texts);
        }
        let scope = body["scope"].as_str().filter(|_| body["error"] == "insufficient_scope");
        Self { text: one_line(&texts.join("; "), WHY_LIMIT), scope: scope.map(str::to_owned) }
    }
}

/// `{"position": ["is incomplete"]}` → `position is incomplete`.
fn flatten(name: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if name.is_empty() => into.push(text.clone()),
        Value::String(text) => into.push(format!("{name} {text}")),
        Value::Array(all) => all.iter().for_each(|value| flatten(name, value, into)),
        Value::Object(all) => all.iter().for_each(|(name, value)| flatten(name, value, into)),
        _ => {}
    }
}

/// Maps an answer that is not a success. `needs` is the scope and role that the call takes.
pub(crate) fn refused(answer: &Answer, needs: &str, now: DateTime<Utc>) -> ForgeError {
    let told = Told::of(answer);
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => ForgeError::RateLimited { until: limit_ends(answer, now) },
        // Rotating a token ends it at once, in the middle of jobs: the next try has the new one. Where
        // there is none, the tries come to an end.
        StatusCode::UNAUTHORIZED if answer.taken_before => ForgeError::Unavailable {
            why: "a token that GitLab took before is refused: was it replaced, or has it ended?"
                .to_owned(),
        },
        StatusCode::UNAUTHORIZED => ForgeError::Denied {
            needs: "a token that GitLab accepts; this one may be expired or revoked".to_owned(),
        },
        StatusCode::FORBIDDEN => {
            let scope = told.scope.map(|scope| format!("scope {}", one_line(&scope, 100)));
            ForgeError::Denied { needs: scope.unwrap_or_else(|| needs.to_owned()) }
        }
        StatusCode::NOT_FOUND => ForgeError::NotFound,
        StatusCode::REQUEST_TIMEOUT => ForgeError::Unavailable { why: "timed out".to_owned() },
        status if status.is_server_error() => {
            ForgeError::Unavailable { why: status.as_u16().to_string() }
        }
        status if status.is_client_error() => ForgeError::Refused {
            why: if told.text.is_empty() { status.as_u16().to_string() } else { told.text },
        },
        status => ForgeError::Other(format!("gitlab: unexpected status {}", status.as_u16())),
    }
}

/// When the limit ends that `answer` tells of: as its headers say, within bounds.
fn limit_ends(answer: &Answer, now: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = match (answer.number("retry-after"), answer.number("ratelimit-reset")) {
        (Some(seconds), _) => seconds,
        (None, Some(at)) => at.saturating_sub(now.timestamp()),
        (None, None) => LEAST_PAUSE,
    };
    now + TimeDelta::seconds(seconds.clamp(1, LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v)))
            .collect::<HeaderMap>();
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers, body: body.as_bytes().to_vec(), route: "/x", taken_before: false }
    }

    #[test]
    fn every_refusal_becomes_the_case_that_a_caller_branches_on() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let rows = [
            (401, vec![], r#"{"message":"401 Unauthorized"}"#),
            (401, vec![], r#"{"error":"invalid_token","error_description":"Token was revoked."}"#),
            (403, vec![], r#"{"message":"403 Forbidden"}"#),
            (403, vec![], r#"{"error":"insufficient_scope","scope":"api"}"#),
            (404, vec![], r#"{"message":"404 Project Not Found"}"#),
            (429, vec![("retry-after", "7")], "Retry later"),
            (429, vec![("retry-after", "999999999")], ""),
            (429, vec![("retry-after", "soon")], ""),
            (429, vec![("ratelimit-reset", "1000090")], "{}"),
            (429, vec![("ratelimit-reset", "3")], "{}"),
            (
                400,
                vec![],
                r#"{"message":"400 Bad request - Note {:line_code=>[\"can't be blank\"]}"}"#,
            ),
            (400, vec![], r#"{"message":{"position":["is incomplete","is odd"],"note":["x"]}}"#),
            (400, vec![], r#"{"error":"state does not have a valid value"}"#),
            (409, vec![], r#"{"message":["Another update"]}"#),
            (422, vec![], "<html>"),
            (500, vec![], ""),
            (503, vec![("retry-after", "9")], ""),
            (304, vec![], ""),
        ];
        let table = rows.map(|(status, headers, body)| {
            let error = refused(&answer(status, &headers, body), "api, Developer", now);
            format!("{status} {error}")
        });
        insta::assert_snapshot!(table.join("\n"), @r#"
        401 denied: needs a token that GitLab accepts; this one may be expired or revoked
        401 denied: needs a token that GitLab accepts; this one may be expired or revoked
        403 denied: needs api, Developer
        403 denied: needs scope api
        404 not found
        429 rate limited until 1970-01-12 13:46:47 UTC
        429 rate limited until 1970-01-13 13:46:40 UTC
        429 rate limited until 1970-01-12 13:47:40 UTC
        429 rate limited until 1970-01-12 13:48:10 UTC
        429 rate limited until 1970-01-12 13:46:41 UTC
        400 refused: 400 Bad request - Note {:line_code=>["can't be blank"]}
        400 refused: note x; position is incomplete; position is odd
        400 refused: state does not have a valid value
        409 refused: Another update
        422 refused: 422
        500 unavailable: 500
        503 unavailable: 503
        304 gitlab: unexpected status 304
        "#);
    }

    #[test]
    fn a_refusal_is_cut_and_holds_no_line_breaks() {
        let body = serde_json::json!({ "message": "a\nb".repeat(1000) }).to_string();
        let error = refused(&answer(422, &[], &body), "", DateTime::default());
        let ForgeError::Refused { why } = error else { panic!("{error}") };
        assert_eq!(why.chars().count(), WHY_LIMIT);
        assert!(!why.contains('\n'));
    }
}
