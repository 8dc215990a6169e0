//! An answer that says no → the case that a caller branches on.

use chaffinch_core::ForgeError;
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde_json::Value;

use super::Answer;
use crate::config::GITHUB_FILE_LIMIT;

/// GitHub asks for at least this after a secondary limit that names no time, in seconds.
const LEAST_PAUSE: i64 = 60;
/// No stated time further off is believed, in seconds.
const LONGEST_PAUSE: i64 = 24 * 60 * 60;
const WHY_LIMIT: usize = 500;

/// What GitHub says of its refusal.
pub(crate) struct Told {
    /// Its message, and its errors where they are texts. Objects among the errors are left out: they
    /// can quote what was sent.
    pub(crate) text: String,
    codes: Vec<String>,
}

impl Told {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let message = body["message"].as_str().unwrap_or_default();
        let texts = std::iter::once(message).chain(errors.iter().filter_map(Value::as_str));
        let text = texts.filter(|t| !t.is_empty()).collect::<Vec<_>>().join("; ");
        let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let codes = errors.iter().flat_map(|e| [&e["code"], &e["message"]]);
        Self {
            text: text.take(WHY_LIMIT).collect(),
            codes: codes.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    fn says(&self, what: &str) -> bool {
        self.texts().any(|text| text.contains(what))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.text).chain(&self.codes).map(String::as_str)
    }
}

/// Whether GitHub's words name a limit. A secondary limit has no other sign in GraphQL.
pub(crate) fn names_limit(words: &str) -> bool {
    ["secondary rate limit", "abuse detection mechanism", "API rate limit exceeded"]
        .iter()
        .any(|limit| words.contains(limit))
}

/// Maps an answer that is not a success. `needs` is the permission that the call takes.
pub(crate) fn refused(answer: &Answer, needs: &str, now: DateTime<Utc>) -> ForgeError {
    let told = Told::of(answer);
    let limits = matches!(
        answer.status,
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS | StatusCode::UNPROCESSABLE_ENTITY
    );
    if limits && let Some(until) = limited(answer, &told, now) {
        return ForgeError::RateLimited { until };
    }
    match answer.status {
        StatusCode::UNAUTHORIZED => {
            ForgeError::Denied { needs: "credentials that GitHub accepts".to_owned() }
        }
        // "This API returns blobs up to 100 MB in size."
        StatusCode::FORBIDDEN if told.says("too_large") => {
            ForgeError::Truncated { limit: GITHUB_FILE_LIMIT }
        }
        StatusCode::FORBIDDEN => ForgeError::Denied { needs: needed(answer, needs) },
        StatusCode::NOT_FOUND => ForgeError::NotFound,
        StatusCode::REQUEST_TIMEOUT => ForgeError::Unavailable { why: "timed out".to_owned() },
        status if status.is_server_error() => {
            ForgeError::Unavailable { why: status.as_u16().to_string() }
        }
        status if status.is_client_error() => ForgeError::Refused {
            why: if told.text.is_empty() { status.as_u16().to_string() } else { told.text },
        },
        status => ForgeError::Other(format!("github: unexpected status {}", status.as_u16())),
    }
}

/// Until when, if this refusal is a primary or secondary rate limit.
fn limited(answer: &Answer, told: &Told, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
        return told.says("was submitted too quickly").then(|| after(now, LEAST_PAUSE));
    }
    let is_limit = answer.status == StatusCode::TOO_MANY_REQUESTS
        || answer.text("retry-after").is_some()
        || answer.number("x-ratelimit-remaining") == Some(0)
        || told.texts().any(names_limit);
    is_limit.then(|| limit_ends(answer, now))
}

/// When the limit ends that `answer` tells of: as its headers say, within bounds.
pub(crate) fn limit_ends(answer: &Answer, now: DateTime<Utc>) -> DateTime<Utc> {
    if let Some(header) = answer.text("retry-after") {
        return after(now, header.trim().parse().unwrap_or(LEAST_PAUSE));
    }
    let reset = answer.number("x-ratelimit-reset");
    match (answer.number("x-ratelimit-remaining"), reset) {
        (Some(0), Some(at)) => after(now, at.saturating_sub(now.timestamp())),
        _ => after(now, LEAST_PAUSE),
    }
}

fn after(now: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    now + TimeDelta::seconds(seconds.clamp(1, LONGEST_PAUSE))
}

/// What would allow it: GitHub's own word ("pull_requests=write"), if it gives one.
fn needed(answer: &Answer, needs: &str) -> String {
    let header = answer.text("x-accepted-github-permissions").map(str::trim);
    match header.filter(|h| !h.is_empty() && h.len() <= 200 && h.contains('=')) {
        Some(header) => header.replace('=', ": ").replace(',', ", ").replace(",  ", ", "),
        None => needs.to_owned(),
    }
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
        Answer { status, headers, body: body.as_bytes().to_vec(), route: "/x" }
    }

    #[test]
    fn every_refusal_becomes_the_case_that_a_caller_branches_on() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
        let abuse = r#"{"message":"You have triggered an abuse detection mechanism."}"#;
        let integration = r#"{"message":"Resource not accessible by integration"}"#;
        let rows = [
            (401, vec![], r#"{"message":"Bad credentials"}"#),
            (403, vec![], integration),
            (
                403,
                vec![("x-accepted-github-permissions", "pull_requests=write,contents=read")],
                integration,
            ),
            (403, vec![("x-accepted-github-permissions", "")], integration),
            (403, vec![("x-ratelimit-remaining", "17")], integration),
            (403, vec![("retry-after", "7")], secondary),
            (403, vec![("retry-after", "soon")], secondary),
            (403, vec![("retry-after", "999999999")], secondary),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000090")], "{}"),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3")], "{}"),
            (403, vec![("x-ratelimit-remaining", "0")], "{}"),
            (403, vec![("x-ratelimit-remaining", "4000")], secondary),
            (403, vec![], abuse),
            (403, vec![], r#"{"errors":[{"code":"too_large"}]}"#),
            (429, vec![], ""),
            (404, vec![], ""),
            (409, vec![], r#"{"message":"Git Repository is empty."}"#),
            (410, vec![], r#"{"message":"Gone"}"#),
            (
                422,
                vec![],
                r#"{"message":"Unprocessable Entity","errors":["line must be part of the diff"]}"#,
            ),
            (
                422,
                vec![],
                r#"{"message":"Validation Failed","errors":[{"value":"let secret = 1;"}]}"#,
            ),
            (
                422,
                vec![],
                r#"{"message":"Validation Failed","errors":[{"code":"custom","message":"was submitted too quickly"}]}"#,
            ),
            (418, vec![], "<html>"),
            (500, vec![], ""),
            (503, vec![("retry-after", "9")], ""),
            (304, vec![], ""),
        ];
        let table = rows.map(|(status, headers, body)| {
            let error = refused(&answer(status, &headers, body), "checks: write", now);
            format!("{status} {error}")
        });
        insta::assert_snapshot!(table.join("\n"), @"
        401 denied: needs credentials that GitHub accepts
        403 denied: needs checks: write
        403 denied: needs pull_requests: write, contents: read
        403 denied: needs checks: write
        403 denied: needs checks: write
        403 rate limited until 1970-01-12 13:46:47 UTC
        403 rate limited until 1970-01-12 13:47:40 UTC
        403 rate limited until 1970-01-13 13:46:40 UTC
        403 rate limited until 1970-01-12 13:48:10 UTC
        403 rate limited until 1970-01-12 13:46:41 UTC
        403 rate limited until 1970-01-12 13:47:40 UTC
        403 rate limited until 1970-01-12 13:47:40 UTC
        403 rate limited until 1970-01-12 13:47:40 UTC
        403 larger than 104857600 bytes
        429 rate limited until 1970-01-12 13:47:40 UTC
        404 not found
        409 refused: Git Repository is empty.
        410 refused: Gone
        422 refused: Unprocessable Entity; line must be part of the diff
        422 refused: Validation Failed
        422 rate limited until 1970-01-12 13:47:40 UTC
        418 refused: 418
        500 unavailable: 500
        503 unavailable: 503
        304 github: unexpected status 304
        ");
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
