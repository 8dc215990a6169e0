//! What an endpoint can do, found out with questions that hold nothing of anybody's.

use chaffinch_core::AnswerSchema;
use chaffinch_egress::ModelError;
use serde::{Deserialize, de::IgnoredAny};

use crate::{Client, request::Question};

/// What an endpoint was seen to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The model that answered, as the endpoint names it. Untrusted; empty if none did.
    pub model: String,
    /// Whether the answer had the shape that was asked for.
    pub keeps_schema: bool,
    /// Whether an answer that was cut off is reported as such, not passed off as whole. `None` if
    /// the answer was short enough to be whole.
    pub reports_cut: Option<bool>,
}

static COLOUR: AnswerSchema = AnswerSchema {
    name: "colour",
    json: r#"{"type":"object","properties":{"colour":{"type":"string","enum":["red","green"]}},"required":["colour"],"additionalProperties":false}"#,
};

static WORDS: AnswerSchema = AnswerSchema {
    name: "words",
    json: r#"{"type":"object","properties":{"words":{"type":"array","items":{"type":"string"}}},"required":["words"],"additionalProperties":false}"#,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Colour {
    colour: String,
}

/// More than either question is, whatever the vocabulary.
const PROMPT_TOKENS: u64 = 200;

impl Client {
    /// Asks two short questions, constants of ours, to see whether the endpoint keeps a schema and
    /// reports a cut. They say nothing about the model's judgement.
    ///
    /// # Errors
    /// The [`ModelError`] that stopped either question, but for a cut.
    pub async fn probe(&self) -> Result<Probe, ModelError> {
        // Room for a model that thinks first.
        let question = question(&COLOUR, "What colour is a leaf: red or green?", 2_000);
        let (model, keeps_schema) = match self.ask(&question, PROMPT_TOKENS).await {
            Ok(answer) => {
                let colour = serde_json::from_str::<Colour>(answer.text.expose());
                let keeps = colour.is_ok_and(|c| matches!(c.colour.as_str(), "red" | "green"));
                (answer.model, keeps)
            }
            // Such an answer has an end if it has the shape.
            Err(ModelError::Cut) => (String::new(), false),
            Err(error) => return Err(error),
        };
        Ok(Probe { model, keeps_schema, reports_cut: self.reports_cut().await? })
    }

    async fn reports_cut(&self) -> Result<Option<bool>, ModelError> {
        // 16 is the least that OpenAI takes.
        let question = question(&WORDS, "Name a hundred different trees.", 16);
        match self.ask(&question, PROMPT_TOKENS).await {
            Err(ModelError::Cut) => Ok(Some(true)),
            Err(error) => Err(error),
            Ok(answer) => {
                let is_whole = serde_json::from_str::<IgnoredAny>(answer.text.expose()).is_ok();
                Ok(if is_whole { None } else { Some(false) })
            }
        }
    }
}

fn question(schema: &'static AnswerSchema, text: &str, max_output_tokens: u32) -> Question {
    Question {
        cache_key: "chaffinch-probe".to_owned(),
        instructions: "Answer with a JSON object, with the key colour or the key words.",
        schema,
        text: text.into(),
        max_output_tokens,
    }
}
