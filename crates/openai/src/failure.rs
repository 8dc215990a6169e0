//! What went wrong, and whether asking again can help: decided where it is understood.
//!
//! Nothing of a body is kept: codes are compared with known ones, the rest is our own words.

mod unknown;

use std::time::Duration;

use chaffinch_egress::ModelError;
use serde_json::Value;

use self::unknown::is_unknown;
use crate::{headers::Hints, request::Field};

/// A failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: ModelError,
    pub(crate) again: Again,
}

/// Whether the same question may be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Never,
    /// After a pause of ours.
    Backoff,
    /// After the pause that the endpoint names.
    After(Duration),
    /// At once, without a field that the endpoint does not know.
    Without(Field),
}

impl Failure {
    pub(crate) fn never(error: ModelError) -> Self {
        Self { error, again: Again::Never }
    }

    pub(crate) fn backoff(error: ModelError) -> Self {
        Self { error, again: Again::Backoff }
    }

    /// A connection that could not be made says nothing about an earlier attempt's.
    pub(crate) fn after(self, may_have_left: bool) -> Self {
        match self.error {
            ModelError::Unreachable(what) if may_have_left => {
                Self { error: ModelError::Unavailable(what), ..self }
            }
            error => Self { error, ..self },
        }
    }

    /// No answer, or half of one.
    pub(crate) fn lost(what: &str) -> Self {
        Self::backoff(ModelError::Unavailable(what.to_owned()))
    }

    /// A whole answer, but none that we can use.
    pub(crate) fn malformed(what: &str) -> Self {
        Self::never(ModelError::Malformed(what.to_owned()))
    }

    /// Something that is not JSON where JSON should be: rather a gateway's page than an answer.
    pub(crate) fn not_json() -> Self {
        Self::backoff(ModelError::Malformed("the reply is not json".to_owned()))
    }
}

/// Reads an error reply. `may_drop` says which fields of the request could be left out.
pub(crate) fn of_reply(
    status: u16,
    body: &[u8],
    hints: Hints,
    may_drop: impl Fn(Field) -> bool,
) -> Failure {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let refused = || {
        let unknown = |field: &Field| may_drop(*field) && is_unknown(field.name(), &json, body);
        Field::ALL.into_iter().find(unknown)
    };
    // 422 is what typed servers answer to a field that they do not know, 500 what careless ones do.
    if matches!(status, 400 | 422 | 500)
        && let Some(field) = refused()
    {
        let error = ModelError::Other(format!("the endpoint refuses {}", field.name()));
        return Failure { error, again: Again::Without(field) };
    }
    let failure = of_error(&json).unwrap_or_else(|| of_status(status));
    hinted(failure, hints)
}

/// Reads the error that came with status 200, or in a stream.
pub(crate) fn of_error_in_reply(error: &Value) -> Failure {
    if let Some(known) = of_error(error) {
        return known;
    }
    let status = detail(error).get("code").and_then(Value::as_u64);
    match status.and_then(|s| u16::try_from(s).ok()).filter(|s| (400..600).contains(s)) {
        Some(status) => of_status(status),
        None => Failure::never(ModelError::Other("the endpoint says that it failed".to_owned())),
    }
}

/// The object that says what is wrong: under `error`, or, with some servers, the body itself.
fn detail(json: &Value) -> &Value {
    json.get("error").filter(|e| e.is_object()).unwrap_or(json)
}

/// By the words of the error, where they say more than the status.
fn of_error(json: &Value) -> Option<Failure> {
    let detail = detail(json);
    let inner = detail.get("innererror").or_else(|| detail.get("inner_error"));
    [detail.get("code"), detail.get("type"), inner.and_then(|i| i.get("code"))]
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find_map(of_word)
}

fn of_word(word: &str) -> Option<Failure> {
    let error = match word {
        "insufficient_quota"
        | "credit_balance_exhausted"
        | "organization_spend_limit_exceeded"
        | "project_spend_limit_exceeded"
        | "organization_usage_limit_exceeded" => ModelError::Quota,
        _ if word.starts_with("billing_") => ModelError::Quota,
        "context_length_exceeded" | "exceed_context_size_error" => ModelError::TooLarge,
        "content_filter"
        | "content_policy_violation"
        | "ResponsibleAIPolicyViolation"
        | "invalid_prompt" => ModelError::Filtered,
        "rate_limit_exceeded" | "slow_down" => {
            return Some(Failure::backoff(ModelError::RateLimited { after: None }));
        }
        "server_is_overloaded" | "server_error" => {
            return Some(Failure::lost("the endpoint says that it is overloaded or failed"));
        }
        _ => return None,
    };
    Some(Failure::never(error))
}

fn of_status(status: u16) -> Failure {
    let other = |what: &str| {
        Failure::never(ModelError::Other(format!("the endpoint {what} (status {status})")))
    };
    match status {
        300..=399 => other("redirects, which is not followed"),
        401 | 403 => Failure::never(ModelError::Denied),
        402 => Failure::never(ModelError::Quota),
        404 => other("has no such path or model"),
        408 | 409 | 500.. => Failure::lost(&format!("the endpoint answered with status {status}")),
        413 => Failure::never(ModelError::TooLarge),
        429 => Failure::backoff(ModelError::RateLimited { after: None }),
        _ => other("refuses the request"),
    }
}

/// What the headers say of asking again, which wins over the status, but not over a used-up quota.
fn hinted(failure: Failure, hints: Hints) -> Failure {
    if failure.error == ModelError::Quota {
        return failure;
    }
    let error = match failure.error {
        ModelError::RateLimited { after: None } => ModelError::RateLimited { after: hints.after },
        error => error,
    };
    let wanted = match hints.should_retry {
        Some(wanted) => wanted,
        None => failure.again != Again::Never,
    };
    let again = match hints.after {
        _ if !wanted => Again::Never,
        Some(pause) => Again::After(pause),
        None => Again::Backoff,
    };
    Failure { error, again }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(status: u16, body: &Value) -> Failure {
        of_reply(status, body.to_string().as_bytes(), Hints::default(), |_| false)
    }

    #[test]
    fn every_way_of_saying_that_the_money_is_gone_is_final() {
        let codes = [
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "billing_hard_limit_reached",
            "billing_not_active",
        ];
        for code in codes {
            for body in [
                json!({"error": {"message": "m", "type": "t", "param": null, "code": code}}),
                json!({"error": {"message": "m", "type": code, "param": null, "code": null}}),
            ] {
                let hints = Hints { after: Some(Duration::from_secs(1)), should_retry: Some(true) };
                let failure = of_reply(429, body.to_string().as_bytes(), hints, |_| false);
                assert_eq!(failure, Failure::never(ModelError::Quota), "{body}");
            }
        }
        assert_eq!(reply(402, &json!({})), Failure::never(ModelError::Quota));
    }

    #[test]
    fn what_cannot_change_is_not_asked_again() {
        let cases = [
            (400, json!({"error": {"code": "context_length_exceeded"}}), ModelError::TooLarge),
            (
                400,
                json!({"error": {"code": 400, "type": "exceed_context_size_error"}}),
                ModelError::TooLarge,
            ),
            (
                400,
                json!({"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
                ModelError::Filtered,
            ),
            (
                400,
                json!({"error": {"code": null, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
                ModelError::Filtered,
            ),
            (400, json!({"error": {"code": "invalid_prompt"}}), ModelError::Filtered),
            (
                401,
                json!({"error": {"code": 401, "type": "authentication_error"}}),
                ModelError::Denied,
            ),
            (403, json!({"error": "forbidden"}), ModelError::Denied),
            (
                404,
                json!({"error": {"code": "DeploymentNotFound"}}),
                ModelError::Other("the endpoint has no such path or model (status 404)".into()),
            ),
            (413, json!(null), ModelError::TooLarge),
            (
                422,
                json!({"detail": [{"loc": ["body"]}]}),
                ModelError::Other("the endpoint refuses the request (status 422)".into()),
            ),
            (
                307,
                json!(null),
                ModelError::Other(
                    "the endpoint redirects, which is not followed (status 307)".into(),
                ),
            ),
        ];
        for (status, body, error) in cases {
            assert_eq!(reply(status, &body), Failure::never(error), "{status} {body}");
        }
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529, 599] {
            for body in [json!({"error": {"code": status, "type": "x"}}), json!("<html>")] {
                assert_eq!(reply(status, &body).again, Again::Backoff, "{status}");
            }
        }
    }

    #[test]
    fn the_endpoints_hints_win() {
        let after = Some(Duration::from_secs(3));
        let hinted = |status, after, should_retry| {
            of_reply(status, b"", Hints { after, should_retry }, |_| false).again
        };
        assert_eq!(hinted(503, after, None), Again::After(Duration::from_secs(3)));
        assert_eq!(hinted(503, after, Some(false)), Again::Never);
        assert_eq!(hinted(400, None, Some(true)), Again::Backoff);
        assert_eq!(hinted(400, after, None), Again::Never);
        let limited = of_reply(429, b"", Hints { after, should_retry: None }, |_| false);
        assert_eq!(limited.error, ModelError::RateLimited { after });
    }

    #[test]
    fn a_field_that_the_endpoint_does_not_know_is_left_out() {
        let openai =
            json!({"error": {"code": "unsupported_parameter", "param": "max_completion_tokens"}});
        let typed =
            json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "prompt_cache_key"]}]});
        for (status, body, field) in [
            (400, &openai, Field::MaxCompletionTokens),
            (422, &typed, Field::PromptCacheKey),
            (500, &typed, Field::PromptCacheKey),
        ] {
            let bytes = body.to_string();
            let failure = of_reply(status, bytes.as_bytes(), Hints::default(), |_| true);
            assert_eq!(failure.again, Again::Without(field));
            let failure = of_reply(400, bytes.as_bytes(), Hints::default(), |_| false);
            assert_eq!(failure.again, Again::Never);
        }
    }

    #[test]
    fn no_word_of_a_body_is_in_an_error() {
        for status in [301, 400, 401, 402, 404, 418, 429, 500] {
            let body = json!({"error": {"message": "sentinel", "code": "sentinel", "type": "sentinel", "param": "sentinel"}});
            let shown = format!("{:?}", reply(status, &body));
            assert!(!shown.contains("sentinel"), "{shown}");
        }
    }
}
