//! `chaffinch policy`: what is in force, what was, and what will be.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::bail;
use chaffinch_core::Clock;
use chaffinch_egress::{History, Policy};
use chaffinch_server::{Config, SystemClock, recorded_history};
use chrono::{DateTime, NaiveTime, Utc};
use serde_json::json;

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
            match history.was_in_force(end) {
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
            let mut line = json!({ "digest": shown.digest(), "policy": shown });
            if options.on.is_none() {
                let named = |policy: &Policy, key: &str, at: DateTime<Utc>| json!({ "digest": policy.digest(), key: at });
                line["announced"] = history
                    .versions()
                    .iter()
                    .map(|v| named(&v.policy, "at", v.announced))
                    .collect();
                line["in_force"] =
                    history.past().iter().map(|e| named(&e.policy, "since", e.since)).collect();
                line["pending"] =
                    history.pending(now).iter().map(|p| named(&p.policy, "from", p.from)).collect();
            }
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
                past(&history, &mut out);
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

fn past(history: &History, out: &mut String) {
    let _ = writeln!(out, "\nIn force since, by digest:");
    for entry in history.past().iter().rev() {
        let since = entry.since.format("%Y-%m-%d %H:%M");
        let _ = writeln!(out, "  {since}  {}", entry.policy.digest());
    }
    let _ = writeln!(out, "\nAnnounced, by digest:");
    for version in history.versions().iter().rev() {
        let announced = version.announced.format("%Y-%m-%d %H:%M");
        let _ = writeln!(out, "  {announced}  {}", version.policy.digest());
    }
}
