//! What an endpoint may answer, read leniently and judged strictly: a completion that is whole, or
//! the reason why there is none.

mod chat;
mod responses;
mod stream;

use chaffinch_core::SourceText;
use chaffinch_egress::Usage;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, error::Category};

use crate::{config::Api, failure::Failure, request::Question};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: SourceText,
    pub(crate) usage: Usage,
    /// As the endpoint says it.
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
}

/// Reads a reply of status 200. `streamed` says that it is a stream of events.
pub(crate) fn read(
    api: Api,
    body: &[u8],
    streamed: bool,
    question: &Question,
) -> Result<Answer, Failure> {
    match (api, streamed) {
        (Api::Chat, false) => chat::whole(body),
        (Api::Chat, true) => chat::streamed(body),
        (Api::Responses, false) => responses::whole(body, question.max_output_tokens),
        (Api::Responses, true) => responses::streamed(body, question.max_output_tokens),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|e| match e.classify() {
        Category::Data => Failure::malformed("the reply has another shape"),
        _ => Failure::not_json(),
    })
}

/// A value of the wanted type, or nothing: an oddity beside the answer does not spoil it.
fn lax<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// The error of a reply, where there is one: `null`, `false`, `""` and `{}` are none.
fn present(error: Option<&Value>) -> Option<&Value> {
    error.filter(|e| match e {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    })
}

/// One text of several. Measured first: a text that grows leaves copies behind that nobody wipes.
fn joined(texts: &[SourceText]) -> SourceText {
    let size = texts.iter().map(|text| text.expose().len()).sum();
    let mut all = String::with_capacity(size);
    texts.iter().for_each(|text| all.push_str(text.expose()));
    all.into()
}

fn is_blank(text: &SourceText) -> bool {
    text.expose().trim().is_empty()
}

#[derive(Deserialize, Default)]
struct Details {
    #[serde(default, deserialize_with = "lax")]
    cached_tokens: Option<u64>,
}
