//! One request and its reply: bounded in size, never sent on to another address.

use std::time::Duration;

use bytes::Bytes;
use chaffinch_core::SourceBytes;
use chaffinch_egress::ModelError;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};
use url::Url;
use zeroize::Zeroizing;

use crate::{config::Target, failure::Failure};

/// How much is read of a reply that says what went wrong.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// How long that may take.
const ERROR_TIME: Duration = Duration::from_secs(2);

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: SourceBytes,
}

impl Reply {
    /// Whether it is a stream of events.
    pub(crate) fn is_streamed(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        kind.is_some_and(|k| k.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
    }
}

/// A request as it leaves. All of it is here, so that what is shown is what is sent.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The credential's value is marked as sensitive.
    pub(crate) headers: Vec<(&'static str, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Outgoing {
    pub(crate) fn new(target: &Target, body: Bytes, request_id: &str) -> Self {
        let mut headers = vec![("content-type", HeaderValue::from_static("application/json"))];
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.push(("x-client-request-id", id));
        }
        #[cfg(feature = "leaks")]
        if let Some(who) = chaffinch_core::leaks::overheard(chaffinch_core::leaks::Leak::Author)
            && let Ok(who) = HeaderValue::from_str(&who)
        {
            headers.push(("x-on-behalf-of", who));
        }
        headers.extend(target.credential.clone());
        Self { method: Method::POST, url: target.url.clone(), headers, body }
    }
}

/// Sends a request and reads the reply, at most `limit` bytes of it.
pub(crate) async fn exchange(
    http: &reqwest::Client,
    outgoing: Outgoing,
    limit: u64,
) -> Result<Reply, Failure> {
    let Outgoing { method, url, headers, body } = outgoing;
    let mut request = http
        .request(method, url.clone())
        // A body that cannot be cloned cannot be sent again after a redirect, whatever the client
        // was built to follow.
        .body(reqwest::Body::wrap(Full::new(body)));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut response = request.send().await.map_err(|e| unsent(&e))?;
    let status = response.status();
    if response.url() != &url {
        return Err(Failure::never(ModelError::Other(
            "the endpoint redirects, which is not followed".to_owned(),
        )));
    }
    let headers = response.headers().clone();
    let body = if status.is_success() {
        whole(&mut response, limit).await?
    } else {
        start(&mut response).await
    };
    Ok(Reply { status, headers, body })
}

async fn whole(response: &mut reqwest::Response, limit: u64) -> Result<SourceBytes, Failure> {
    let too_large = || Failure::malformed("the reply is larger than max_reply_bytes");
    let announced = response.content_length().unwrap_or_default();
    if announced > limit {
        return Err(too_large());
    }
    let mut body = Growing::of(usize::try_from(announced).unwrap_or_default());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > limit => {
                return Err(too_large());
            }
            Ok(Some(chunk)) => body.extend(&chunk),
            Ok(None) => return Ok(body.whole()),
            Err(_) => return Err(Failure::lost("the reply broke off")),
        }
    }
}

/// What there is of an error's text, if it comes soon; it only refines what the status says.
async fn start(response: &mut reqwest::Response) -> SourceBytes {
    let deadline = Instant::now() + ERROR_TIME;
    let mut body = Growing::of(0);
    while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
        if (body.len() + chunk.len()) as u64 > MAX_ERROR_BYTES {
            break;
        }
        body.extend(&chunk);
    }
    body.whole()
}

/// Bytes of which no copy is left behind when they grow, nor when they are dropped.
struct Growing(Zeroizing<Vec<u8>>);

impl Growing {
    fn of(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn extend(&mut self, chunk: &[u8]) {
        let wanted = self.0.len() + chunk.len();
        if wanted > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(wanted.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            // The smaller one is wiped here.
            self.0 = larger;
        }
        self.0.extend_from_slice(chunk);
    }

    fn whole(mut self) -> SourceBytes {
        std::mem::take(&mut *self.0).into()
    }
}

/// In our own words: reqwest's name the address.
fn unsent(error: &reqwest::Error) -> Failure {
    if error.is_redirect() || error.is_builder() {
        return Failure::never(ModelError::Other("the request could not be sent".to_owned()));
    }
    // Of a connection that was never made, it is certain that nothing went through it.
    if error.is_connect() {
        let what = if error.is_timeout() { "it takes no connection" } else { "cannot connect" };
        return Failure::backoff(ModelError::Unreachable(what.to_owned()));
    }
    Failure::lost(if error.is_timeout() {
        "the connection timed out"
    } else {
        "the connection was lost"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_grows_stays_whole() {
        for capacity in [0, 3, 64] {
            let mut body = Growing::of(capacity);
            for chunk in ["", "ab", "cdefghij", "k"] {
                body.extend(chunk.as_bytes());
            }
            assert_eq!(body.len(), 11);
            assert_eq!(body.whole().expose(), b"abcdefghijk");
        }
    }
}
