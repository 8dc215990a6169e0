//! `chaffinch audit store`: what lies in the store, held against the rules.

use std::{collections::BTreeMap, fmt::Write as _, process::ExitCode, time::Duration};

use chaffinch_core::{Sealing, Stored};
use chaffinch_server::Config;
use serde_json::json;

use crate::{
    args::{AuditStore, Listing},
    progress,
};

/// Something breaks a rule.
const BROKEN: u8 = 1;
/// Lines that are printed at a time.
const LINES: usize = 1_000;

/// How much of one kind there is.
#[derive(Default)]
struct Kind {
    count: u64,
    longest: Duration,
}

pub(crate) async fn store(
    options: AuditStore,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    let audit = chaffinch_server::kept(&config).await?.audit;
    let table = options.format == Listing::Table;
    let (mut kinds, mut broken): (BTreeMap<String, Kind>, u64) = (BTreeMap::new(), 0);
    let (mut page, mut lines, mut printed) = (String::new(), 0, Ok(()));
    if table && !options.summary {
        page.push_str("KIND      LIVES FOR  SEALED  KEY\n");
    }
    let mut each = |stored: Stored| {
        let name = stored.kind.clone().unwrap_or_else(|| "unknown".to_owned());
        let kind = kinds.entry(name).or_default();
        kind.count += 1;
        kind.longest = kind.longest.max(stored.ttl.unwrap_or(Duration::MAX));
        let fault = stored.fault();
        broken += u64::from(fault.is_some());
        if fault.is_none() && options.summary {
            return;
        }
        match options.format {
            Listing::Table => page.push_str(&row(&stored)),
            Listing::Json => {
                let ttl = stored.ttl.map(|ttl| ttl.as_secs());
                let sealed = match stored.sealing {
                    Sealing::Sealed => Some(true),
                    Sealing::Unopened => Some(false),
                    Sealing::Bare => None,
                };
                let fault = fault.map(|fault| fault.to_string());
                let one = json!({
                    "key": stored.key, "kind": stored.kind, "ttl_seconds": ttl, "sealed": sealed,
                    "fault": fault,
                });
                let _ = writeln!(page, "{one}");
            }
        }
        lines += 1;
        if lines == LINES && printed.is_ok() {
            printed = progress::print(&std::mem::take(&mut page));
            lines = 0;
        }
    };
    audit.walk(&mut each).await?;
    printed?;
    progress::print(&page)?;
    if table {
        progress::print(&summary(&kinds, broken))?;
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn row(stored: &Stored) -> String {
    let kind = stored.kind.as_deref().unwrap_or("unknown");
    let sealed = match stored.sealing {
        Sealing::Sealed => "yes",
        Sealing::Unopened => "NO",
        Sealing::Bare => "–",
    };
    let fault = stored.fault().map(|fault| format!("   ← {fault}")).unwrap_or_default();
    let lives = stored.ttl.map_or_else(|| "EVER".to_owned(), lives);
    format!("{kind:<9} {lives:<10} {sealed:<7} {}{fault}\n", stored.key)
}

fn summary(kinds: &BTreeMap<String, Kind>, broken: u64) -> String {
    let mut out = String::new();
    for (name, Kind { count, longest }) in kinds {
        let longest = if *longest == Duration::MAX { "ever".to_owned() } else { lives(*longest) };
        let _ = writeln!(out, "{name}: {count}, the longest for {longest}");
    }
    let all: u64 = kinds.values().map(|kind| kind.count).sum();
    let _ = match broken {
        0 => writeln!(
            out,
            "All {all} keep to the rules: each ends within 180 days, and what is derived from a repository is sealed."
        ),
        _ => writeln!(out, "{broken} of {all} break a rule."),
    };
    out
}

/// In the largest unit of which there is one at least.
fn lives(ttl: Duration) -> String {
    let seconds = ttl.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.iter().find(|(unit, _)| seconds >= *unit);
    unit.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_wrong() {
        let day = Duration::from_secs(86_400);
        let stored = |ttl, sealing| Stored {
            key: "chaffinch:v1:{github:1:2}:answer:bg".into(),
            kind: Some("answer".into()),
            ttl,
            sealing,
        };
        let rows = [
            stored(Some(day * 30), Sealing::Sealed),
            stored(Some(day / 48), Sealing::Unopened),
            stored(None, Sealing::Sealed),
        ];
        insta::assert_snapshot!(rows.iter().map(row).collect::<String>(), @"
        answer    30 d       yes     chaffinch:v1:{github:1:2}:answer:bg
        answer    30 min     NO      chaffinch:v1:{github:1:2}:answer:bg   ← it does not open with the store's key
        answer    EVER       yes     chaffinch:v1:{github:1:2}:answer:bg   ← it has no time to live
        ");
    }
}
