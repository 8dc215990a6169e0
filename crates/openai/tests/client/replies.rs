//! What may come back: every row is one way in which an answer can be less than whole.

use std::time::Duration;

use chaffinch_egress::{ModelError, Usage};
use chaffinch_openai::{Api, Config};
use serde_json::{Value, json};

use crate::peer::{ANSWER, MODEL, Peer, Reply, ask, complete, good};

fn malformed(why: &str) -> ModelError {
    ModelError::Malformed(why.into())
}

/// A good answer, altered.
fn with(api: Api, alter: impl FnOnce(&mut Value)) -> Value {
    let mut body = good(api);
    alter(&mut body);
    body
}

fn chat(message: Value, finish: Value) -> Value {
    with(Api::Chat, |b| {
        b["choices"][0]["message"] = message;
        b["choices"][0]["finish_reason"] = finish;
    })
}

fn content(text: &str) -> Value {
    json!({"role": "assistant", "content": text})
}

fn responses(status: Value, details: Value, output: Value) -> Value {
    with(Api::Responses, |b| {
        b["status"] = status;
        b["incomplete_details"] = details;
        b["output"] = output;
    })
}

fn message(parts: Value) -> Value {
    json!([{"type": "message", "role": "assistant", "content": parts}])
}

fn failed(code: &str) -> Value {
    with(Api::Responses, |b| {
        b["status"] = json!("failed");
        b["output"] = json!([]);
        b["error"] = json!({"code": code, "message": "m"});
    })
}

#[tokio::test]
async fn a_whole_answer_is_a_completion() {
    for api in [Api::Chat, Api::Responses] {
        let peer = Peer::start([Reply::good(api).header("x-request-id", "req_7")]).await;
        let completion = complete(&peer.config(api)).await.unwrap();
        assert_eq!(completion.text.expose(), ANSWER);
        assert_eq!(completion.usage, Usage { input: 120, cached: 100, output: 30 });
        assert_eq!(completion.model, MODEL);
        assert_eq!(completion.request_id.as_deref(), Some("req_7"));
    }
}

#[tokio::test]
async fn oddities_beside_the_answer_do_not_spoil_it() {
    let odd = [
        (Api::Chat, with(Api::Chat, |b| b["usage"] = json!("free"))),
        (Api::Chat, with(Api::Chat, |b| b["usage"] = Value::Null)),
        (Api::Chat, with(Api::Chat, |b| b["usage"] = json!({"prompt_tokens": -1.5}))),
        (Api::Chat, with(Api::Chat, |b| b["id"] = json!(7))),
        (Api::Chat, with(Api::Chat, |b| b["model"] = json!(["a"]))),
        (Api::Chat, with(Api::Chat, |b| b["service_tier"] = json!("on_demand"))),
        (Api::Chat, with(Api::Chat, |b| b["timings"] = json!({"x": 1}))),
        (Api::Chat, with(Api::Chat, |b| b["error"] = Value::Null)),
        (Api::Chat, with(Api::Chat, |b| b["prompt_filter_results"] = json!([{}]))),
        (Api::Chat, chat(json!({"content": ANSWER, "refusal": ""}), json!("eos"))),
        (Api::Chat, chat(json!({"content": ANSWER, "reasoning_content": "x"}), json!("stop"))),
        (
            Api::Chat,
            chat(
                json!({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": ANSWER}]}),
                json!("stop"),
            ),
        ),
        (Api::Responses, with(Api::Responses, |b| b["usage"] = Value::Null)),
        (Api::Responses, with(Api::Responses, |b| b["incomplete_details"] = json!(1))),
        (
            Api::Responses,
            responses(
                json!("completed"),
                Value::Null,
                json!([{"type": "message", "content": [{"type": "output_text", "text": "on my way"}]},
                    {"type": "new_kind", "content": null},
                    {"type": "message", "content": [{"type": "output_text", "text": ANSWER}]}]),
            ),
        ),
    ];
    for (api, body) in odd {
        let (result, _) = ask(api, [Reply::json(200, &body)]).await;
        let completion = result.unwrap_or_else(|e| panic!("{e}: {body}"));
        assert_eq!(completion.text.expose(), ANSWER, "{body}");
    }
}

#[tokio::test]
async fn chat_completions_that_are_not_whole_have_a_name_each() {
    let stop = || json!("stop");
    let rows = [
        (chat(json!({"content": null, "refusal": "I cannot"}), stop()), ModelError::Refused),
        (chat(json!({"content": ANSWER, "refusal": "but"}), stop()), ModelError::Refused),
        (
            chat(json!({"content": [{"type": "refusal", "refusal": "no"}]}), stop()),
            ModelError::Refused,
        ),
        (chat(content(r#"{"verdict":"fal"#), json!("length")), ModelError::Cut),
        (chat(content(""), json!("length")), ModelError::Cut),
        (chat(content(ANSWER), json!("model_length")), ModelError::Cut),
        (chat(content(r#"{"ver"#), json!("content_filter")), ModelError::Filtered),
        (chat(content(ANSWER), Value::Null), malformed("the reply does not say that it is whole")),
        (chat(content(ANSWER), json!("")), malformed("the reply does not say that it is whole")),
        (chat(content(ANSWER), json!(7)), malformed("the reply does not say that it is whole")),
        (chat(content(ANSWER), json!("flood")), malformed("the reply ended for an unknown reason")),
        (
            chat(content(ANSWER), json!("tool_calls")),
            malformed("the model called a tool, and it has none"),
        ),
        (chat(content(""), stop()), malformed("the answer is empty")),
        (chat(content(" \n\t"), stop()), malformed("the answer is empty")),
        (chat(json!({"content": null}), stop()), malformed("the answer is empty")),
        (chat(Value::Null, stop()), malformed("the answer is empty")),
        (chat(json!({"content": 7}), stop()), malformed("the reply has another shape")),
        (with(Api::Chat, |b| b["choices"] = json!([])), malformed("the reply holds no choice")),
        (with(Api::Chat, |b| b["choices"] = Value::Null), malformed("the reply holds no choice")),
        (
            with(Api::Chat, |b| b["choices"] = json!("none")),
            malformed("the reply has another shape"),
        ),
        (json!({}), malformed("the reply holds no choice")),
        (json!([]), malformed("the reply holds no choice")),
        (json!("hello"), malformed("the reply has another shape")),
        (json!({"error": {"code": "insufficient_quota"}}), ModelError::Quota),
        (json!({"error": {"code": 401}}), ModelError::Denied),
        (
            json!({"error": "model not found"}),
            ModelError::Other("the endpoint says that it failed".into()),
        ),
        (with(Api::Chat, |b| b["choices"][0]["error"] = json!({"code": 402})), ModelError::Quota),
    ];
    check(Api::Chat, rows).await;
}

#[tokio::test]
async fn responses_that_are_not_whole_have_a_name_each() {
    let done = || json!("completed");
    let text = |t: &str| message(json!([{"type": "output_text", "text": t}]));
    let reason = |r: &str| json!({"reason": r});
    let none = || Value::Null;
    let rows = [
        (
            responses(done(), none(), message(json!([{"type": "refusal", "refusal": "no"}]))),
            ModelError::Refused,
        ),
        (
            responses(
                done(),
                none(),
                message(json!([{"type": "output_text", "text": ANSWER}, {"type": "refusal"}])),
            ),
            ModelError::Refused,
        ),
        (responses(json!("incomplete"), reason("max_output_tokens"), json!([])), ModelError::Cut),
        (
            responses(json!("incomplete"), reason("max_output_tokens"), text(r#"{"ver"#)),
            ModelError::Cut,
        ),
        (
            responses(json!("incomplete"), reason("content_filter"), text(r#"{"ver"#)),
            ModelError::Filtered,
        ),
        (
            responses(json!("incomplete"), none(), text(ANSWER)),
            malformed("the answer is incomplete for an unknown reason"),
        ),
        (
            responses(
                done(),
                none(),
                json!([{"type": "message", "status": "incomplete", "content": [{"type": "output_text", "text": "{"}]}]),
            ),
            ModelError::Cut,
        ),
        (with(Api::Responses, |b| b["usage"]["output_tokens"] = json!(300)), ModelError::Cut),
        (failed("invalid_prompt"), ModelError::Filtered),
        (failed("insufficient_quota"), ModelError::Quota),
        (failed("context_length_exceeded"), ModelError::TooLarge),
        (
            failed("data_residency_mismatch"),
            ModelError::Other("the endpoint says that it failed".into()),
        ),
        (responses(json!("queued"), none(), text(ANSWER)), malformed("the answer is not finished")),
        (
            responses(json!("cancelled"), none(), text(ANSWER)),
            malformed("the answer is not finished"),
        ),
        (
            responses(none(), none(), text(ANSWER)),
            malformed("the reply does not say that it is whole"),
        ),
        (responses(done(), none(), json!([])), malformed("the answer is empty")),
        (responses(done(), none(), none()), malformed("the answer is empty")),
        (responses(done(), none(), text(" ")), malformed("the answer is empty")),
        (
            responses(done(), none(), json!([{"type": "reasoning"}])),
            malformed("the answer is empty"),
        ),
        (
            responses(done(), none(), json!([{"type": "function_call"}])),
            malformed("the answer is empty"),
        ),
        (responses(done(), none(), json!(7)), malformed("the reply has another shape")),
        (json!({}), malformed("the reply does not say that it is whole")),
    ];
    check(Api::Responses, rows).await;
}

/// Each is final: what is whole but useless is not asked, and paid for, again.
async fn check(api: Api, rows: impl IntoIterator<Item = (Value, ModelError)>) {
    for (body, wanted) in rows {
        let (result, requests) = ask(api, [Reply::json(200, &body)]).await;
        assert_eq!(result.map(|c| c.text), Err(wanted), "{body}");
        assert_eq!(requests, 1, "{body}");
    }
}

#[tokio::test]
async fn a_reply_that_is_not_json_is_asked_again_and_then_named() {
    for api in [Api::Chat, Api::Responses] {
        for text in ["", "<html>busy</html>", r#"{"choices": [{"#, "\u{0}"] {
            let bad = || Reply::text(200, text);
            let (result, requests) = ask(api, [bad(), bad(), bad(), bad()]).await;
            assert_eq!(result.unwrap_err(), malformed("the reply is not json"), "{text}");
            assert_eq!(requests, 3);
            let (result, _) = ask(api, [bad(), Reply::good(api)]).await;
            assert!(result.is_ok());
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_nested_without_end_is_refused() {
    for api in [Api::Chat, Api::Responses] {
        let deep = format!(r#"{{"error": {}"#, "[".repeat(100_000));
        let peer = Peer::start([Reply::text(200, &deep)]).await;
        let result = complete(&Config { max_retries: 0, ..peer.config(api) }).await;
        assert_eq!(result.unwrap_err(), malformed("the reply is not json"));
    }
}

#[tokio::test]
async fn a_reply_that_is_too_large_is_not_read_to_its_end() {
    let large = Reply::text(200, &" ".repeat(5000));
    for reply in [large, Reply::endless()] {
        let peer = Peer::start([reply]).await;
        let result = complete(&Config { max_reply_bytes: 4096, ..peer.config(Api::Chat) }).await;
        assert_eq!(result.unwrap_err(), malformed("the reply is larger than max_reply_bytes"));
        assert_eq!(peer.count(), 1);
    }
}

#[tokio::test]
async fn a_reply_that_never_ends_is_left_in_time() {
    for start in ["", r#"{"choices""#] {
        let peer = Peer::start([Reply::hanging(200, start)]).await;
        let timeout = Duration::from_millis(200);
        let result = complete(&Config { timeout, ..peer.config(Api::Chat) }).await;
        assert_eq!(result.unwrap_err(), ModelError::Unavailable("no answer within 0.2 s".into()));
    }
}

#[tokio::test]
async fn a_streamed_answer_is_put_together() {
    let piece = |delta: Value, finish: Value| {
        json!({"model": MODEL, "id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).to_string()
    };
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}});
    let events = [
        piece(json!({"role": "assistant", "content": null}), Value::Null),
        piece(json!({"content": &ANSWER[..9]}), Value::Null),
        piece(json!({"content": &ANSWER[9..]}), Value::Null),
        piece(json!({}), json!("stop")),
        usage.to_string(),
        "[DONE]".to_owned(),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let peer = Peer::start([Reply::events(&events)]).await;
    let completion = complete(&Config { stream: true, ..peer.config(Api::Chat) }).await.unwrap();
    assert_eq!(completion.text.expose(), ANSWER);
    assert_eq!(completion.usage, Usage { input: 9, cached: 0, output: 4 });
    assert_eq!(completion.model, MODEL);
    assert_eq!(completion.request_id.as_deref(), Some("c"));

    let end = json!({"type": "response.completed", "response": good(Api::Responses)}).to_string();
    let start = r#"{"type":"response.created","response":{"status":"in_progress"}}"#;
    let delta = r#"{"type":"response.output_text.delta","delta":"{"}"#;
    let peer = Peer::start([Reply::events(&[start, delta, &end])]).await;
    let config = Config { stream: true, ..peer.config(Api::Responses) };
    assert_eq!(complete(&config).await.unwrap().text.expose(), ANSWER);
}

#[tokio::test]
async fn a_server_that_does_not_stream_may_answer_at_once() {
    for api in [Api::Chat, Api::Responses] {
        let peer = Peer::start([Reply::good(api)]).await;
        let completion = complete(&Config { stream: true, ..peer.config(api) }).await.unwrap();
        assert_eq!(completion.text.expose(), ANSWER);
    }
}

#[tokio::test]
async fn a_stream_that_is_not_whole_is_no_answer() {
    let piece = r#"{"choices":[{"delta":{"content":"{}"}}]}"#;
    let cut = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
    let filter = r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#;
    let refusal = r#"{"choices":[{"delta":{"refusal":"no"},"finish_reason":"stop"}]}"#;
    let stop = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let early = || ModelError::Unavailable("the stream ended early".into());
    let incomplete = json!({"type": "response.incomplete", "response": responses(json!("incomplete"), json!({"reason": "max_output_tokens"}), json!([]))}).to_string();
    let fails = |code| json!({"type": "response.failed", "response": failed(code)}).to_string();
    let (quota, busy) = (fails("insufficient_quota"), fails("server_error"));
    let rows: [(Api, &[&str], ModelError, usize); 17] = [
        (Api::Chat, &[], early(), 3),
        (Api::Chat, &["[DONE]"], early(), 3),
        (Api::Chat, &[piece], early(), 3),
        (Api::Chat, &[piece, "[DONE]"], early(), 3),
        (Api::Chat, &[piece, r#"{"choices":[{"del"#], malformed("the reply is not json"), 3),
        (Api::Chat, &[piece, cut, "[DONE]"], ModelError::Cut, 1),
        (Api::Chat, &[piece, filter], ModelError::Filtered, 1),
        (Api::Chat, &[refusal, stop], ModelError::Refused, 1),
        (Api::Chat, &[stop, "[DONE]"], malformed("the answer is empty"), 1),
        (Api::Chat, &[piece, r#"{"error":{"code":"insufficient_quota"}}"#], ModelError::Quota, 1),
        (Api::Chat, &[r#"{"error":{"code":"context_length_exceeded"}}"#], ModelError::TooLarge, 1),
        (Api::Responses, &[], early(), 3),
        (Api::Responses, &[r#"{"type":"response.output_text.delta","delta":"{}"}"#], early(), 3),
        (Api::Responses, &[&incomplete], ModelError::Cut, 1),
        (Api::Responses, &[&quota], ModelError::Quota, 1),
        (
            Api::Responses,
            &[&busy],
            ModelError::Unavailable("the endpoint says that it is overloaded or failed".into()),
            3,
        ),
        (
            Api::Responses,
            &[r#"{"type":"error","code":"insufficient_quota","message":"m"}"#],
            ModelError::Quota,
            1,
        ),
    ];
    for (api, events, wanted, asked) in rows {
        let reply = || Reply::events(events);
        let peer = Peer::start([reply(), reply(), reply(), reply()]).await;
        let result = complete(&Config { stream: true, ..peer.config(api) }).await;
        assert_eq!(result.map(|c| c.text), Err(wanted), "{events:?}");
        assert_eq!(peer.count(), asked, "{events:?}");
    }
}
