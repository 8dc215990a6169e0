//! One request to a forge's API.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::{answer::Answer, calls::Caller};

/// A handler's result: either way it is an answer.
pub(crate) type Outcome = Result<Answer, Box<Answer>>;

pub(crate) struct Request {
    pub(crate) method: String,
    /// Without base path and query.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) caller: Caller,
    /// The token as it came.
    pub(crate) credential: Option<String>,
}

impl Request {
    pub(crate) fn new(
        method: &str,
        path: &str,
        query: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let credential = headers.get("authorization").and_then(|v| v.to_str().ok());
        let credential = credential.and_then(|v| v.split_once(' ')).map(|(_, c)| c.to_owned());
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(query),
            headers,
            body,
            params: BTreeMap::new(),
            caller: Caller::Nobody,
            credential,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// What the route's braces hold, as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.param(name).parse().ok()
    }
}

/// A query's or a form's pairs.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decode =
        |t: &str| percent_decode_str(&t.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    text.split('&').filter(|p| !p.is_empty()).map(pair).collect()
}

/// A page of a list, and what the request says of it.
pub(crate) struct Page<T> {
    /// From 1.
    pub(crate) at: usize,
    pub(crate) size: usize,
    /// The number of the last page; at least 1.
    pub(crate) last: usize,
    pub(crate) total: usize,
    pub(crate) shown: Vec<T>,
}

impl Request {
    /// The part of `items` that the request asks for.
    pub(crate) fn cut<T>(&self, items: Vec<T>, usual_size: usize) -> Page<T> {
        let number = |name: &str, default: usize| {
            self.query(name).and_then(|v| v.parse().ok()).filter(|n| *n > 0).unwrap_or(default)
        };
        let (at, size) = (number("page", 1), number("per_page", usual_size).min(100));
        let (total, last) = (items.len(), items.len().div_ceil(size).max(1));
        let shown = items.into_iter().skip((at - 1) * size).take(size).collect();
        Page { at, size, last, total, shown }
    }

    /// An entry of a `Link` header: the same request, for another page.
    pub(crate) fn link(&self, api: &str, page: usize, rel: &str) -> String {
        let others = self.query.iter().filter(|(name, _)| name != "page");
        let mut query: Vec<String> = others.map(|(n, v)| format!("{n}={v}")).collect();
        query.push(format!("page={page}"));
        format!("<{api}{}?{}>; rel=\"{rel}\"", self.path, query.join("&"))
    }
}
