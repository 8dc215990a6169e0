//! Responses.

use chaffinch_core::SourceText;
use chaffinch_egress::{ModelError, Usage};
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Details, is_blank, joined, lax, parse, present, stream};
use crate::failure::{Failure, of_error_in_reply};

#[derive(Deserialize)]
struct Response {
    #[serde(default, deserialize_with = "lax")]
    status: Option<String>,
    #[serde(default)]
    output: Option<Vec<Item>>,
    #[serde(default, deserialize_with = "lax")]
    incomplete_details: Option<Incomplete>,
    #[serde(default, deserialize_with = "lax")]
    model: Option<String>,
    #[serde(default, deserialize_with = "lax")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lax")]
    usage: Option<Tokens>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Incomplete {
    #[serde(default, deserialize_with = "lax")]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default, rename = "type", deserialize_with = "lax")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "lax")]
    status: Option<String>,
    #[serde(default)]
    content: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default, rename = "type", deserialize_with = "lax")]
    kind: Option<String>,
    #[serde(default)]
    text: Option<SourceText>,
}

#[derive(Deserialize, Default)]
struct Tokens {
    #[serde(default, deserialize_with = "lax")]
    input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lax")]
    output_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lax")]
    input_tokens_details: Option<Details>,
}

/// An event of a stream.
#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "type", deserialize_with = "lax")]
    kind: Option<String>,
    /// The whole response, in the events that end a stream.
    #[serde(default)]
    response: Option<Response>,
}

pub(super) fn whole(body: &[u8], limit: u32) -> Result<Answer, Failure> {
    judge(parse(body)?, limit)
}

/// The last event repeats everything before it.
pub(super) fn streamed(body: &[u8], limit: u32) -> Result<Answer, Failure> {
    for text in stream::events(body) {
        let event: Event = parse(&text)?;
        match (event.kind.as_deref(), event.response) {
            (
                Some("response.completed" | "response.incomplete" | "response.failed"),
                Some(response),
            ) => return judge(response, limit),
            (Some("error"), _) => {
                return Err(of_error_in_reply(&parse(&text)?));
            }
            _ => {}
        }
    }
    Err(Failure::lost("the stream ended early"))
}

fn judge(reply: Response, limit: u32) -> Result<Answer, Failure> {
    let error = present(reply.error.as_ref());
    match (reply.status.as_deref(), error) {
        (_, Some(error)) => return Err(of_error_in_reply(error)),
        (Some("completed"), None) => {}
        (Some("incomplete"), None) => {
            let reason = reply.incomplete_details.and_then(|d| d.reason);
            return Err(match reason.as_deref() {
                Some("max_output_tokens") => Failure::never(ModelError::Cut),
                Some("content_filter") => Failure::never(ModelError::Filtered),
                _ => Failure::malformed("the answer is incomplete for an unknown reason"),
            });
        }
        (Some("failed"), None) => {
            return Err(Failure::lost("the endpoint failed while it answered"));
        }
        (Some(_), None) => return Err(Failure::malformed("the answer is not finished")),
        (None, None) => {
            return Err(Failure::malformed("the reply does not say that it is whole"));
        }
    }
    let tokens = reply.usage.unwrap_or_default();
    let usage = Usage {
        input: tokens.input_tokens.unwrap_or_default(),
        cached: tokens.input_tokens_details.and_then(|d| d.cached_tokens).unwrap_or_default(),
        output: tokens.output_tokens.unwrap_or_default(),
    };
    // llama.cpp's server calls a cut answer completed; its usage tells.
    if usage.output >= u64::from(limit) {
        return Err(Failure::never(ModelError::Cut));
    }
    let text = message(reply.output.unwrap_or_default())?;
    Ok(Answer { text, usage, model: reply.model, id: reply.id })
}

/// The text of the last message: reasoning items, and remarks on the way, come before it.
fn message(output: Vec<Item>) -> Result<SourceText, Failure> {
    let mut last = None;
    for item in output.into_iter().filter(|i| i.kind.as_deref() == Some("message")) {
        let mut texts = Vec::new();
        for part in item.content.unwrap_or_default() {
            match part.kind.as_deref() {
                Some("refusal") => return Err(Failure::never(ModelError::Refused)),
                Some("output_text") => texts.extend(part.text),
                _ => {}
            }
        }
        last = Some((joined(&texts), item.status));
    }
    match last {
        Some((_, Some(status))) if status == "incomplete" => Err(Failure::never(ModelError::Cut)),
        Some((text, _)) if !is_blank(&text) => Ok(text),
        _ => Err(Failure::malformed("the answer is empty")),
    }
}
