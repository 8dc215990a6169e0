//! Reports to outcomes, at one commit.

use chaffinch_core::{Cause, Change, ChangedLines, RawReport, RepoPath, Source};
use chrono::{TimeDelta, Utc};
use futures::{StreamExt, stream};
use metrics::{counter, histogram};

use crate::{
    Assessment, Engine, JobError, Outcome,
    ask::{Asked, Asker},
    files::Files,
    gather::{Gathered, Reading},
    group::{Group, groups},
    metrics::{FINDING_SECONDS, FINDINGS},
    outcome,
};

/// For each finding that may be asked about, so many are looked up in the cache.
const LOOKED_UP: usize = 10;

/// One look at one commit.
pub(super) struct Look<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) change: &'a Change,
    pub(super) changed: Option<&'a ChangedLines>,
    pub(super) known_paths: &'a [RepoPath],
    pub(super) last: bool,
}

impl Engine {
    /// The outcomes at one commit, and whether all findings there are identified for certain.
    pub(super) async fn look(
        &self,
        look: &Look<'_>,
        reports: Vec<RawReport>,
    ) -> Result<(Assessment, bool), JobError> {
        let files = Files::new(look.source, &look.change.head);
        let config = &self.parts.config;
        let reading = Reading {
            changed: look.changed,
            known_paths: look.known_paths,
            scope: config.scope,
            files: &files,
            concurrency: config.concurrency,
            last: look.last,
        };
        let Gathered {
            findings,
            tools,
            scans,
            reports,
            unreadable,
            unfinished,
            skipped,
            suppressed,
            elsewhere,
            certain,
        } = reading.gather(reports).await?;
        let unknown = findings.iter().any(|(_, touch)| *touch == crate::Touch::Unknown);
        let outcomes = self.triage(look, &files, groups(findings)).await?;
        let assessment = Assessment {
            head: look.change.head.clone(),
            outcomes,
            tools,
            scans,
            reports,
            unreadable,
            unfinished,
            skipped,
            suppressed,
            elsewhere,
            incomplete: unknown || look.changed.is_some_and(|changed| !changed.complete),
            waiting: Vec::new(),
            left_open: 0,
            forgotten: false,
            given_up: None,
        };
        Ok((assessment, certain))
    }

    async fn triage(
        &self,
        look: &Look<'_>,
        files: &Files<'_>,
        groups: Vec<Group>,
    ) -> Result<Vec<Outcome>, JobError> {
        let config = &self.parts.config;
        let longest = TimeDelta::from_std(config.longest).unwrap_or(TimeDelta::MAX);
        let now = self.parts.clock.now();
        let asker = Asker {
            parts: &self.parts,
            change: look.change,
            files,
            changed: look.known_paths,
            brake: crate::ask::Brake::new(config.max_findings),
            last: look.last,
            until: now.checked_add_signed(longest).unwrap_or(chrono::DateTime::<Utc>::MAX_UTC),
        };
        let most = config.max_findings.saturating_mul(LOOKED_UP);
        // Made before the stream, so that the compiler sees futures of one lifetime.
        let groups = groups.into_iter().enumerate();
        let asking: Vec<_> = groups.map(|(i, group)| self.group(&asker, group, i < most)).collect();
        let asked: Vec<_> =
            stream::iter(asking).buffer_unordered(config.concurrency.max(1)).collect().await;
        if let Some(retry) = asker.brake.into_retry() {
            return Err(retry);
        }
        let mut outcomes = Vec::new();
        for group in asked {
            outcomes.extend(group?);
        }
        outcome::sort(&mut outcomes);
        for outcome in &outcomes {
            counter!(FINDINGS, "verdict" => outcome.standing().as_str()).increment(1);
        }
        Ok(outcomes)
    }

    async fn group(
        &self,
        asker: &Asker<'_>,
        group: Group,
        within: bool,
    ) -> Result<Vec<Outcome>, JobError> {
        let Some((first, _)) = group.first() else { return Ok(Vec::new()) };
        let started = self.parts.clock.now();
        let asked = match within {
            true => asker.ask(first).await?,
            false => Asked::failed(first, Cause::OverLimit, Vec::new()),
        };
        let took = self.parts.clock.now() - started;
        histogram!(FINDING_SECONDS).record(took.as_seconds_f64());
        let outcomes: Vec<Outcome> =
            group.into_iter().map(|(finding, touch)| outcome_of(finding, touch, &asked)).collect();
        for outcome in &outcomes {
            let sent = outcome.receipts.iter().map(|receipt| u64::from(receipt.tokens));
            tracing::info!(
                fingerprint = %outcome.finding.fingerprint,
                rule = %outcome.finding.rule.id,
                verdict = outcome.standing().as_str(),
                cached = outcome.cached,
                tokens = if outcome.cached { 0 } else { sent.sum::<u64>() },
                ms = took.num_milliseconds(),
                "triaged"
            );
        }
        Ok(outcomes)
    }
}

fn outcome_of(finding: chaffinch_core::Finding, touch: crate::Touch, asked: &Asked) -> Outcome {
    let Asked { mut triage, receipts, reached, cached, directed, needs, spent } = asked.clone();
    // What was said of one finding of the group is said of all; its lines are its own.
    if triage.finding != finding.fingerprint {
        triage.suggestion = None;
    }
    triage.finding = finding.fingerprint;
    Outcome { finding, triage, touch, receipts, reached, cached, directed, needs, spent }
}
