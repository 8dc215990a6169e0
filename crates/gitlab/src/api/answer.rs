//! One answer, read whole.

use chaffinch_core::ForgeError;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

/// One answer, of any status. No `Debug`: it may hold source or a token.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(super) route: &'static str,
    /// Whether GitLab has taken the call's token before.
    pub(super) taken_before: bool,
}

impl Answer {
    /// The body as the type that is wanted. What else it may be (a proxy's page, half a document) may
    /// be better next time.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body).map_err(|e| ForgeError::Unavailable {
            // The library's message can quote the body.
            why: format!(
                "unexpected answer to {} (line {}, column {})",
                self.route,
                e.line(),
                e.column()
            ),
        })
    }

    pub(crate) fn text(&self, header: &str) -> Option<&str> {
        self.headers.get(header)?.to_str().ok()
    }

    pub(crate) fn number(&self, header: &str) -> Option<i64> {
        self.text(header)?.trim().parse().ok()
    }

    /// Whether another page follows this one, which had `items` of at most `per_page`. A page can be
    /// short and not the last, so the headers count more, where there are any.
    pub(crate) fn has_next(&self, items: usize, per_page: usize) -> bool {
        self.says_next().unwrap_or(items >= per_page)
    }

    /// Whether another page follows, if the headers say.
    pub(crate) fn says_next(&self) -> Option<bool> {
        match (self.text("x-next-page"), self.text("link")) {
            (Some(next), _) => Some(!next.trim().is_empty()),
            (None, Some(link)) => Some(link.contains("rel=\"next\"")),
            (None, None) => None,
        }
    }
}
