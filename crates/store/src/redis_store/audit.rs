//! Every key under our prefix, for an audit.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chaffinch_core::{Sealing, StoreError, Stored};
use redis::{cmd, pipe};

use super::{
    keys::{Keys, Place},
    link::Link,
};
use crate::cabinet::Cabinet;

/// How many keys are asked for at a time.
const PAGE: usize = 200;

pub(super) async fn walk(
    link: &Link,
    keys: &Keys,
    cabinet: &Arc<Cabinet>,
    each: &mut (dyn FnMut(Stored) + Send),
) -> Result<(), StoreError> {
    let mut cursor = "0".to_owned();
    loop {
        let scan =
            cmd("SCAN").arg(&cursor).arg("MATCH").arg(keys.all()).arg("COUNT").arg(PAGE).take();
        let (next, found): (String, Vec<String>) = link.command(&scan).await?;
        let mut ask = pipe();
        for key in &found {
            ask.cmd("PTTL").arg(key);
        }
        let ttls: Vec<i64> = if found.is_empty() { Vec::new() } else { link.pipe(&ask).await? };
        for (key, ttl) in found.into_iter().zip(ttls) {
            // Gone since it was listed.
            if ttl == -2 {
                continue;
            }
            let place = keys.place(&key);
            let sealing = match &place {
                Some(Place::Value { repo, kind, name }) => {
                    let value: Option<Vec<u8>> = link.command(cmd("GET").arg(&key)).await?;
                    let Some(value) = value else { continue };
                    let name = URL_SAFE_NO_PAD.decode(name).unwrap_or_default();
                    cabinet.sealing(repo, kind, &name, value).await?
                }
                _ => Sealing::Bare,
            };
            let ttl = u64::try_from(ttl).ok().map(Duration::from_millis);
            let kind = place.map(|place| place.kind().to_owned());
            each(Stored { key, kind, ttl, sealing });
        }
        if next == "0" {
            return Ok(());
        }
        cursor = next;
    }
}
