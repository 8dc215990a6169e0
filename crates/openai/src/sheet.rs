//! A request on paper: what would leave, for whoever wants to read it first.

use std::fmt;

use chaffinch_core::SourceBytes;

use crate::wire::Outgoing;

/// A request as it would leave.
#[derive(Clone)]
pub struct Sheet {
    /// `POST`
    pub method: String,
    /// Where to.
    pub url: String,
    /// The headers that this program sets; the credential's value is left out. The id of a request is
    /// another one each time.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: SourceBytes,
}

impl Sheet {
    pub(crate) fn of(outgoing: Outgoing) -> Self {
        let Outgoing { method, url, headers, body } = outgoing;
        let headers = headers.into_iter().map(|(name, value)| {
            let shown = match value.is_sensitive() {
                true => "(the key)".to_owned(),
                false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            (name.to_owned(), shown)
        });
        Self {
            method: method.to_string(),
            url: url.to_string(),
            headers: headers.collect(),
            body: SourceBytes::new(body.to_vec()),
        }
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet").field("url", &self.url).finish_non_exhaustive()
    }
}
