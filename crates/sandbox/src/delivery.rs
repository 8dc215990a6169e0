//! Deliveries: how they are sent, and what became of them.

use std::time::Duration;

use bytes::Bytes;

/// Neither forge waits any longer for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// One delivery and what became of it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The GUID in `X-GitHub-Delivery`, or GitLab's `Idempotency-Key`; a redelivery repeats it.
    pub delivery: String,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
    /// The body of the answer, or why there was none.
    pub body: String,
    /// The event, as the forge's header names it.
    pub event: String,
    /// Its action, where it has one.
    pub action: Option<String>,
    pub(crate) id: u64,
    pub(crate) at: String,
    pub(crate) redelivery: bool,
    pub(crate) repository: Option<String>,
    pub(crate) payload: Bytes,
}

/// How a delivery is signed.
#[derive(Debug, Clone)]
pub enum Signature {
    /// With the App's or the hook's secret.
    Right,
    /// With another secret.
    With(String),
    /// This text in place of a signature.
    Text(String),
    /// Not at all.
    Missing,
}

impl Delivered {
    /// Whether it was answered with 2xx.
    pub fn arrived(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Sends it, and notes the answer.
    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) {
        let request = request
            .timeout(PATIENCE)
            .header("content-type", "application/json")
            .header("accept", "*/*")
            .body(self.payload.clone());
        match request.send().await {
            Err(error) => {
                let why =
                    if error.is_timeout() { "timed out" } else { "failed to connect to host" };
                why.clone_into(&mut self.body);
            }
            Ok(response) => {
                self.status = response.status().as_u16();
                self.body = response.text().await.unwrap_or_default();
            }
        }
    }
}
