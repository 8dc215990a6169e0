//! One try of one job.

use chaffinch_core::{
    Access, Acked, CommitSha, ForgeError, Job, Lease, RawReport, StoreError, Subject, Trigger,
    VaultKind,
};
use chaffinch_triage::{Announcement, Done, JobError, Uploads};
use chrono::{DateTime, Utc};

use super::announce;
use super::upload::{self, REPORT_KEPT, reports_of};
use crate::{App, app::Permission};

/// The most that the uploaded reports of one job may hold together.
const MOST_REPORT_BYTES: usize = 200 << 20;

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
    /// Only what left something behind is not done again: a closed change may be reopened, a draft
    /// made ready, a report may come.
    pub(super) fn acked(&self) -> Acked {
        match self {
            Self::Done("published" | "spread") => Acked::Done,
            _ => Acked::Nothing,
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Done(word) => word,
            Self::Retry { .. } => "retry",
            Self::Buried { .. } => "buried",
            Self::Lost => "lost",
        }
    }
}

/// Opens the job's repository, if the policy lets us.
pub(super) async fn open(app: &App, job: &Job) -> Result<Access, Ended> {
    // What came into force meanwhile holds for this job, and nobody knows what may be read while the
    // store does not say.
    if let Err(error) = app.notice.look().await {
        return Err(Ended::Retry { at: None, why: format!("{error:#}") });
    }
    match app.may_read(&job.repo).await {
        Ok(Permission::Granted) => {}
        Ok(Permission::Unlisted) => return Err(Ended::Done("unlisted")),
        Ok(Permission::Unconsented) => return Err(Ended::Done("unconsented")),
        Err(error) => return Err(store_failed(error)),
    }
    // It was configured when the job came in.
    let Some(forge) = app.forges.get(job.repo.forge) else { return Err(Ended::Done("unlisted")) };
    forge.open(&job.repo).await.map_err(forge_failed)
}

/// Runs the job.
pub(super) async fn run(app: &App, lease: &Lease, access: &Access) -> Ended {
    match lease.job.subject {
        Subject::Head => spread(app, &lease.job, access).await,
        Subject::Change(number) => triage(app, lease, access, number).await,
    }
}

/// An event that named no change: one job for each open change with this head, and to each a copy of
/// the report, if there is one.
async fn spread(app: &App, job: &Job, access: &Access) -> Ended {
    let numbers = match access.source.changes_at(&job.head).await {
        Ok(numbers) => numbers,
        Err(e) => return forge_failed(e),
    };
    match copy(app, job, &numbers).await {
        Ok(()) => Ended::Done("spread"),
        Err(e) => store_failed(e),
    }
}

async fn copy(app: &App, job: &Job, numbers: &[u64]) -> Result<(), StoreError> {
    let any = reports_of(&job.head, None);
    let waiting = match &job.source {
        Trigger::Report(id) => Some(format!("{any}{id}")),
        _ => None,
    };
    for &number in numbers {
        if let (Some(key), Trigger::Report(id)) = (&waiting, &job.source)
            && let Some(bytes) = app.vault.get(&job.repo, VaultKind::Report, key).await?
        {
            let own = format!("{}{id}", reports_of(&job.head, Some(number)));
            app.vault.put(&job.repo, VaultKind::Report, &own, &bytes, REPORT_KEPT).await?;
        }
        enqueue(app, Job { subject: Subject::Change(number), ..job.clone() }).await?;
    }
    // Without a change yet, the report waits for one.
    match waiting {
        Some(key) if !numbers.is_empty() => {
            app.vault.remove(&job.repo, VaultKind::Report, &key).await
        }
        _ => Ok(()),
    }
}

async fn triage(app: &App, lease: &Lease, access: &Access, number: u64) -> Ended {
    let job = &lease.job;
    let (uploads, used) = match uploaded(app, job, number).await {
        Ok(uploaded) => uploaded,
        Err(e) => return store_failed(e),
    };

    let due = match announce::due(app, &job.repo, number).await {
        Ok(due) => due,
        Err(e) => return store_failed(e),
    };
    let announcement = due.as_ref().map(|due| Announcement { text: &due.text, here: due.here });

    let last = lease.attempt >= app.limits.publish_after;
    let ran = app.engine.run(job, lease.attempt, last, access, uploads, announcement).await;
    let done = match ran {
        Ok(done) => done,
        Err(JobError::Retry { at, why }) => return Ended::Retry { at, why },
        Err(JobError::Fail { why }) => return Ended::Buried { why },
        Err(other) => return Ended::Buried { why: other.to_string() },
    };
    if let (Done::Published { written, .. }, Some(due)) = (&done, due)
        && written.announced
        && let Err(error) = announce::told(app, &job.repo, number, due).await
    {
        tracing::warn!(%error, "it is not known that the policy was announced; it will be told again");
    }
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
    for key in used {
        if let Err(e) = app.vault.remove(&job.repo, VaultKind::Report, &key).await {
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

/// The reports that were uploaded for the job's head, for this change or for no change that was open
/// then; and the keys under which they wait.
async fn uploaded(app: &App, job: &Job, number: u64) -> Result<(Uploads, Vec<String>), StoreError> {
    let mut uploads = Uploads::default();
    let mut used = Vec::new();
    let mut room = MOST_REPORT_BYTES;
    for prefix in [reports_of(&job.head, Some(number)), reports_of(&job.head, None)] {
        for key in app.vault.keys(&job.repo, VaultKind::Report, &prefix).await? {
            let Some(Ok(id)) = key.strip_prefix(&prefix).map(str::parse) else { continue };
            let Some(bytes) = app.vault.get(&job.repo, VaultKind::Report, &key).await? else {
                continue;
            };
            used.push(key);
            match room.checked_sub(bytes.len()) {
                Some(left) => {
                    room = left;
                    uploads.reports.push(RawReport { id, bytes, to_come: false });
                }
                None => uploads.lost.push(format!("it is one too many to be read at once ({id})")),
            }
        }
    }
    if let Trigger::Report(id) = &job.source
        && uploads.reports.iter().all(|report| report.id != *id)
        && uploads.lost.is_empty()
        && upload::expired(id, app.clock.now())
    {
        uploads.lost.push(format!(
            "it waited for more than {} minutes and was deleted; upload it again ({id})",
            REPORT_KEPT.as_secs() / 60
        ));
    }
    Ok((uploads, used))
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
