//! The whole path for one change.

use std::{sync::Arc, time::Duration};

use chaffinch_context::Extractor;
use chaffinch_core::{
    Access, Cause, Change, ChangedLines, Clock, CommitSha, Discussion, Entropy, FileStatus,
    ForgeError, Job, RawReport, RepoPath, Source, Subject, Trigger, Vault,
};
use chaffinch_egress::{Door, Model};
use chrono::{TimeDelta, Utc};
use futures::{StreamExt, stream};
use metrics::{counter, histogram};

use crate::{
    Assessment, JobError, Outcome, Scope, Standing, Written,
    ask::{Asked, Asker},
    files::Files,
    gather::{Gathered, Reading},
    group::{Group, groups},
    metrics::{FINDING_SECONDS, FINDINGS},
    outcome, plan, publish,
    record::{self, Earlier, Record},
    tool,
};

/// For each finding that may be asked about, so many are looked up in the cache.
const LOOKED_UP: usize = 10;

/// What the engine works with.
pub struct Parts {
    /// Picks the lines.
    pub extractor: Extractor,
    /// The one way out.
    pub door: Arc<Door>,
    /// Who is asked.
    pub model: Arc<dyn Model>,
    /// Keeps answers and records.
    pub vault: Arc<dyn Vault>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws markers.
    pub entropy: Arc<dyn Entropy>,
    /// Numbers and words.
    pub config: Config,
}

/// Numbers and words of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How often one run may ask a model; answers from the cache do not count.
    pub max_findings: usize,
    /// How many findings are worked on at a time.
    pub concurrency: usize,
    /// Which findings of a changed file belong to the change.
    pub scope: Scope,
    /// Whether likely false positives below high severity go into the summary, folded.
    pub fold_false_positives: bool,
    /// Where the policy in force can be read; linked from every comment.
    pub policy_url: Option<String>,
    /// Stands at the top of every comment: that the answers are scripted, say.
    pub scripted_notice: Option<String>,
    /// The most tokens that an answer may cost, reasoning included.
    pub max_output_tokens: u32,
    /// After so long, a run asks no more.
    pub longest: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_findings: 50,
            concurrency: 4,
            scope: Scope::default(),
            fold_false_positives: false,
            policy_url: None,
            scripted_notice: None,
            max_output_tokens: 4_096,
            longest: Duration::from_secs(8 * 60),
        }
    }
}

impl Parts {
    /// How long answers and records are kept.
    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.door.policy().answer_ttl_days) * 24 * 3600)
    }
}

/// What a job came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// The change carries our triage.
    Published {
        /// How many findings touch the change, those of earlier reports on this head included.
        findings: usize,
        /// How many of them are real.
        real: usize,
        /// How many answers came from the cache.
        cached: usize,
        /// What was written.
        written: Written,
    },
    /// The change is a draft: nobody wants to hear of it yet.
    NothingToSay,
    /// There is no report yet.
    NotYet,
    /// The change is closed or merged.
    Closed,
    /// The change has another head now; it wants a job of its own.
    Superseded {
        /// That head.
        head: CommitSha,
    },
}

/// Findings to verdicts to comments.
pub struct Engine {
    parts: Parts,
}

/// One look at one commit.
struct Look<'a> {
    source: &'a dyn Source,
    change: &'a Change,
    changed: Option<&'a ChangedLines>,
    known_paths: &'a [RepoPath],
    last: bool,
}

impl Engine {
    /// An engine over its parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// The whole path for one job: reads the change and its reports (the forge's and `uploaded`),
    /// triages the findings that touch it, and publishes.
    ///
    /// A job whose head is no longer the change's is superseded, but for [`Trigger::Scan`] and
    /// [`Trigger::Rerun`]: scans also run on merge commits, which are the head of nothing, so these
    /// work on the head of now, without the uploads, which are for the other commit.
    ///
    /// On the last attempt, what cannot be had is published as not triaged.
    ///
    /// # Errors
    /// [`JobError`] says whether to come again. Answers already got are in the cache.
    #[tracing::instrument(skip_all, fields(change = tracing::field::Empty, attempt))]
    pub async fn run(
        &self,
        job: &Job,
        attempt: u32,
        last_attempt: bool,
        access: &Access,
        uploaded: Vec<RawReport>,
    ) -> Result<Done, JobError> {
        let Subject::Change(number) = job.subject else {
            return Err(JobError::Fail { why: "a job for a head is one for each change".into() });
        };
        tracing::Span::current().record("change", number).record("attempt", attempt);
        let source = &*access.source;
        let change = source.change(number).await?;
        if let Some(done) = set_aside(&change, None) {
            return Ok(done);
        }
        let any_head = matches!(job.source, Trigger::Scan(_) | Trigger::Rerun(_));
        if change.head != job.head && !any_head {
            return Ok(Done::Superseded { head: change.head });
        }
        let mut unreadable = Vec::new();
        let mut reports = if change.head == job.head { uploaded } else { Vec::new() };
        match source.reports(&change).await {
            Ok(held) => reports.splice(0..0, held).for_each(drop),
            // It holds none, or only uploads are wanted here.
            Err(ForgeError::NotFound) => {}
            Err(ForgeError::Denied { needs }) if !reports.is_empty() => {
                tracing::info!(needs, "the forge's own reports may not be read");
            }
            Err(error @ ForgeError::Truncated { .. }) => unreadable.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        if reports.is_empty() && unreadable.is_empty() {
            return Ok(Done::NotYet);
        }
        let changed = source.changed_lines(&change).await?;
        let known = self.known(&change, last_attempt).await?;
        // The files of the change tell which part of an absolute path is the repository's.
        let files = changed.files.iter().filter(|f| f.status != FileStatus::Removed);
        let known_paths: Vec<RepoPath> = files.map(|f| f.path.clone()).collect();
        let look = Look {
            source,
            change: &change,
            changed: Some(&changed),
            known_paths: &known_paths,
            last: last_attempt,
        };
        let (mut fresh, certain) = Box::pin(self.look(&look, reports)).await?;
        let certain = certain && unreadable.is_empty();
        fresh.unreadable.extend(unreadable);

        let now = source.change(number).await?;
        if let Some(done) = set_aside(&now, Some(&change.head)) {
            return Ok(done);
        }
        self.publish(&*access.discussion, &change, fresh, certain, known).await
    }

    /// Triages without a discussion, for the command line: all findings, or those that touch
    /// `changed`. What cannot be had is in the assessment as not triaged. An absolute path in a
    /// report is that one of `known_paths` which is its longest suffix.
    ///
    /// # Errors
    /// [`JobError`] where nothing at all can be said.
    pub async fn assess(
        &self,
        source: &dyn Source,
        change: &Change,
        changed: Option<&ChangedLines>,
        known_paths: &[RepoPath],
        reports: Vec<RawReport>,
    ) -> Result<Assessment, JobError> {
        let look = Look { source, change, changed, known_paths, last: true };
        let (assessment, _) = Box::pin(self.look(&look, reports)).await?;
        Ok(assessment)
    }

    async fn known(&self, change: &Change, last: bool) -> Result<Option<Record>, JobError> {
        match record::load(&*self.parts.vault, change).await {
            Ok(record) => Ok(record),
            Err(error) if last => {
                tracing::warn!(%error, "the change's record could not be read");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The outcomes at one commit, and whether all findings there are identified for certain.
    async fn look(
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
            reports,
            unreadable,
            unfinished,
            skipped,
            suppressed,
            elsewhere,
            incomplete: unknown || look.changed.is_some_and(|changed| !changed.complete),
            waiting: Vec::new(),
            left_open: 0,
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

    async fn publish(
        &self,
        discussion: &dyn Discussion,
        change: &Change,
        mut fresh: Assessment,
        certain: bool,
        known: Option<Record>,
    ) -> Result<Done, JobError> {
        // What a scan that did not come to its end is silent about may still be there.
        let unfinished = plan::unfinished(&fresh);
        let mut read = plan::read(&fresh.tools, &fresh.outcomes);
        read.retain(|tool| !unfinished.contains(tool));
        let Earlier { mut outcomes, mut waiting } =
            known.as_ref().map(|record| record.earlier(&change.head, &read)).unwrap_or_default();
        waiting.retain(|tool| !unfinished.contains(&tool::key(tool)));
        // What was found out about these lines before stands where nothing could be found out now.
        for old in known.iter().flat_map(|record| record.cautious(&change.head)) {
            let own = |new: &Outcome| new.finding.fingerprint == old.finding.fingerprint;
            let before = fresh.outcomes.len();
            fresh.outcomes.retain(|new| !(own(new) && new.standing() == Standing::Failed));
            if fresh.outcomes.len() < before && !outcomes.iter().any(own) {
                outcomes.push(old.clone());
            }
        }
        outcomes.retain(|old| {
            fresh.outcomes.iter().all(|new| new.finding.fingerprint != old.finding.fingerprint)
        });
        let mut all = Assessment {
            outcomes: plan::together(&fresh.outcomes, &outcomes),
            waiting,
            ..fresh.clone()
        };
        let found =
            plan::Found { fresh: &fresh.outcomes, earlier: &outcomes, read: &read, certain };
        let config = &self.parts.config;
        let written = publish::publish(discussion, change, &mut all, &found, config).await?;
        let record = Record::after(known.as_ref(), &all);
        record::save(&*self.parts.vault, change, &record, self.parts.ttl()).await?;
        Ok(Done::Published {
            findings: all.outcomes.len(),
            real: all.count(Standing::Real),
            cached: all.outcomes.iter().filter(|outcome| outcome.cached).count(),
            written,
        })
    }
}

/// Why a change is not worked on, if it is not.
fn set_aside(change: &Change, head: Option<&CommitSha>) -> Option<Done> {
    if !change.open {
        return Some(Done::Closed);
    }
    if change.draft {
        return Some(Done::NothingToSay);
    }
    match head {
        Some(head) if change.head != *head => Some(Done::Superseded { head: change.head.clone() }),
        _ => None,
    }
}

fn outcome_of(finding: chaffinch_core::Finding, touch: crate::Touch, asked: &Asked) -> Outcome {
    let Asked { mut triage, receipts, cached, directed, needs } = asked.clone();
    triage.finding = finding.fingerprint;
    Outcome { finding, triage, touch, receipts, cached, directed, needs }
}
