//! Deliveries about a change, and the same again.

use std::sync::Arc;

use crate::{
    delivery::{Delivered, Signature},
    github::{
        Inner,
        delivery::{Parcel, send},
        payloads::payload,
    },
};

pub(crate) async fn deliver(inner: &Arc<Inner>, at: usize, number: u64, event: &str) -> Delivered {
    let body = {
        let mut world = inner.world();
        let body = world.repos.get(at).and_then(|repo| payload(&world, repo, number, event));
        if body.is_none() {
            world.problem(format!("sandbox: there is no {event} about change {number}"));
        }
        body
    };
    let event = event.split('.').next().unwrap_or_default();
    #[cfg(feature = "conformance")]
    if let Some(body) = &body {
        let found = inner.wire.schemas().map(|mut schemas| schemas.hook(event, body));
        let mut world = inner.world();
        for finding in found.into_iter().flatten() {
            world.problem(format!("schema: delivery of {event}: {finding}"));
        }
    }
    let parcel = Parcel {
        event: event.to_owned(),
        payload: body.unwrap_or_default().to_string().into(),
        signature: Signature::Right,
        guid: None,
        redelivery: false,
    };
    send(inner, parcel).await
}

/// Sends the first delivery that `which` picks once more.
pub(crate) async fn redeliver(
    inner: &Arc<Inner>,
    which: impl Fn(&Delivered) -> bool,
) -> Option<Delivered> {
    let first = inner.world().deliveries.iter().find(|d| which(d)).cloned()?;
    let parcel = Parcel {
        event: first.event,
        payload: first.payload,
        signature: Signature::Right,
        guid: Some(first.delivery),
        redelivery: true,
    };
    Some(send(inner, parcel).await)
}
