//! Which endpoint, how it is asked, and how much it may be asked.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

/// Which of OpenAI's two interfaces the endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Api {
    /// `POST /chat/completions`: what nearly every compatible server implements.
    #[default]
    Chat,
    /// `POST /responses`: OpenAI's own newer interface. Compatible servers often accept it and
    /// ignore the schema, so it is only for endpoints that are known to honour it.
    Responses,
}

/// How we prove who we are.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    /// Not at all (a local server).
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer(SecretString),
    /// `api-key: …`, Azure's header.
    ApiKey(SecretString),
}

/// How the endpoint is told the shape of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Structured {
    /// The JSON Schema, strictly.
    #[default]
    Schema,
    /// Only that it must be a JSON object, for servers that know no schemas.
    Object,
    /// Nothing, for servers that know neither; the instructions alone say it.
    Off,
}

/// The name of the field that bounds the answer, in Chat Completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputLimit {
    /// `max_completion_tokens`, and `max_tokens` once the endpoint has refused that.
    #[default]
    Auto,
    /// Always `max_completion_tokens`.
    MaxCompletionTokens,
    /// Always `max_tokens`.
    MaxTokens,
}

/// One endpoint. Its `Debug` shows no key.
#[derive(Debug, Clone)]
pub struct Config {
    /// Up to and including the version: `https://api.openai.com/v1`, or an old Azure deployment.
    pub base_url: Url,
    /// The model that is asked for; with Azure, the deployment.
    pub model: String,
    /// Which interface.
    pub api: Api,
    /// The credential.
    pub auth: Auth,
    /// `?api-version=`, which old Azure deployments want.
    pub api_version: Option<String>,
    /// How hard a reasoning model thinks, in the endpoint's own words; not sent if absent.
    pub reasoning_effort: Option<String>,
    /// How the shape of the answer is asked for.
    pub structured: Structured,
    /// How the answer is bounded (Chat Completions).
    pub output_limit: OutputLimit,
    /// Whether the answer is asked for piece by piece. It is used only once it is whole; but
    /// a proxy that closes silent connections sees traffic, and a server notices when we hang up.
    pub stream: bool,
    /// Further fields of the request, the same in every one: an endpoint's own privacy switches,
    /// its service tier. None may be a field of ours, or say who is asking.
    pub extra: Map<String, Value>,
    /// The longest that one call may take, retries and waiting included.
    pub timeout: Duration,
    /// How often a call is tried again.
    pub max_retries: u32,
    /// The first pause before trying again, where the endpoint names none; doubled each time, up
    /// to sixteen times as long.
    pub backoff: Duration,
    /// The longest that a call waits for a limit, ours or the endpoint's, before it answers
    /// `RateLimited`, so that the job can wait without holding a worker.
    pub max_wait: Duration,
    /// How long nothing is asked after the endpoint has said that its quota is used up.
    pub quota_pause: Duration,
    /// How many calls run at the same time.
    pub max_concurrency: usize,
    /// How many requests a minute, retries included.
    pub requests_per_minute: Option<u32>,
    /// How many tokens a minute, prompt and answer together.
    pub tokens_per_minute: Option<u32>,
    /// The largest reply that is read, in bytes, after decompression.
    pub max_reply_bytes: u64,
}

impl Config {
    /// An endpoint with the values that suit most.
    pub fn new(base_url: Url, model: impl Into<String>) -> Self {
        Self {
            base_url,
            model: model.into(),
            api: Api::default(),
            auth: Auth::default(),
            api_version: None,
            reasoning_effort: None,
            structured: Structured::default(),
            output_limit: OutputLimit::default(),
            stream: false,
            extra: Map::new(),
            timeout: Duration::from_secs(120),
            max_retries: 2,
            backoff: Duration::from_millis(500),
            max_wait: Duration::from_secs(20),
            quota_pause: Duration::from_secs(600),
            max_concurrency: 4,
            requests_per_minute: None,
            tokens_per_minute: None,
            max_reply_bytes: 4 * 1024 * 1024,
        }
    }
}

impl Config {
    /// What of how the model is asked changes its answers, beside the prompt and the model: answers
    /// to the same prompt, asked in the same way, may stand for each other. Holds no key.
    pub fn asked_as(&self) -> String {
        let Self { api, api_version, reasoning_effort, structured, extra, .. } = self;
        let how = format!("{api:?} {structured:?}");
        serde_json::json!([how, api_version, reasoning_effort, extra]).to_string()
    }
}

/// Why a [`Config`] cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is not one of an endpoint.
    #[error("the model's base URL {0}")]
    BaseUrl(&'static str),
    /// There is no model.
    #[error("the model has no name")]
    Model,
    /// The key cannot be sent.
    #[error("the model's key is empty, or holds characters that a header cannot")]
    Key,
    /// A limit of zero would let nothing through.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// A further field that is ours to set, or that says who is asking.
    #[error("the field {0} cannot be added to requests")]
    Extra(String),
}

/// Fields that [`Config::extra`] may not hold: ours, those that would change what a whole answer is
/// or how long something is kept, and those that say who is asking or what about.
const RESERVED: [&str; 36] = [
    "audio",
    "background",
    "context_management",
    "conversation",
    "function_call",
    "functions",
    "include",
    "input",
    "instructions",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "prediction",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "text",
    "tool_choice",
    "tools",
    "truncation",
    "user",
    "web_search_options",
];

/// The first of `names` that [`Config::extra`] may not hold.
pub fn reserved<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<&'a String> {
    names.into_iter().find(|name| RESERVED.contains(&name.as_str()))
}

/// What a checked [`Config`] comes to on the wire.
pub(crate) struct Target {
    pub(crate) url: Url,
    /// Scheme, host and port, as receipts show them.
    pub(crate) origin: String,
    /// The credential's header, if there is one.
    pub(crate) credential: Option<(&'static str, HeaderValue)>,
}

pub(crate) fn check(config: &Config) -> Result<Target, ConfigError> {
    if config.model.trim().is_empty() {
        return Err(ConfigError::Model);
    }
    for (name, is_zero) in [
        ("max_concurrency", config.max_concurrency == 0),
        ("requests_per_minute", config.requests_per_minute == Some(0)),
        ("tokens_per_minute", config.tokens_per_minute == Some(0)),
        ("max_reply_bytes", config.max_reply_bytes == 0),
        ("timeout", config.timeout.is_zero()),
    ] {
        if is_zero {
            return Err(ConfigError::Zero(name));
        }
    }
    if let Some(name) = reserved(config.extra.keys()) {
        return Err(ConfigError::Extra(name.clone()));
    }
    let url = url(config)?;
    let origin = url.origin().ascii_serialization();
    Ok(Target { url, origin, credential: credential(&config.auth)? })
}

fn url(config: &Config) -> Result<Url, ConfigError> {
    let mut url = config.base_url.clone();
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(ConfigError::BaseUrl("must start with http:// or https:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::BaseUrl("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::BaseUrl("must not hold `?` or `#`"));
    }
    {
        let mut path = url
            .path_segments_mut()
            .map_err(|()| ConfigError::BaseUrl("must be one that a path can follow"))?;
        path.pop_if_empty();
        match config.api {
            Api::Chat => path.extend(["chat", "completions"]),
            Api::Responses => path.extend(["responses"]),
        };
    }
    if let Some(version) = &config.api_version {
        url.query_pairs_mut().append_pair("api-version", version);
    }
    Ok(url)
}

fn credential(auth: &Auth) -> Result<Option<(&'static str, HeaderValue)>, ConfigError> {
    let (name, text) = match auth {
        Auth::None => return Ok(None),
        Auth::Bearer(key) => ("authorization", format!("Bearer {}", checked(key)?)),
        Auth::ApiKey(key) => ("api-key", checked(key)?.to_owned()),
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| ConfigError::Key)?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// The key without the line break that a file ends with.
fn checked(key: &SecretString) -> Result<&str, ConfigError> {
    let key = key.expose_secret().trim();
    if key.is_empty() { Err(ConfigError::Key) } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(base: &str) -> Config {
        Config::new(base.parse().unwrap(), "m")
    }

    #[test]
    fn the_path_follows_the_base_with_or_without_a_slash() {
        let mut azure = config("https://x.openai.azure.com/openai/deployments/d");
        azure.api_version = Some("2024-10-21".into());
        let responses = Config { api: Api::Responses, ..config("https://api.openai.com/v1/") };
        let urls = [config("http://127.0.0.1:8080/v1"), responses, azure]
            .map(|c| check(&c).unwrap().url.to_string());
        assert_eq!(
            urls,
            [
                "http://127.0.0.1:8080/v1/chat/completions",
                "https://api.openai.com/v1/responses",
                "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
            ]
        );
    }

    #[test]
    fn an_address_that_is_no_endpoint_is_refused() {
        for bad in ["file:///v1", "https://u:p@x/v1", "https://x/v1?a=b", "https://x/v1#a"] {
            assert!(matches!(check(&config(bad)), Err(ConfigError::BaseUrl(_))), "{bad}");
        }
    }

    #[test]
    fn a_field_that_is_ours_or_says_who_asks_cannot_be_added() {
        for name in ["store", "user", "safety_identifier", "metadata", "tools", "n", "stop"] {
            let mut config = config("http://x/v1");
            config.extra.insert(name.into(), true.into());
            assert_eq!(check(&config).err(), Some(ConfigError::Extra(name.into())));
        }
    }

    #[test]
    fn all_that_changes_answers_is_in_how_the_model_is_asked_and_nothing_else_is() {
        let base = || config("http://x/v1");
        let mut extra = base();
        extra.extra.insert("seed".into(), 7.into());
        let others = [
            Config { api: Api::Responses, ..base() },
            Config { api_version: Some("2024-10-21".into()), ..base() },
            Config { reasoning_effort: Some("low".into()), ..base() },
            Config { structured: Structured::Off, ..base() },
            extra,
        ];
        let mut all: Vec<String> = others.iter().map(Config::asked_as).collect();
        all.push(base().asked_as());
        all.sort();
        all.dedup();
        assert_eq!(all.len(), others.len() + 1, "{all:?}");
        let auth = Auth::Bearer("sk-sentinel".into());
        let same = Config { auth, stream: true, max_retries: 9, ..base() };
        assert_eq!(same.asked_as(), base().asked_as());
    }

    #[test]
    fn limits_of_zero_and_missing_names_are_refused() {
        let base = || config("http://x/v1");
        for (bad, why) in [
            (Config { model: " ".into(), ..base() }, ConfigError::Model),
            (Config { max_concurrency: 0, ..base() }, ConfigError::Zero("max_concurrency")),
            (
                Config { requests_per_minute: Some(0), ..base() },
                ConfigError::Zero("requests_per_minute"),
            ),
            (
                Config { tokens_per_minute: Some(0), ..base() },
                ConfigError::Zero("tokens_per_minute"),
            ),
            (Config { max_reply_bytes: 0, ..base() }, ConfigError::Zero("max_reply_bytes")),
            (Config { timeout: Duration::ZERO, ..base() }, ConfigError::Zero("timeout")),
            (Config { auth: Auth::Bearer(" \n".into()), ..base() }, ConfigError::Key),
            (Config { auth: Auth::ApiKey("a\nb".into()), ..base() }, ConfigError::Key),
        ] {
            assert_eq!(check(&bad).err(), Some(why));
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let config = Config { auth: Auth::Bearer("sk-sentinel\n".into()), ..config("http://x/v1") };
        let target = check(&config).unwrap();
        let shown = format!("{config:?} {:?}", target.credential);
        assert!(!shown.contains("sentinel"), "{shown}");
        assert_eq!(target.credential.unwrap().1.to_str().unwrap(), "Bearer sk-sentinel");
    }
}
