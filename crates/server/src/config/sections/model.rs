//! `[model]`: the endpoint, and how it is asked.

use std::path::PathBuf;

use chaffinch_openai as openai;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Secret, within};

/// `[model]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Model {
    pub base_url: Url,
    pub name: String,
    pub api: ModelApi,
    pub auth: ModelAuth,
    key: Option<SecretString>,
    key_file: Option<PathBuf>,
    pub api_version: String,
    pub reasoning_effort: String,
    pub structured: ModelStructured,
    pub output_limit: ModelOutputLimit,
    pub stream: bool,
    pub extra: Map<String, Value>,
    pub timeout_seconds: u64,
    pub max_retries: u32,
    pub max_output_tokens: u32,
    pub requests_per_minute: u32,
    pub tokens_per_minute: u32,
    pub self_hosted: bool,
    pub attestation: Attestation,
}

/// Which API of the endpoint is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelApi {
    /// `/responses`
    Responses,
    /// `/chat/completions`
    Chat,
}

/// How the endpoint is told the shape of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelStructured {
    /// By a JSON Schema.
    Schema,
    /// Only that it is a JSON object.
    Object,
    /// Not at all, but for the instructions.
    Off,
}

/// The field that bounds the answer, with `chat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelOutputLimit {
    /// The newer, and the older where the endpoint does not know that.
    Auto,
    /// The newer.
    MaxCompletionTokens,
    /// The older.
    MaxTokens,
}

/// How the key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelAuth {
    /// `Authorization: Bearer`
    Bearer,
    /// `api-key`
    ApiKey,
    /// Not at all.
    None,
}

/// `[model.attestation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Attestation {
    pub agreement: String,
    pub retention_days: u16,
    pub no_training: bool,
    pub residency: String,
}

impl Model {
    /// The endpoint's key.
    pub fn key(&self) -> Secret {
        Secret::of(&self.key, &self.key_file)
    }

    pub(in crate::config) fn validate(&self, problems: &mut Vec<String>) {
        if !matches!(self.base_url.scheme(), "http" | "https") {
            problems.push("model.base_url: want an http or https address".into());
        }
        if self.name.is_empty() {
            problems.push(
                "model.name is missing: name the model to ask, as its endpoint calls it, here or in \
                 CHAFFINCH__MODEL__NAME"
                    .into(),
            );
        }
        self.key().validate("model.key", self.auth != ModelAuth::None, problems);
        within("model.timeout_seconds", self.timeout_seconds as usize, 1, 3600, problems);
        within("model.max_retries", self.max_retries as usize, 0, 10, problems);
        within("model.max_output_tokens", self.max_output_tokens as usize, 256, 200_000, problems);
        if !self.extra.values().all(was_json) {
            problems.push("model.extra: want no infinite numbers, JSON has none".into());
        }
        if let Some(name) = openai::reserved(self.extra.keys()) {
            problems.push(format!(
                "model.extra.{name}: Chaffinch sets this field itself, or never sends it"
            ));
        }
    }
}

/// TOML has infinite numbers, JSON has not: read as JSON they are nulls, which TOML has not.
fn was_json(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(values) => values.iter().all(was_json),
        Value::Object(table) => table.values().all(was_json),
        _ => true,
    }
}
