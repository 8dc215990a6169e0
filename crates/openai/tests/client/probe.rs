//! What an endpoint can do.

use chaffinch_egress::ModelError;
use chaffinch_openai::{Api, Config, Probe};
use serde_json::{Value, json};

use crate::peer::{MODEL, Peer, Reply, client, good};

fn saying(text: &str, finish: &str) -> Reply {
    let mut body: Value = good(Api::Chat);
    body["choices"][0]["message"]["content"] = json!(text);
    body["choices"][0]["finish_reason"] = json!(finish);
    Reply::json(200, &body)
}

async fn probe(script: [Reply; 2]) -> Result<Probe, ModelError> {
    let peer = Peer::start(script).await;
    client(&Config { max_retries: 0, ..peer.config(Api::Chat) }).probe().await
}

#[tokio::test]
async fn an_endpoint_is_seen_to_keep_a_schema_and_report_a_cut_or_not() {
    let shaped = r#"{"colour":"green"}"#;
    let (cut, hidden, whole) = (
        saying(r#"{"words":["oak"#, "length"),
        saying(r#"{"words":["oak"#, "stop"),
        saying(r#"{"words":["oak"]}"#, "stop"),
    );
    for (answer, second, keeps_schema, reports_cut) in [
        (saying(shaped, "stop"), cut.clone(), true, Some(true)),
        (saying(shaped, "stop"), hidden, true, Some(false)),
        (saying(shaped, "stop"), whole, true, None),
        (saying(r#"{"colour":"blue"}"#, "stop"), cut.clone(), false, Some(true)),
        (saying("green", "stop"), cut, false, Some(true)),
    ] {
        let seen = probe([answer, second]).await.unwrap();
        assert_eq!(seen, Probe { model: MODEL.into(), keeps_schema, reports_cut });
    }
}

#[tokio::test]
async fn what_stops_a_probe_is_said() {
    let denied = || Reply::error(401, "invalid_api_key");
    assert_eq!(probe([denied(), denied()]).await.unwrap_err(), ModelError::Denied);
}
