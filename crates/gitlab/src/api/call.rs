//! One request, before it is sent.

use std::{borrow::Cow, fmt};

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

/// The most bytes of a JSON answer.
const JSON_LIMIT: u64 = 16 << 20;

/// What form the answer shall have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    /// GitLab's JSON.
    Json,
    /// The bytes of a file.
    Bytes,
}

impl Accept {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Bytes => "*/*",
        }
    }
}

/// One request, before it is sent. Its `Debug` shows neither its address nor its body: comments quote
/// code.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path with names for its parts, for logs and metrics: a real path tells too much.
    pub(crate) route: &'static str,
    pub(crate) url: Url,
    pub(crate) accept: Accept,
    pub(crate) body: Option<Value>,
    /// The most bytes of its answer.
    pub(crate) limit: u64,
    /// The scope and role that it takes, for people; GitLab's own word, where there is one, counts more.
    pub(crate) needs: &'static str,
    /// Whether doing it twice is as good as doing it once.
    pub(crate) repeatable: bool,
}

impl Call {
    /// A read.
    pub(crate) fn get(route: &'static str, url: Url, needs: &'static str) -> Self {
        Self {
            method: Method::GET,
            route,
            url,
            accept: Accept::Json,
            body: None,
            limit: JSON_LIMIT,
            needs,
            repeatable: true,
        }
    }

    /// A read of bytes, at most `limit` of them.
    pub(crate) fn bytes(route: &'static str, url: Url, limit: u64, needs: &'static str) -> Self {
        Self { accept: Accept::Bytes, limit, ..Self::get(route, url, needs) }
    }

    /// A write.
    pub(crate) fn write(
        method: Method,
        route: &'static str,
        url: Url,
        body: Value,
        needs: &'static str,
    ) -> Self {
        let read = Self::get(route, url, needs);
        Self { method, body: Some(body), repeatable: false, ..read }
    }

    /// A removal.
    pub(crate) fn delete(route: &'static str, url: Url, needs: &'static str) -> Self {
        Self { method: Method::DELETE, repeatable: false, ..Self::get(route, url, needs) }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {})", self.method, self.route)
    }
}

/// All but the characters that mean nothing in an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path (GitLab takes a whole path as one), or one value of a query. Not left to the `url` crate: it drops tabs and
/// line breaks, and so would ask for another file.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ENCODED).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_shows_neither_its_address_nor_its_body() {
        let url = Url::parse("https://host/api/v4/projects/7/secret%20path").unwrap();
        let body = serde_json::json!({ "body": "secret text" });
        let call = Call::write(Method::POST, "/projects/{id}/notes", url, body, "scope api");
        assert_eq!(format!("{call:?}"), "Call(POST /projects/{id}/notes)");
    }

    #[test]
    fn any_character_of_a_name_is_kept() {
        assert_eq!(encode("a b#c?%2e\t\n+é.rs"), "a%20b%23c%3F%252e%09%0A%2B%C3%A9.rs");
    }
}
