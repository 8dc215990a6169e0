//! The whole path for one change.

mod conclude;
mod config;
mod look;

use std::{sync::Arc, time::Duration};

use chaffinch_context::Extractor;
use chaffinch_core::{
    Access, Change, ChangedLines, Clock, CommitSha, Entropy, FileStatus, ForgeError, Job,
    RawReport, RepoPath, Source, Subject, Trigger, Vault,
};
use chaffinch_egress::{Door, Model};
pub use config::Config;
use look::Look;

use crate::{
    Announcement, Assessment, JobError, Written,
    record::{self, Record},
    render,
};

/// For so many tries, what a forge shows may be older than what it has told us.
const LAGS: u32 = 1;

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

impl Parts {
    /// How long answers are kept.
    pub(crate) fn ttl(&self) -> Duration {
        days(self.door.policy().answer_ttl_days)
    }

    /// How long the record of a change is kept.
    pub(crate) fn record_ttl(&self) -> Duration {
        days(self.door.policy().record_ttl_days)
    }

    /// How long an entry of the evaluation log is kept.
    pub(crate) fn evaluation_ttl(&self) -> Duration {
        days(self.door.policy().evaluation_ttl_days)
    }
}

fn days(days: u16) -> Duration {
    Duration::from_secs(u64::from(days) * 24 * 60 * 60)
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

/// What was uploaded for a head.
#[derive(Debug, Default)]
pub struct Uploads {
    /// The reports.
    pub reports: Vec<RawReport>,
    /// Why others are not among them, in our own words; a check is not green over any of these.
    pub lost: Vec<String>,
}

/// Findings to verdicts to comments.
pub struct Engine {
    pub(crate) parts: Parts,
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
    /// What is to be announced goes with what is written, if anything is.
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
        uploaded: Uploads,
        announcement: Option<Announcement<'_>>,
    ) -> Result<Done, JobError> {
        let Subject::Change(number) = job.subject else {
            return Err(JobError::Fail { why: "a job for a head is one for each change".into() });
        };
        tracing::Span::current().record("change", number).record("attempt", attempt);
        let source = &*access.source;
        let change = match source.change(number).await {
            Err(ForgeError::NotFound) if attempt <= LAGS => return Err(not_yet()),
            change => change?,
        };
        if let Some(done) = set_aside(&change, None) {
            return Ok(done);
        }
        let any_head = matches!(job.source, Trigger::Scan(_) | Trigger::Rerun(_));
        if change.head != job.head && !any_head {
            // It shows an older head for a moment after it has told us of a new one.
            return match attempt <= LAGS {
                true => Err(not_yet()),
                false => Ok(Done::Superseded { head: change.head }),
            };
        }
        let uploaded = if change.head == job.head { uploaded } else { Uploads::default() };
        let Uploads { mut reports, lost: mut unreadable } = uploaded;
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
        // A scan that is running is no news by itself, and its end will be; beside others it keeps the
        // check from green.
        if reports.iter().all(|report| report.to_come) && unreadable.is_empty() {
            if matches!(job.source, Trigger::Rerun(_)) {
                let known = self.known(&change, last_attempt).await?;
                self.say_again(access, &change, known.as_ref(), None).await?;
            }
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
        self.publish(&*access.discussion, &change, fresh, certain, known, announcement).await
    }

    /// Says on the change that its job was given up on: the check of what earlier runs on this head
    /// found out, and that there is more, which is not known.
    ///
    /// # Errors
    /// The forge or the store does not answer.
    pub async fn give_up(&self, job: &Job, access: &Access, why: &str) -> Result<(), JobError> {
        let Subject::Change(number) = job.subject else { return Ok(()) };
        let change = access.source.change(number).await?;
        if set_aside(&change, Some(&job.head)).is_some() {
            return Ok(());
        }
        let known = self.known(&change, true).await?;
        self.say_again(access, &change, known.as_ref(), Some(why)).await
    }

    /// The check of what is on record, and why there is no more.
    async fn say_again(
        &self,
        access: &Access,
        change: &Change,
        known: Option<&Record>,
        why: Option<&str>,
    ) -> Result<(), JobError> {
        let mut standing = Record::assessment(known, &change.head);
        match why {
            Some(why) => standing.given_up = Some(why.to_owned()),
            None if standing.reports == 0 => standing
                .unreadable
                .push("there is none for this commit, or no longer: let CI upload it again".into()),
            None => {}
        }
        Ok(access.discussion.check(change, &render::check(&standing)).await?)
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
}

fn not_yet() -> JobError {
    JobError::Retry { at: None, why: "the forge does not show this head, or shows another".into() }
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
