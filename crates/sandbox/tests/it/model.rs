//! The scripted model.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use chaffinch_sandbox::{
    Model, cut, drop_connection, false_positive, filtered, hang, http as reply, malformed,
    needs_review, refusal, true_positive,
};
use serde_json::{Value, json};

use crate::client::http;

const PROMPT: &str = "\
4F2AB01C| rule: python.lang.security.sqli
4F2AB01C| weakness: CWE-89
4F2AB01C| reported at: app/db.py, line 12
4F2AB01C| file: app/db.py
4F2AB01C|    10| def find(name):
4F2AB01C|    11|     name = request.args.get(\"name\")
4F2AB01C|    12|     db.execute(\"select * from t where n = '\" + name + \"'\")
4F2AB01C|      …
4F2AB01C|    15| 
";

fn chat(prompt: &str) -> Value {
    json!({
        "model": "m", "store": false,
        "messages": [{ "role": "developer", "content": "Judge." }, { "role": "user", "content": prompt }],
        "response_format": { "type": "json_schema", "json_schema": { "name": "a", "strict": true, "schema": {} } },
    })
}

fn responses(prompt: &str) -> Value {
    json!({
        "model": "m", "store": false, "instructions": "Judge.", "input": prompt,
        "text": { "format": { "type": "json_schema", "name": "a", "strict": true, "schema": {} } },
    })
}

async fn ask(model: &Model, path: &str, body: Value) -> (u16, Value) {
    let request =
        http().post(format!("{}/{path}", model.url())).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn said(answer: &Value) -> Value {
    let text = answer["choices"][0]["message"]["content"].as_str();
    let text = text.or_else(|| answer["output"][1]["content"][0]["text"].as_str());
    serde_json::from_str(text.unwrap()).unwrap()
}

#[tokio::test]
async fn a_scripted_verdict_quotes_the_prompt() {
    let model = Model::start().await.unwrap();
    model.answers([
        true_positive("it is", "app/db.py:12"),
        false_positive("it is not", "app/db.py:11"),
    ]);
    let (_, first) = ask(&model, "chat/completions", chat(PROMPT)).await;
    assert_eq!(
        said(&first)["evidence"][0]["quote"],
        "    db.execute(\"select * from t where n = '\" + name + \"'\")"
    );
    let (_, second) = ask(&model, "responses", responses(PROMPT)).await;
    assert_eq!(
        (&said(&second)["verdict"], &second["status"]),
        (&json!("false_positive"), &json!("completed"))
    );
    assert!(model.problems().is_empty());
    assert_eq!(ask(&model, "responses", responses(PROMPT)).await.0, 500);
    model.answers([true_positive("it is", "app/db.py:99")]);
    ask(&model, "responses", responses(PROMPT)).await;
    insta::assert_snapshot!(model.problems().join("\n"), @r"
    scripted model: more requests than scripted answers
    scripted model: the script cites app/db.py:99, which the prompt does not show
    ");
    let lines = model.requests()[0].lines();
    assert_eq!(lines.iter().map(|l| l.number).collect::<Vec<_>>(), [10, 11, 12, 15]);
}

#[tokio::test]
async fn a_model_fails_in_each_way_that_models_do() {
    let model = Model::start().await.unwrap();
    for path in ["chat/completions", "responses"] {
        let body = if path == "responses" { responses } else { chat };
        let one = async |r| {
            model.answers([r]);
            ask(&model, path, body(PROMPT)).await
        };
        let is_chat = path != "responses";
        let declined = one(refusal()).await.1;
        let place = if is_chat {
            &declined["choices"][0]["message"]["refusal"]
        } else {
            &declined["output"][1]["content"][0]["refusal"]
        };
        assert!(place.is_string());
        let end = |v: &Value| {
            if is_chat {
                v["choices"][0]["finish_reason"].clone()
            } else {
                v["incomplete_details"]["reason"].clone()
            }
        };
        assert_eq!(end(&one(cut()).await.1), if is_chat { "length" } else { "max_output_tokens" });
        assert_eq!(end(&one(filtered()).await.1), "content_filter");
        assert_eq!(said(&one(needs_review("no")).await.1)["verdict"], "needs_review");
        assert!(one(malformed("hello")).await.1.to_string().contains("hello"));
        let limited = reply(
            429,
            json!({ "error": { "code": "rate_limit_exceeded" } }),
            &[("retry-after", "1")],
        );
        assert_eq!(one(limited).await.0, 429);
    }
    let send = || {
        let request =
            http().post(format!("{}/responses", model.url())).timeout(Duration::from_millis(300));
        request.body(responses(PROMPT).to_string()).send()
    };
    model.answers([drop_connection()]);
    assert!(!send().await.unwrap_err().is_timeout());
    model.answers([hang()]);
    assert!(send().await.unwrap_err().is_timeout());
    assert!(model.problems().is_empty());
}

#[tokio::test]
async fn a_request_that_would_be_kept_or_is_not_strict_is_a_problem() {
    let model = Model::start().await.unwrap();
    let mut body = chat(PROMPT);
    body["store"] = json!(true);
    body["response_format"]["json_schema"]["strict"] = json!(false);
    ask(&model, "chat/completions", body).await;
    assert_eq!(
        model.take_problems(),
        [
            "scripted model: a request without store: false",
            "scripted model: a request without a strict JSON schema"
        ]
    );
    model.require_key("sk-right");
    assert_eq!(ask(&model, "chat/completions", chat(PROMPT)).await.0, 401);
}

#[tokio::test]
async fn the_judge_reads_the_lines_and_says_that_it_is_no_model() {
    let model = Model::start().await.unwrap();
    let judged = async |prompt: &str| said(&ask(&model, "responses", responses(prompt)).await.1);
    let real = judged(PROMPT).await;
    insta::assert_snapshot!(format!("{} {}", real["verdict"], real["reason"]), @r#""true_positive" "Scripted answer, no model was asked. The statement is put together from text, so a value that comes from outside becomes part of the SQL: it is read at line 11 and used at line 12.""#);
    let safe = PROMPT.replace("where n = '\" + name + \"'\")", "where n = ?\", (name,))");
    let safe = judged(&safe).await;
    assert_eq!(safe["verdict"], "false_positive");
    assert_eq!(safe["evidence"][0]["line"], 12);
    assert_eq!(
        judged("AAAA1| rule: unheard.of\nAAAA1| file: a\nAAAA1|     1| x\n").await["verdict"],
        "needs_review"
    );
    model.answer_to("unheard.of", malformed("{}"));
    assert_eq!(judged("AAAA1| rule: unheard.of\n").await, json!({}));
}
