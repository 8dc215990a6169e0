//! What is sent.

use chaffinch_egress::{Model, ModelError};
use chaffinch_openai::{Api, Auth, Config, OutputLimit, Structured};
use serde_json::{Value, json};

use crate::{
    door::{SCHEMA, SOURCE, cleared, cleared_for},
    peer::{MODEL, Peer, Reply, builder, client, complete},
};

/// The body of the only request, as it was written, one field a line.
async fn sent(config: impl FnOnce(Config) -> Config, api: Api) -> String {
    let peer = Peer::start([Reply::good(api)]).await;
    complete(&config(peer.config(api))).await.unwrap();
    let body = peer.seen().pop().unwrap().body;
    assert!(body.contains(SCHEMA.json), "the schema is sent as it is written");
    let fields: serde_json::Map<String, Value> = serde_json::from_str(&body).unwrap();
    let mut lines: Vec<(usize, String)> = fields
        .iter()
        .map(|(k, v)| (body.find(&format!("\"{k}\":")).unwrap(), format!("{k}: {v}")))
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

#[tokio::test]
async fn chat_completions_sends_the_prompt_the_schema_and_nothing_of_anybody() {
    insta::assert_snapshot!(sent(|c| c, Api::Chat).await, @r#"
    model: "gpt-test"
    messages: [{"content":"Answer in JSON with verdict and reason.","role":"system"},{"content":"K7F3| rule: python.sqli\nK7F3| file: app/db.py\nK7F3|    12| cursor.execute(sentinel_source)\n","role":"user"}]
    response_format: {"json_schema":{"name":"triage","schema":{"additionalProperties":false,"properties":{"reason":{"type":"string"},"verdict":{"enum":["true_positive","false_positive","needs_review"],"type":"string"}},"required":["verdict","reason"],"type":"object"},"strict":true},"type":"json_schema"}
    max_completion_tokens: 300
    store: false
    prompt_cache_key: "chaffinch-triage-1"
    "#);
}

#[tokio::test]
async fn responses_sends_the_prompt_the_schema_and_nothing_of_anybody() {
    insta::assert_snapshot!(sent(|c| c, Api::Responses).await, @r#"
    model: "gpt-test"
    instructions: "Answer in JSON with verdict and reason."
    input: "K7F3| rule: python.sqli\nK7F3| file: app/db.py\nK7F3|    12| cursor.execute(sentinel_source)\n"
    text: {"format":{"name":"triage","schema":{"additionalProperties":false,"properties":{"reason":{"type":"string"},"verdict":{"enum":["true_positive","false_positive","needs_review"],"type":"string"}},"required":["verdict","reason"],"type":"object"},"strict":true,"type":"json_schema"}}
    max_output_tokens: 300
    store: false
    prompt_cache_key: "chaffinch-triage-1"
    "#);
}

#[tokio::test]
async fn every_option_has_its_field() {
    let with_all = |config: Config| {
        let extra = json!({"service_tier": "flex", "provider": {"data_collection": "deny"}});
        Config {
            reasoning_effort: Some("low".into()),
            output_limit: OutputLimit::MaxTokens,
            stream: true,
            extra: extra.as_object().unwrap().clone(),
            ..config
        }
    };
    let fields = |body: String| {
        let new = |line: &&str| {
            !["messages", "response_format", "text", "input"].iter().any(|k| line.starts_with(k))
        };
        body.lines().filter(new).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(fields(sent(with_all, Api::Chat).await), @r#"
    model: "gpt-test"
    max_tokens: 300
    reasoning_effort: "low"
    store: false
    prompt_cache_key: "chaffinch-triage-1"
    stream: true
    stream_options: {"include_usage":true}
    provider: {"data_collection":"deny"}
    service_tier: "flex"
    "#);
    insta::assert_snapshot!(fields(sent(with_all, Api::Responses).await), @r#"
    model: "gpt-test"
    instructions: "Answer in JSON with verdict and reason."
    max_output_tokens: 300
    reasoning: {"effort":"low"}
    store: false
    prompt_cache_key: "chaffinch-triage-1"
    stream: true
    provider: {"data_collection":"deny"}
    service_tier: "flex"
    "#);
}

#[tokio::test]
async fn a_server_that_knows_no_schema_is_asked_for_an_object_or_for_nothing() {
    for (api, structured, wanted) in [
        (Api::Chat, Structured::Object, json!({"type": "json_object"})),
        (Api::Chat, Structured::Off, Value::Null),
        (Api::Responses, Structured::Object, json!({"format": {"type": "json_object"}})),
        (Api::Responses, Structured::Off, Value::Null),
    ] {
        let peer = Peer::start([Reply::good(api)]).await;
        complete(&Config { structured, ..peer.config(api) }).await.unwrap();
        let body: Value = serde_json::from_str(&peer.seen().pop().unwrap().body).unwrap();
        let field = if api == Api::Chat { "response_format" } else { "text" };
        assert_eq!(body[field], wanted);
    }
}

#[tokio::test]
async fn each_kind_of_credential_has_its_header() {
    for (auth, name, value) in [
        (Auth::Bearer("sk-1\n".into()), "authorization", Some("Bearer sk-1")),
        (Auth::ApiKey("az-1".into()), "api-key", Some("az-1")),
        (Auth::None, "authorization", None),
        (Auth::Bearer("sk-1".into()), "api-key", None),
    ] {
        let peer = Peer::start([Reply::good(Api::Chat)]).await;
        complete(&Config { auth, ..peer.config(Api::Chat) }).await.unwrap();
        let headers = peer.seen().pop().unwrap().headers;
        assert_eq!(headers.get(name).map(|v| v.to_str().unwrap()), value, "{name}");
    }
}

#[tokio::test]
async fn every_attempt_has_an_id_of_its_own() {
    let peer = Peer::start([Reply::error(500, "x"), Reply::good(Api::Chat)]).await;
    complete(&peer.config(Api::Chat)).await.unwrap();
    let seen = peer.seen();
    let ids: Vec<&str> =
        seen.iter().map(|s| s.headers["x-client-request-id"].to_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id} is a random UUID");
    }
    assert!(seen[0].headers.contains_key("content-length"), "some servers want it");
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn an_old_azure_deployment_is_addressed_by_path_and_version() {
    let peer = Peer::start([Reply::good(Api::Chat)]).await;
    let config = Config {
        base_url: format!("{}/openai/deployments/d/", peer.url).parse().unwrap(),
        api_version: Some("2024-10-21".into()),
        ..peer.config(Api::Chat)
    };
    complete(&config).await.unwrap();
    assert_eq!(
        peer.seen()[0].target,
        "POST /openai/deployments/d/chat/completions?api-version=2024-10-21"
    );
}

#[tokio::test]
async fn a_field_that_the_endpoint_refuses_is_left_out_from_then_on() {
    let refusal = |name: &str| {
        let error = json!({"message": "no", "code": "unsupported_parameter", "param": name});
        Reply::json(400, &json!({"error": error}))
    };
    let good = || Reply::good(Api::Chat);
    let script = [refusal("max_completion_tokens"), refusal("prompt_cache_key"), good(), good()];
    let peer = Peer::start(script).await;
    let config = Config { max_retries: 0, ..peer.config(Api::Chat) };
    let client = client(&config);
    for _ in 0..2 {
        client.complete(&cleared(&config, "q").await).await.unwrap();
    }
    let shapes: Vec<[bool; 3]> = peer
        .seen()
        .iter()
        .map(|s| {
            ["max_completion_tokens", "max_tokens", "prompt_cache_key"]
                .map(|f| s.body.contains(&format!("\"{f}\":")))
        })
        .collect();
    let (both, old, least) = ([true, false, true], [false, true, true], [false, true, false]);
    assert_eq!(shapes, [both, old, least, least]);
}

#[tokio::test]
async fn a_field_that_the_configuration_insists_on_stays() {
    let error = json!({"error": {"param": "max_completion_tokens"}});
    let peer = Peer::start([Reply::json(400, &error)]).await;
    let output_limit = OutputLimit::MaxCompletionTokens;
    let result = complete(&Config { output_limit, ..peer.config(Api::Chat) }).await;
    assert_eq!(
        result.unwrap_err(),
        ModelError::Other("the endpoint refuses the request (status 400)".into())
    );
}

#[tokio::test]
async fn no_redirect_carries_the_prompt_or_the_key_away() {
    for status in [301, 302, 303, 307, 308] {
        for follows in [false, true] {
            let away = Peer::start([Reply::good(Api::Chat)]).await;
            let to = format!("{}/v1/chat/completions", away.url);
            let peer = Peer::start([Reply::text(status, "").header("location", to)]).await;
            let auth = Auth::Bearer("sk-sentinel".into());
            let config = Config { auth, ..peer.config(Api::Chat) };
            let policy = match follows {
                true => reqwest::redirect::Policy::default(),
                false => reqwest::redirect::Policy::none(),
            };
            let http = builder().redirect(policy).build().unwrap();
            let client = chaffinch_openai::Client::new(
                http,
                config.clone(),
                std::sync::Arc::new(crate::door::Ticking::default()),
                std::sync::Arc::new(crate::door::Counting::default()),
            )
            .unwrap();
            let error = client.complete(&cleared(&config, "q").await).await.unwrap_err();
            assert!(error.to_string().contains("redirects"), "{status}: {error}");
            assert_eq!(peer.count(), 1, "a redirect is not asked again");
            for seen in away.seen() {
                assert!(follows, "the client that the server builds follows nothing");
                assert_eq!(seen.body, "", "{status}");
                assert!(!format!("{:?}", seen.headers).contains("sentinel"), "{status}");
            }
        }
    }
}

#[tokio::test]
async fn a_prompt_that_was_cleared_for_another_endpoint_stays_here() {
    let peer = Peer::start([Reply::good(Api::Chat)]).await;
    let config = peer.config(Api::Chat);
    for prompt in [
        cleared_for("http://127.0.0.1:1/v1", MODEL, "q").await,
        cleared_for(config.base_url.as_str(), "another", "q").await,
    ] {
        let error = client(&config).complete(&prompt).await.unwrap_err();
        assert!(error.to_string().contains("cleared for another"), "{error}");
    }
    assert_eq!(peer.count(), 0);
}

#[tokio::test]
async fn the_line_that_was_cleared_is_the_line_that_arrives() {
    for api in [Api::Chat, Api::Responses] {
        let peer = Peer::start([Reply::good(api)]).await;
        complete(&peer.config(api)).await.unwrap();
        let body: Value = serde_json::from_str(&peer.seen()[0].body).unwrap();
        let text = match api {
            Api::Chat => body["messages"][1]["content"].as_str(),
            Api::Responses => body["input"].as_str(),
        };
        assert!(text.unwrap().contains(&format!("K7F3|    12| {SOURCE}\n")));
    }
}
