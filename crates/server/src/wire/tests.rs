use serde_json::json;

use super::*;

fn with(settings: &[(&str, &str)]) -> Config {
    let named = settings.iter().map(|(k, v)| (format!("CHAFFINCH__MODEL__{k}"), (*v).to_owned()));
    Config::load(None, named).unwrap()
}

#[test]
fn every_setting_of_how_the_model_is_asked_reaches_the_client() {
    let config = with(&[
        ("API", "chat"),
        ("API_VERSION", "2024-10-21"),
        ("REASONING_EFFORT", "low"),
        ("STRUCTURED", "object"),
        ("OUTPUT_LIMIT", "max_tokens"),
        ("STREAM", "true"),
        ("EXTRA__SERVICE_TIER", "flex"),
        ("EXTRA__PROVIDER__DATA_COLLECTION", "deny"),
        ("REQUESTS_PER_MINUTE", "7"),
    ]);
    let asked = asked(&config);
    assert_eq!(asked.api, openai::Api::Chat);
    assert_eq!(asked.api_version.as_deref(), Some("2024-10-21"));
    assert_eq!(asked.reasoning_effort.as_deref(), Some("low"));
    assert_eq!(asked.structured, openai::Structured::Object);
    assert_eq!(asked.output_limit, openai::OutputLimit::MaxTokens);
    assert!(asked.stream);
    let extra = json!({"service_tier": "flex", "provider": {"data_collection": "deny"}});
    assert_eq!(json!(asked.extra), extra);
    assert_eq!(asked.requests_per_minute, Some(7));
}

#[test]
fn the_defaults_of_how_the_model_is_asked_are_those_of_the_client() {
    let asked = asked(&with(&[]));
    let own = openai::Config::new(asked.base_url.clone(), "");
    assert_eq!(
        (asked.structured, asked.output_limit, asked.stream),
        (own.structured, own.output_limit, own.stream)
    );
    assert!(asked.extra.is_empty());
}
