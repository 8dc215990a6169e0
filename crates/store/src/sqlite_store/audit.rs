//! Every row, for an audit. (`facts` counts jobs, and holds nothing else.)

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chaffinch_core::{Sealing, StoreError, Stored};
use rusqlite::params;

use super::Desks;
use crate::{cabinet::Cabinet, shelf::kind_of};

/// How many sealed values are read at a time.
const PAGE: i64 = 100;

/// What holds ids, times and random numbers alone: its kind, and how its rows are named.
const BARE: [(&str, &str); 4] = [
    ("queue", "SELECT 'job:' || id, expires FROM jobs"),
    ("queue", "SELECT 'seen:' || mark, expires FROM seen"),
    ("queue", "SELECT 'dead:' || id, expires FROM dead"),
    ("salt", "SELECT 'salt:' || repo, expires FROM salts"),
];

type Row = (i64, String, String, Vec<u8>, i64, Vec<u8>);

pub(super) async fn walk(
    desks: &Desks,
    now: i64,
    cabinet: &Arc<Cabinet>,
    each: &mut (dyn FnMut(Stored) + Send),
) -> Result<(), StoreError> {
    let left = |expires: i64| u64::try_from(expires - now).ok().map(Duration::from_millis);
    for (kind, sql) in BARE {
        let rows = desks.reader.ask(move |connection| {
            let mut rows = connection.prepare_cached(sql)?;
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        });
        let rows: Vec<(String, i64)> = rows.await?;
        for (key, expires) in rows {
            // What has expired is swept now and then, and counts as gone.
            let Some(ttl) = left(expires) else { continue };
            let kind = Some(kind.to_owned());
            each(Stored { key, kind, ttl: Some(ttl), sealing: Sealing::Bare });
        }
    }
    let mut after = 0;
    loop {
        let rows = desks.reader.ask(move |connection| {
            let mut rows = connection.prepare_cached(
                "SELECT id, repo, kind, name, expires, value FROM sealed WHERE id > ?1
                 ORDER BY id LIMIT ?2",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            };
            rows.query_map(params![after, PAGE], row)?.collect()
        });
        let rows: Vec<Row> = rows.await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.0;
        for (_, repo, kind, name, expires, value) in rows {
            let Some(ttl) = left(expires) else { continue };
            let sealing = cabinet.sealing(&repo, &kind, &name, value).await?;
            let key = format!("sealed:{repo}:{kind}:{}", URL_SAFE_NO_PAD.encode(&name));
            let kind = kind_of(&repo, &kind).map(str::to_owned);
            each(Stored { key, kind, ttl: Some(ttl), sealing });
        }
    }
}
