//! Whether an error says that the endpoint does not know a field, or only mentions it.

use serde_json::Value;

use super::detail;

/// Codes of a field that the endpoint does not take.
const UNKNOWN_CODES: [&str; 4] =
    ["unsupported_parameter", "unknown_parameter", "unsupported_value", "extra_forbidden"];

/// Words of a field that the endpoint does not take, in lower case.
const UNKNOWN_WORDS: [&str; 11] = [
    "unsupported",
    "not support",
    "unknown",
    "unrecognized",
    "not recognized",
    "unexpected",
    "not permitted",
    "not allowed",
    "extra inputs",
    "extra_forbidden",
    "extra fields",
];

/// Words of a field that it takes, but not with this value.
const VALUE_WORDS: [&str; 5] = ["too large", "at most", "greater than", "maximum", "exceed"];

/// Whether the error says that the endpoint does not know `field`. One that only mentions it (it "is
/// too large") is no reason to leave it out of every request to come.
pub(super) fn is_unknown(field: &str, json: &Value, body: &[u8]) -> bool {
    let detail = detail(json);
    let text = |key: &str| detail.get(key).and_then(Value::as_str);
    let param = text("param");
    if param.is_some_and(|param| !param.contains(field)) {
        return false;
    }
    let mut codes = ["code", "type"].into_iter().filter_map(text);
    if param.is_some() && codes.any(|code| UNKNOWN_CODES.contains(&code)) {
        return true;
    }
    let words = match text("message") {
        Some(message) => message.to_lowercase(),
        None => String::from_utf8_lossy(body).to_lowercase(),
    };
    // Close by: in the same sentence, or of the same problem in a list of them.
    words.split(['{', '}']).flat_map(|part| part.split(". ")).any(|part| {
        let says = |words: &[&str]| words.iter().any(|word| part.contains(word));
        (param.is_some() || part.contains(field)) && says(&UNKNOWN_WORDS) && !says(&VALUE_WORDS)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Again, of_reply};
    use crate::{headers::Hints, request::Field};

    #[test]
    fn a_field_is_left_out_only_where_it_is_said_to_be_unknown() {
        let openai = |message: &str, param: &str, code: &str| {
            json!({"error": {"message": message, "type": "invalid_request_error",
                "param": param, "code": code}})
        };
        let says = |message: &str| json!({"error": {"message": message, "code": 400}});
        let limit = "max_completion_tokens";
        let entry = |kind: &str, field: &str| json!({"type": kind, "loc": ["body", field]});
        let unknown = [
            openai("m", limit, "unsupported_parameter"),
            openai("m", limit, "unknown_parameter"),
            openai("m", limit, "unsupported_value"),
            openai("Unrecognized argument.", limit, "x"),
            says("Unrecognized request argument supplied: max_completion_tokens"),
            says("max_completion_tokens: Extra inputs are not permitted"),
            says("property 'max_completion_tokens' is unsupported"),
            says("[{'type': 'extra_forbidden', 'loc': ('body', 'max_completion_tokens')}]"),
            json!({"detail": [entry("extra_forbidden", limit)]}),
            json!({"detail": "f() got an unexpected keyword argument 'max_completion_tokens'"}),
            json!({"error": "Unknown name \"max_completion_tokens\": Cannot find field."}),
        ];
        let mentioned = [
            openai("max_completion_tokens is too large: 9000", limit, "invalid_value"),
            openai("Unsupported value: 'x'. Use max_completion_tokens", "x", "unsupported_value"),
            says("max_completion_tokens is too large: 9. This model supports at most 8 of them."),
            says("this model does not support max_completion_tokens greater than 8"),
            says("max_completion_tokens must be positive"),
            says("Unknown model. See max_completion_tokens"),
            json!({"detail": [entry("extra_forbidden", "x"), entry("less_than_equal", limit)]}),
            json!({"error": {"code": "unsupported_country", "message": limit}}),
        ];
        for (bodies, again) in [
            (&unknown[..], Again::Without(Field::MaxCompletionTokens)),
            (&mentioned[..], Again::Never),
        ] {
            for body in bodies {
                let drops = |field| field == Field::MaxCompletionTokens;
                let bytes = body.to_string();
                let failure = of_reply(400, bytes.as_bytes(), Hints::default(), drops);
                assert_eq!(failure.again, again, "{body}");
            }
        }
    }
}
