//! Traffic as JSON lines, for `check_traffic.py` and people.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::{answer::Answer, listen::Exchange};

/// Headers that are not written down.
const SECRET: &[&str] = &["authorization", "private-token", "job-token"];

pub(crate) struct Record(Mutex<File>);

impl Record {
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        Ok(Self(Mutex::new(File::create(path)?)))
    }

    /// Writes one exchange. A disk that is full must not break the test that is recorded.
    pub(crate) fn write(&self, exchange: &Exchange, answer: &Answer) {
        let headers: Map<String, Value> =
            answer.headers.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        let line = json!({
            "method": exchange.method.as_str(),
            "target": exchange.target,
            "request_headers": shown(&exchange.headers),
            "request_body": String::from_utf8_lossy(&exchange.body),
            "status": answer.status,
            "response_headers": headers,
            "response_body": String::from_utf8_lossy(&answer.body),
        });
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(file, "{line}");
    }
}

fn shown(headers: &HeaderMap) -> Map<String, Value> {
    let kept = headers.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
    kept.map(|(n, v)| (n.to_string(), json!(String::from_utf8_lossy(v.as_bytes())))).collect()
}
