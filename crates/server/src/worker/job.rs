//! One try of one job.

use std::sync::Arc;

use chaffinch_core::{
    Access, CommitSha, ForgeError, Job, Lease, RawReport, ReportId, StoreError, Subject, Trigger,
    VaultKind,
};
use chaffinch_triage::{Done, JobError};
use chrono::{DateTime, Utc};

use super::report_key;
use crate::App;

/// How a try ended.
#[derive(Debug)]
pub enum Ended {
    /// The job is done; what it came to.
    Done(&'static str),
    /// It is due again, at `at` or after a pause.
    Retry {
        /// When, if somebody said.
        at: Option<DateTime<Utc>>,
        /// Why.
        why: String,
    },
    /// It was given up on.
    Buried {
        /// Why.
        why: String,
    },
    /// Another worker has it.
    Lost,
}

impl Ended {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Done(word) => word,
            Self::Retry { .. } => "retry",
            Self::Buried { .. } => "buried",
            Self::Lost => "lost",
        }
    }
}

/// Runs the job with handles of its own, and destroys their credentials whatever happened.
pub(super) async fn run(app: &Arc<App>, lease: &Lease) -> Ended {
    let job = &lease.job;
    if !app.door.policy().allows(&job.repo.name) {
        return Ended::Done("unlisted");
    }
    let access = match app.github.open(&job.repo).await {
        Ok(access) => access,
        Err(e) => return forge_failed(e),
    };
    let ended = match &job.subject {
        Subject::Head => spread(app, job, &access).await,
        Subject::Change(_) => triage(app, lease, &access).await,
    };
    if let Err(e) = access.grant.revoke().await {
        tracing::warn!(error = %e, "the job's tokens could not be revoked; they end within the hour");
    }
    ended
}

/// An event that named no change: one job for each open change with this head.
async fn spread(app: &App, job: &Job, access: &Access) -> Ended {
    let numbers = match access.source.changes_at(&job.head).await {
        Ok(numbers) => numbers,
        Err(e) => return forge_failed(e),
    };
    for number in numbers {
        let next = Job { subject: Subject::Change(number), ..job.clone() };
        if let Err(e) = enqueue(app, next).await {
            return store_failed(e);
        }
    }
    Ended::Done("spread")
}

async fn triage(app: &App, lease: &Lease, access: &Access) -> Ended {
    let job = &lease.job;
    let reports = match uploaded(app, job).await {
        Ok(reports) => reports,
        Err(e) => return store_failed(e),
    };
    let used: Vec<ReportId> = reports.iter().map(|r| r.id.clone()).collect();
    let last = lease.attempt >= app.limits.max_attempts;
    let done = match app.engine.run(job, lease.attempt, last, access, reports).await {
        Ok(done) => done,
        Err(JobError::Retry { at, why }) => return Ended::Retry { at, why },
        Err(JobError::Fail { why }) => return Ended::Buried { why },
        Err(other) => return Ended::Buried { why: other.to_string() },
    };
    let word = match &done {
        Done::Published { .. } => "published",
        Done::NothingToSay => "nothing_to_say",
        Done::NotYet => "not_yet",
        Done::Closed => "closed",
        Done::Superseded { head } => {
            // The event for the newer head may never come: deliveries are not repeated.
            if let Err(e) = supersede(app, job, head).await {
                return store_failed(e);
            }
            "superseded"
        }
        _ => "done",
    };
    // A draft is looked at once it is ready; until then its reports wait, though not for long.
    if done == Done::NothingToSay {
        return Ended::Done(word);
    }
    for id in used {
        if let Err(e) =
            app.vault.remove(&job.repo, VaultKind::Report, &report_key(&job.head, &id)).await
        {
            tracing::warn!(error = %e, "an uploaded report could not be deleted; it ends within the hour");
        }
    }
    tracing::info!(outcome = word, "done");
    Ended::Done(word)
}

async fn supersede(app: &App, job: &Job, head: &CommitSha) -> Result<(), StoreError> {
    enqueue(app, Job { head: head.clone(), source: Trigger::Change, ..job.clone() }).await
}

/// A job that follows from another has a delivery id of its own: the first one's is taken.
async fn enqueue(app: &App, mut job: Job) -> Result<(), StoreError> {
    let id = format!("follow-{}", app.entropy.hex(16));
    job.delivery = id.parse().map_err(|_| StoreError::Other("a delivery id was refused".into()))?;
    app.enqueue(&job).await.map(|_| ())
}

/// The reports that were uploaded for the job's head.
async fn uploaded(app: &App, job: &Job) -> Result<Vec<RawReport>, StoreError> {
    let prefix = format!("{}/", job.head);
    let mut reports = Vec::new();
    for key in app.vault.keys(&job.repo, VaultKind::Report, &prefix).await? {
        let Some(Ok(id)) = key.strip_prefix(&prefix).map(str::parse) else { continue };
        if let Some(bytes) = app.vault.get(&job.repo, VaultKind::Report, &key).await? {
            reports.push(RawReport { id, bytes });
        }
    }
    Ok(reports)
}

fn forge_failed(error: ForgeError) -> Ended {
    match error {
        ForgeError::RateLimited { until } => {
            Ended::Retry { at: Some(until), why: "the forge limits our rate".into() }
        }
        ForgeError::Unavailable { why } => Ended::Retry { at: None, why },
        // Uninstalled, deleted or renamed away: nothing is left to be done.
        ForgeError::NotFound => Ended::Done("gone"),
        other => Ended::Buried { why: other.to_string() },
    }
}

fn store_failed(error: StoreError) -> Ended {
    Ended::Retry { at: None, why: error.to_string() }
}
