//! Replies in the shapes of Chat Completions and Responses.

use serde_json::{Value, json};

use super::{
    prompt::ModelRequest,
    reply::{Kind, Reply},
};
use crate::answer::{Answer, Ending};

/// The name under which the script answers.
pub(super) const MODEL: &str = "scripted-model";

pub(super) fn error(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    let body =
        json!({ "error": { "message": message, "type": kind, "param": null, "code": code } });
    Answer::json(status, &body)
}

/// The answer, and what is wrong with the script itself.
pub(super) fn answer(
    request: &ModelRequest,
    reply: &Reply,
    number: usize,
) -> (Answer, Option<String>) {
    let id = format!("req_{number:08}");
    let mut problem = None;
    let body = match &reply.0 {
        Kind::Verdict { verdict, reason, places, fix, confidence } => {
            let (evidence, missing) = quotes(request, places);
            problem = missing;
            let text = json!({
                "verdict": verdict,
                "reason": reason,
                "evidence": evidence,
                "remediation": "",
                "fix": fix,
                "confidence": confidence,
                "needs": [],
            });
            shape(request, &id, &Said::Text(&text.to_string()))
        }
        Kind::Text(text) => shape(request, &id, &Said::Text(text)),
        Kind::Refusal => shape(request, &id, &Said::Refusal),
        Kind::Cut => shape(request, &id, &Said::Stopped("length", "max_output_tokens")),
        Kind::Filtered => shape(request, &id, &Said::Stopped("content_filter", "content_filter")),
        Kind::Http { status, body, headers } => {
            let mut answer = Answer::json(*status, body).header("x-request-id", id);
            answer.headers.extend(headers.clone());
            return (answer, None);
        }
        Kind::Hang => return (Answer::empty(500).ending(Ending::Never), None),
        Kind::Drop => return (Answer::empty(500).ending(Ending::Dropped), None),
    };
    (Answer::json(200, &body).header("x-request-id", id), problem)
}

/// The quotations at these places of the prompt.
fn quotes(request: &ModelRequest, places: &[String]) -> (Vec<Value>, Option<String>) {
    let lines = request.lines();
    let mut out = Vec::new();
    let mut missing = None;
    for place in places {
        let (path, number) = place.rsplit_once(':').unwrap_or((place, ""));
        let found = lines.iter().find(|l| l.path == path && l.number.to_string() == number);
        match found {
            Some(line) => {
                out.push(json!({ "path": path, "line": line.number, "quote": line.text }))
            }
            None => {
                missing = Some(format!(
                    "scripted model: the script cites {place}, which the prompt does not show"
                ));
            }
        }
    }
    (out, missing)
}

enum Said<'a> {
    Text(&'a str),
    Refusal,
    Stopped(&'static str, &'static str),
}

const NO: &str = "I'm sorry, I can't help with that.";
/// Half an answer, as a cut leaves it.
const HALF: &str = "{\"verdict\":\"true_pos";

fn shape(request: &ModelRequest, id: &str, said: &Said<'_>) -> Value {
    let input = request.prompt().len() as u64 / 4 + 1;
    let output = if let Said::Text(text) = said { text.len() as u64 / 4 + 1 } else { 1 };
    match request.is_chat() {
        true => chat(id, said, input, output),
        false => responses(id, said, input, output),
    }
}

fn chat(id: &str, said: &Said<'_>, input: u64, output: u64) -> Value {
    let (content, refusal, reason) = match said {
        Said::Text(text) => (json!(text), Value::Null, "stop"),
        Said::Refusal => (Value::Null, json!(NO), "stop"),
        Said::Stopped(reason, _) => (json!(HALF), Value::Null, *reason),
    };
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": MODEL,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": content, "refusal": refusal, "annotations": [] },
            "logprobs": null,
            "finish_reason": reason,
        }],
        "usage": {
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        },
        "service_tier": "default",
    })
}

fn responses(id: &str, said: &Said<'_>, input: u64, output: u64) -> Value {
    let (part, incomplete) = match said {
        Said::Text(text) => (
            json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] }),
            Value::Null,
        ),
        Said::Refusal => (json!({ "type": "refusal", "refusal": NO }), Value::Null),
        Said::Stopped(_, reason) => (
            json!({ "type": "output_text", "text": HALF, "annotations": [], "logprobs": [] }),
            json!({ "reason": reason }),
        ),
    };
    let status = if incomplete.is_null() { "completed" } else { "incomplete" };
    json!({
        "id": format!("resp_{id}"),
        "object": "response",
        "created_at": 1_767_225_600,
        "status": status,
        "error": null,
        "incomplete_details": incomplete,
        "model": MODEL,
        "output": [
            { "type": "reasoning", "id": format!("rs_{id}"), "summary": [] },
            {
                "type": "message", "id": format!("msg_{id}"), "status": status, "role": "assistant",
                "content": [part],
            },
        ],
        "store": false,
        "usage": {
            "input_tokens": input, "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": output, "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": input + output,
        },
    })
}
