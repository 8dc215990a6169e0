//! A request for an answer, and the source lines that it shows.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::listen::Exchange;

/// A request for an answer, as it came.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// `/v1/chat/completions` or `/v1/responses`.
    pub path: String,
    /// The whole body.
    pub body: Value,
    /// The whole body, byte for byte.
    pub raw: Bytes,
    /// The path with its query.
    pub target: String,
    /// The headers, without the credential.
    pub headers: HeaderMap,
}

/// One source line of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptLine {
    /// The file.
    pub path: String,
    /// Its number there.
    pub number: u32,
    /// The text.
    pub text: String,
}

impl ModelRequest {
    pub(super) fn read(path: &str, exchange: &Exchange) -> Option<Self> {
        let body = serde_json::from_slice(&exchange.body).ok()?;
        let mut headers = exchange.headers.clone();
        headers.remove("authorization");
        headers.remove("api-key");
        let (raw, target) = (exchange.body.clone(), exchange.target.clone());
        Some(Self { path: path.to_owned(), body, raw, target, headers })
    }

    pub(super) fn is_chat(&self) -> bool {
        self.path.ends_with("/chat/completions")
    }

    /// What is wrong with it, whatever it asks.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.body["store"] != false {
            out.push("a request without store: false".to_owned());
        }
        let format = if self.is_chat() {
            &self.body["response_format"]
        } else {
            &self.body["text"]["format"]
        };
        let strict =
            if self.is_chat() { &format["json_schema"]["strict"] } else { &format["strict"] };
        if format["type"] != "json_schema" || *strict != true {
            out.push("a request without a strict JSON schema".to_owned());
        }
        if self.body["stream"] == true {
            out.push("a request for a stream".to_owned());
        }
        out
    }

    /// Everything that the model reads, our instructions first.
    pub fn prompt(&self) -> String {
        let mut out = Vec::new();
        texts(&self.body["instructions"], &mut out);
        texts(&self.body["messages"], &mut out);
        texts(&self.body["input"], &mut out);
        out.join("\n")
    }

    /// The last message: the question and the excerpt.
    pub fn question(&self) -> String {
        let list = if self.is_chat() { &self.body["messages"] } else { &self.body["input"] };
        let last = match list {
            Value::Array(items) => items.last().unwrap_or(&Value::Null),
            other => other,
        };
        let mut out = Vec::new();
        texts(last, &mut out);
        out.join("\n")
    }

    /// The source lines that it shows.
    pub fn lines(&self) -> Vec<PromptLine> {
        let question = self.question();
        let mut path = String::new();
        let mut out = Vec::new();
        for inner in fenced(&question) {
            if let Some(file) = inner.strip_prefix("file: ") {
                file.clone_into(&mut path);
            } else if let Some((number, text)) = numbered(inner) {
                let text = text.to_owned();
                out.push(PromptLine { path: path.clone(), number, text });
            }
        }
        out
    }

    /// The untrusted lines that are no source: rule, message, metadata.
    pub fn facts(&self) -> Vec<String> {
        let question = self.question();
        let inner = fenced(&question);
        inner.into_iter().filter(|l| numbered(l).is_none()).map(str::to_owned).collect()
    }
}

/// The lines behind the marker, without it. The marker starts the first line that has one.
fn fenced(text: &str) -> Vec<&str> {
    let marker = text.lines().find_map(|line| {
        let (marker, _) = line.split_once("| ")?;
        let random = marker.len() >= 4 && marker.bytes().all(|b| b.is_ascii_alphanumeric());
        random.then_some(marker)
    });
    let Some(marker) = marker else { return Vec::new() };
    let inside = |line: &'_ str| -> Option<usize> {
        line.strip_prefix(marker)?.strip_prefix("| ").map(|rest| line.len() - rest.len())
    };
    text.lines().filter_map(|line| inside(line).map(|at| &line[at..])).collect()
}

/// `   12| text`.
fn numbered(line: &str) -> Option<(u32, &str)> {
    let (number, text) = line.split_once("| ").or_else(|| Some((line.strip_suffix('|')?, "")))?;
    if number.len() < 5 {
        return None;
    }
    Some((number.trim_start().parse().ok()?, text))
}

/// All texts inside messages, parts and strings.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(object) => {
            for field in ["content", "text"] {
                if let Some(inner) = object.get(field) {
                    texts(inner, out);
                }
            }
        }
        _ => {}
    }
}
