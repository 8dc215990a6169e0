//! Deliveries: signed, sent, kept, sent again.

use std::sync::Arc;

use aws_lc_rs::hmac;
use bytes::Bytes;
use serde_json::Value;
use uuid::Uuid;

use super::Inner;
use crate::delivery::{Delivered, Signature};

/// `sha256=` and the HMAC of `body`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

pub(crate) struct Parcel {
    pub(crate) event: String,
    pub(crate) payload: Bytes,
    pub(crate) signature: Signature,
    /// The GUID; a new one where there is none.
    pub(crate) guid: Option<String>,
    pub(crate) redelivery: bool,
}

pub(crate) async fn send(inner: &Arc<Inner>, parcel: Parcel) -> Delivered {
    let guid = parcel.guid.unwrap_or_else(|| Uuid::new_v4().to_string());
    let (request, mut delivered) = {
        let mut world = inner.world();
        let payload: Value = serde_json::from_slice(&parcel.payload).unwrap_or_default();
        let delivered = Delivered {
            delivery: guid,
            status: 0,
            body: String::new(),
            event: parcel.event,
            action: payload["action"].as_str().map(str::to_owned),
            id: world.id(),
            at: world.now(),
            redelivery: parcel.redelivery,
            repository: payload["repository"]["full_name"].as_str().map(str::to_owned),
            payload: parcel.payload.clone(),
        };
        let signature = match parcel.signature {
            Signature::Right => Some(sign(&world.app.webhook_secret, &parcel.payload)),
            Signature::With(secret) => Some(sign(&secret, &parcel.payload)),
            Signature::Text(text) => Some(text),
            Signature::Missing => None,
        };
        let request = world.app.webhook_url.clone().map(|url| {
            let mut request = inner
                .wire
                .client
                .post(url)
                .header("user-agent", "GitHub-Hookshot/5a4bd0e")
                .header("x-github-hook-id", "1")
                .header("x-github-event", &delivered.event)
                .header("x-github-delivery", &delivered.delivery)
                .header("x-github-hook-installation-target-type", "integration")
                .header("x-github-hook-installation-target-id", world.app.id.to_string());
            if let Some(signature) = signature {
                request = request.header("x-hub-signature-256", signature);
            }
            request
        });
        (request, delivered)
    };
    match request {
        None => "no webhook address is set".clone_into(&mut delivered.body),
        Some(request) => delivered.send(request).await,
    }
    inner.world().deliveries.push(delivered.clone());
    delivered
}
