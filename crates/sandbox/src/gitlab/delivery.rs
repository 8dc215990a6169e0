//! Deliveries: told to each hook that wants them, with its secret or its signature.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::Value;
use uuid::Uuid;

use super::{Inner, hooks::HookState};
use crate::delivery::{Delivered, Signature};

pub(crate) struct Parcel {
    /// The number of the hook that it goes to.
    pub(crate) hook: u64,
    /// As in `X-Gitlab-Event`.
    pub(crate) event: String,
    pub(crate) payload: Bytes,
    pub(crate) signature: Signature,
    /// The `Idempotency-Key` of the first try; a new one where there is none.
    pub(crate) key: Option<String>,
}

/// `v1,` and the HMAC of a delivery, as Standard Webhooks has it; `signing_token` is `whsec_…`.
pub fn sign_delivery(signing_token: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let key = BASE64_STANDARD.decode(signing_token.trim_start_matches("whsec_"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap_or_default());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
}

/// The headers that say who sends: what the hook has, or what a test wants in its place.
fn credentials(
    hook: &HookState,
    parcel: &Parcel,
    id: &str,
    at: i64,
) -> Vec<(&'static str, String)> {
    let sign = |token: &str| sign_delivery(token, id, at, &parcel.payload);
    let (token, signature) = match &parcel.signature {
        Signature::Right => (hook.token.clone(), hook.signing_token.as_deref().map(sign)),
        Signature::With(secret) => {
            let plain = hook.token.is_some() || hook.signing_token.is_none();
            (plain.then(|| secret.clone()), hook.signing_token.as_ref().map(|_| sign(secret)))
        }
        Signature::Text(text) if hook.signing_token.is_some() => {
            (hook.token.clone(), Some(text.clone()))
        }
        Signature::Text(text) => (Some(text.clone()), None),
        Signature::Missing => (None, None),
    };
    let token = token.map(|t| ("x-gitlab-token", t));
    let signature = signature.map(|s| ("webhook-signature", s));
    token.into_iter().chain(signature).collect()
}

pub(crate) async fn send(inner: &Arc<Inner>, parcel: Parcel) -> Delivered {
    let (request, mut delivered) = {
        let mut world = inner.world();
        let payload: Value = serde_json::from_slice(&parcel.payload).unwrap_or_default();
        let key = parcel.key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let delivered = Delivered {
            delivery: key,
            status: 0,
            body: "no hook is told of it".to_owned(),
            event: parcel.event.clone(),
            action: payload["object_attributes"]["action"].as_str().map(str::to_owned),
            id: world.id(),
            at: world.now(),
            redelivery: parcel.key.is_some(),
            repository: payload["project"]["path_with_namespace"].as_str().map(str::to_owned),
            payload: parcel.payload.clone(),
        };
        let (now, web) = (world.clock.now(), world.links.web.clone());
        let hook = world.projects.iter().flat_map(|p| &p.hooks).find(|h| h.id == parcel.hook);
        match hook.map(|h| (h, h.is_off(now))) {
            None => (None, delivered),
            Some((_, Some(off))) => (None, Delivered { body: off, ..delivered }),
            Some((hook, None)) => {
                let id = &delivered.delivery;
                let mut request = inner
                    .wire
                    .client
                    .post(&hook.url)
                    .header("user-agent", "GitLab/19.0.1-ee")
                    .header("x-gitlab-event", &delivered.event)
                    .header("x-gitlab-instance", web.as_ref())
                    .header("x-gitlab-webhook-uuid", &hook.uuid)
                    .header("x-gitlab-event-uuid", Uuid::new_v4().to_string())
                    .header("idempotency-key", id)
                    .header("webhook-id", id)
                    .header("webhook-timestamp", now.timestamp().to_string());
                for (name, value) in credentials(hook, &parcel, id, now.timestamp()) {
                    request = request.header(name, value);
                }
                (Some(request), delivered)
            }
        }
    };
    if let Some(request) = request {
        delivered.body.clear();
        delivered.send(request).await;
        let mut world = inner.world();
        let now = world.clock.now();
        let mut hooks = world.projects.iter_mut().flat_map(|p| &mut p.hooks);
        if let Some(hook) = hooks.find(|h| h.id == parcel.hook) {
            hook.note(delivered.arrived(), now);
        }
    }
    inner.world().deliveries.push((parcel.hook, delivered.clone()));
    delivered
}
