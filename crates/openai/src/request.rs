//! What is sent, for both interfaces: `store` false, no metadata, no identity, no temperature.

use bytes::Bytes;
use chaffinch_core::{AnswerSchema, Prompt, SourceText};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::config::{Api, Config, OutputLimit, Structured};

/// A prompt, rendered.
pub(crate) struct Question {
    /// The same for every prompt of a version: endpoints find their cache by it.
    pub(crate) cache_key: String,
    pub(crate) instructions: &'static str,
    pub(crate) schema: &'static AnswerSchema,
    pub(crate) text: SourceText,
    pub(crate) max_output_tokens: u32,
}

impl From<&Prompt> for Question {
    fn from(prompt: &Prompt) -> Self {
        Self {
            cache_key: format!("chaffinch-{}", prompt.version),
            instructions: prompt.instructions,
            schema: prompt.schema,
            text: prompt.render(),
            max_output_tokens: prompt.max_output_tokens,
        }
    }
}

/// A field that the answer does not depend on, and that some servers refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// `max_tokens` says the same.
    MaxCompletionTokens,
    /// Only saves money.
    PromptCacheKey,
}

impl Field {
    pub(crate) const ALL: [Self; 2] = [Self::MaxCompletionTokens, Self::PromptCacheKey];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::PromptCacheKey => "prompt_cache_key",
        }
    }
}

/// Which of the fields that a server may refuse are in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) max_completion_tokens: bool,
    pub(crate) prompt_cache_key: bool,
}

impl Shape {
    pub(crate) fn first(config: &Config) -> Self {
        Self {
            max_completion_tokens: config.api == Api::Chat
                && config.output_limit != OutputLimit::MaxTokens,
            prompt_cache_key: true,
        }
    }

    /// Whether the endpoint may be asked again without `field`.
    pub(crate) fn may_drop(self, field: Field, config: &Config) -> bool {
        match field {
            Field::MaxCompletionTokens => {
                self.max_completion_tokens && config.output_limit == OutputLimit::Auto
            }
            Field::PromptCacheKey => self.prompt_cache_key,
        }
    }

    #[must_use]
    pub(crate) fn without(self, field: Field) -> Self {
        match field {
            Field::MaxCompletionTokens => Self { max_completion_tokens: false, ..self },
            Field::PromptCacheKey => Self { prompt_cache_key: false, ..self },
        }
    }
}

#[derive(Serialize)]
struct Chat<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ChatFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    store: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ChatFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: Schema<'a> },
}

#[derive(Serialize)]
struct Schema<'a> {
    name: &'a str,
    strict: bool,
    schema: &'a RawValue,
}

#[derive(Serialize)]
struct Responses<'a> {
    model: &'a str,
    instructions: &'a str,
    input: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning<'a>>,
    store: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Text<'a> {
    format: TextFormat<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum TextFormat<'a> {
    JsonObject,
    JsonSchema(Schema<'a>),
}

#[derive(Serialize)]
struct Reasoning<'a> {
    effort: &'a str,
}

/// The body of a request, wiped from memory when the last handle to it is dropped.
///
/// # Errors
/// If the schema is not JSON.
pub(crate) fn body(
    config: &Config,
    question: &Question,
    shape: Shape,
) -> serde_json::Result<Bytes> {
    let schema = Schema {
        name: question.schema.name,
        strict: true,
        // As it is written: the order of its keys is the order of the answer's.
        schema: serde_json::from_str(question.schema.json)?,
    };
    let effort = config.reasoning_effort.as_deref();
    let prompt_cache_key = shape.prompt_cache_key.then_some(question.cache_key.as_str());
    let stream = config.stream.then_some(true);
    // Room for all of it, so that growing leaves no copies behind.
    let mut out = Vec::with_capacity(2 * question.text.expose().len() + 16 * 1024);
    match config.api {
        Api::Chat => {
            let limit = question.max_output_tokens;
            let request = Chat {
                model: &config.model,
                messages: [
                    Message { role: "system", content: question.instructions },
                    Message { role: "user", content: question.text.expose() },
                ],
                response_format: match config.structured {
                    Structured::Schema => Some(ChatFormat::JsonSchema { json_schema: schema }),
                    Structured::Object => Some(ChatFormat::JsonObject),
                    Structured::Off => None,
                },
                max_completion_tokens: shape.max_completion_tokens.then_some(limit),
                max_tokens: (!shape.max_completion_tokens).then_some(limit),
                reasoning_effort: effort,
                store: false,
                prompt_cache_key,
                stream,
                stream_options: stream.map(|include_usage| StreamOptions { include_usage }),
                extra: &config.extra,
            };
            serde_json::to_writer(&mut out, &request)?;
        }
        Api::Responses => {
            let request = Responses {
                model: &config.model,
                instructions: question.instructions,
                input: question.text.expose(),
                text: match config.structured {
                    Structured::Schema => Some(TextFormat::JsonSchema(schema)),
                    Structured::Object => Some(TextFormat::JsonObject),
                    Structured::Off => None,
                }
                .map(|format| Text { format }),
                max_output_tokens: question.max_output_tokens,
                reasoning: effort.map(|effort| Reasoning { effort }),
                store: false,
                prompt_cache_key,
                stream,
                extra: &config.extra,
            };
            serde_json::to_writer(&mut out, &request)?;
        }
    }
    Ok(Bytes::from_owner(Wiped(out.into())))
}

struct Wiped(chaffinch_core::SourceBytes);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}
