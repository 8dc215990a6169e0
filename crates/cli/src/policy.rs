//! `chaffinch policy`: what is in force, what was, and what will be.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::bail;
use chaffinch_core::Clock;
use chaffinch_egress::{Entry, History, Policy};
use chaffinch_server::{Config, SystemClock, recorded_history};
use chrono::{DateTime, NaiveTime, Utc};

use crate::{
    args::{Listing, PolicyOptions},
    plain::plain,
    progress,
};

pub(crate) async fn run(
    options: PolicyOptions,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    let kept = chaffinch_server::kept(&config).await?;
    let history = recorded_history(&*kept.ledger).await?;
    let now = SystemClock.now();
    let shown = match options.on {
        // The whole of that day: what was in force at its end.
        Some(day) => {
            let end = day.and_time(NaiveTime::MIN).and_utc() + chrono::TimeDelta::days(1);
            match history.was_in_force(end.min(now)) {
                Some(policy) => policy.clone(),
                None => bail!("no policy is on record for {day}"),
            }
        }
        None => match history.in_force() {
            Some(policy) => policy.clone(),
            None => bail!("no policy is on record: no server was started with this store yet"),
        },
    };
    let mut out = String::new();
    match options.format {
        Listing::Json => {
            let policy = serde_json::to_value(&shown)?;
            let line = serde_json::json!({ "digest": shown.digest(), "policy": policy });
            let _ = writeln!(out, "{line}");
        }
        Listing::Table => {
            let _ = writeln!(out, "Policy {}", shown.digest());
            for line in shown.differences(&Policy::default()) {
                let _ = writeln!(out, "  {}", plain(&line, 1_000));
            }
            let _ = writeln!(out, "  all else is as by default (`chaffinch config example`)");
            if options.on.is_none() {
                pending(&history, now, &mut out);
                past(history.past(), &mut out);
            }
        }
    }
    progress::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn pending(history: &History, now: DateTime<Utc>, out: &mut String) {
    let Some(mut before) = history.in_force().cloned() else { return };
    for pending in history.pending(now) {
        let _ = writeln!(
            out,
            "\nFrom {} on, if the server runs until then ({}):",
            pending.from.format("%Y-%m-%d %H:%M"),
            &pending.policy.digest()[..12]
        );
        for line in pending.policy.differences(&before) {
            let _ = writeln!(out, "  {}", plain(&line, 1_000));
        }
        before = pending.policy;
    }
}

fn past(entries: &[Entry], out: &mut String) {
    let _ = writeln!(out, "\nIn force since, by digest:");
    for entry in entries.iter().rev() {
        let since = entry.since.format("%Y-%m-%d %H:%M");
        let _ = writeln!(out, "  {since}  {}", entry.policy.digest());
    }
}
