//! Chat Completions.

use std::fmt;

use chaffinch_core::SourceText;
use chaffinch_egress::{ModelError, Usage};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::Value;

use super::{Answer, Details, is_blank, joined, lax, parse, present, stream};
use crate::failure::{Failure, of_error_in_reply};

#[derive(Deserialize)]
struct Chat {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default, deserialize_with = "lax")]
    model: Option<String>,
    #[serde(default, deserialize_with = "lax")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lax")]
    usage: Option<Tokens>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Choice {
    /// The answer, whole.
    #[serde(default)]
    message: Option<Message>,
    /// The next piece of it.
    #[serde(default)]
    delta: Option<Message>,
    #[serde(default, deserialize_with = "lax")]
    finish_reason: Option<String>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Message {
    #[serde(default)]
    content: Content,
    #[serde(default)]
    refusal: Option<SourceText>,
}

#[derive(Deserialize, Default)]
struct Tokens {
    #[serde(default, deserialize_with = "lax")]
    prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lax")]
    completion_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lax")]
    prompt_tokens_details: Option<Details>,
}

/// The text of a message: a string, or, with some servers, a list of parts.
#[derive(Default)]
struct Content {
    text: Option<SourceText>,
    refused: bool,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default, rename = "type", deserialize_with = "lax")]
    kind: Option<String>,
    #[serde(default)]
    text: Option<SourceText>,
}

pub(super) fn whole(body: &[u8]) -> Result<Answer, Failure> {
    judge(parse(body)?)
}

/// Puts the pieces together; one answer comes out, and is judged like one that came whole.
pub(super) fn streamed(body: &[u8]) -> Result<Answer, Failure> {
    let mut text = String::with_capacity(body.len());
    let mut refused = false;
    let mut all = Chat { choices: None, model: None, id: None, usage: None, error: None };
    let mut choice = Choice::default();
    for event in stream::events(body) {
        let chunk: Chat = parse(&event)?;
        if let Some(error) = present(chunk.error.as_ref()) {
            return Err(of_error_in_reply(error));
        }
        all.model = all.model.or(chunk.model);
        all.id = all.id.or(chunk.id);
        all.usage = chunk.usage.or(all.usage);
        let Some(piece) = chunk.choices.and_then(|c| c.into_iter().next()) else { continue };
        choice.finish_reason = piece.finish_reason.or(choice.finish_reason);
        choice.error = piece.error.or(choice.error);
        if let Some(delta) = piece.delta.or(piece.message) {
            refused |= delta.content.refused || delta.refusal.is_some_and(|r| !is_blank(&r));
            text.push_str(delta.content.text.as_ref().map_or("", SourceText::expose));
        }
    }
    // Wiped when dropped, also where the answer is not used.
    let text = SourceText::new(text);
    if choice.finish_reason.is_none() && choice.error.is_none() {
        return Err(Failure::lost("the stream ended early"));
    }
    let content = Content { text: Some(text), refused };
    choice.message = Some(Message { content, refusal: None });
    all.choices = Some(vec![choice]);
    judge(all)
}

fn judge(reply: Chat) -> Result<Answer, Failure> {
    if let Some(error) = present(reply.error.as_ref()) {
        return Err(of_error_in_reply(error));
    }
    let Some(choice) = reply.choices.into_iter().flatten().next() else {
        return Err(Failure::malformed("the reply holds no choice"));
    };
    if let Some(error) = present(choice.error.as_ref()) {
        return Err(of_error_in_reply(error));
    }
    let message = choice.message.unwrap_or_default();
    if message.content.refused || message.refusal.is_some_and(|r| !is_blank(&r)) {
        return Err(Failure::never(ModelError::Refused));
    }
    finished(choice.finish_reason.as_deref())?;
    let Some(text) = message.content.text.filter(|t| !is_blank(t)) else {
        return Err(Failure::malformed("the answer is empty"));
    };
    let tokens = reply.usage.unwrap_or_default();
    let usage = Usage {
        input: tokens.prompt_tokens.unwrap_or_default(),
        cached: tokens.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or_default(),
        output: tokens.completion_tokens.unwrap_or_default(),
    };
    Ok(Answer { text, usage, model: reply.model, id: reply.id })
}

/// Only an end that is known to be one lets the answer pass.
fn finished(reason: Option<&str>) -> Result<(), Failure> {
    match reason {
        // OpenAI's own, and what TGI and others say for the same.
        Some("stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn") => Ok(()),
        Some("length" | "max_tokens" | "model_length") => Err(Failure::never(ModelError::Cut)),
        Some("content_filter") => Err(Failure::never(ModelError::Filtered)),
        Some("error") => Err(Failure::lost("the endpoint failed while it answered")),
        Some("tool_calls" | "function_call") => {
            Err(Failure::malformed("the model called a tool, and it has none"))
        }
        None | Some("") => Err(Failure::malformed("the reply does not say that it is whole")),
        Some(_) => Err(Failure::malformed("the reply ended for an unknown reason")),
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

/// By hand, because an untagged enum would leave copies of the text behind.
struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a list of parts, or null")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content { text: Some(text.into()), refused: false })
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content { text: Some(text.into()), refused: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        let mut texts = Vec::new();
        let mut refused = false;
        while let Some(part) = parts.next_element::<Part>()? {
            match part.kind.as_deref() {
                Some("text") => texts.extend(part.text),
                Some("refusal") => refused = true,
                _ => {}
            }
        }
        Ok(Content { text: Some(joined(&texts)), refused })
    }
}
