//! Keeps a lease alive while its job runs, and settles it when the job ends.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chaffinch_core::{Access, Lease, StoreError};
use futures::FutureExt;
use tracing::Instrument;

use super::job::{self, Ended};
use crate::{App, app::Permission, metric};

/// The longest that the end of its credentials may take.
const REVOKE: Duration = Duration::from_secs(5);
/// The longest that it may take to say that a job was given up on.
const FAREWELL: Duration = Duration::from_secs(30);
/// The first pause before another try; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest of them.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

pub(super) async fn work(app: &Arc<App>, lease: Lease) -> Result<Ended, StoreError> {
    let job = &lease.job;
    let span = tracing::info_span!(
        "job", delivery = %job.delivery, forge = %job.repo.forge, repository = %job.repo.name,
        head = job.head.short(), attempt = lease.attempt
    );
    async {
        let started = app.clock.now();
        let ended = attempt(app, &lease).await;
        let ended = settle(app, &lease, ended).await?;
        let seconds = (app.clock.now() - started).as_seconds_f64();
        metrics::counter!(metric::JOBS, "ended" => ended.word()).increment(1);
        metrics::histogram!(metric::JOB_SECONDS).record(seconds);
        Ok(ended)
    }
    .instrument(span)
    .await
}

/// One try, with handles of its own; their credentials end with it, however it ended.
async fn attempt(app: &Arc<App>, lease: &Lease) -> Ended {
    let access = match job::open(app, &lease.job).await {
        Ok(access) => access,
        Err(ended) => return ended,
    };
    // A panic must cost one try of one job, not the worker.
    let run = AssertUnwindSafe(job::run(app, lease, &access)).catch_unwind();
    let ended = tokio::select! {
        biased;
        // Nobody settled the last one: it took its process down with it.
        () = std::future::ready(()), if lease.attempt > app.limits.max_attempts => {
            Ended::Buried { why: "every try was cut off".into() }
        }
        ended = tokio::time::timeout(app.limits.longest_try, run) => match ended {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) => Ended::Retry { at: None, why: "a defect of ours stopped it".into() },
            Err(_) => Ended::Retry { at: None, why: "it took too long".into() },
        },
        () = lease_lost(app, lease) => Ended::Lost,
    };
    let given_up = match &ended {
        Ended::Buried { why } => Some(why),
        Ended::Retry { why, .. } if is_last(app, lease) => Some(why),
        _ => None,
    };
    if let Some(why) = given_up {
        let said = app.engine.give_up(&lease.job, &access, why);
        match tokio::time::timeout(FAREWELL, said).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the change could not be told"),
            Err(_) => tracing::warn!(error = "timed out", "the change could not be told"),
        }
    }
    revoke(&access).await;
    leave_nothing(app, lease).await;
    ended
}

/// What a job has written of a repository that was disabled meanwhile goes with the rest of it.
async fn leave_nothing(app: &App, lease: &Lease) {
    let repo = &lease.job.repo;
    let gone = match app.may_read(repo).await {
        Ok(permission) => permission == Permission::Unconsented,
        Err(_) => false,
    };
    if gone && let Err(error) = app.vault.destroy(repo).await {
        tracing::warn!(%error, "what was left of a disabled repository is destroyed later");
    }
}

fn is_last(app: &App, lease: &Lease) -> bool {
    lease.attempt >= app.limits.max_attempts
}

async fn revoke(access: &Access) {
    let failed = match tokio::time::timeout(REVOKE, access.grant.revoke()).await {
        Ok(Ok(())) => return,
        Ok(Err(e)) => e.to_string(),
        Err(_) => "timed out".to_owned(),
    };
    tracing::warn!(
        error = failed,
        "the job's tokens could not be revoked; they end within the hour"
    );
}

/// Ends when another worker may have the job.
async fn lease_lost(app: &App, lease: &Lease) {
    let mut until = lease.until;
    loop {
        tokio::time::sleep(app.limits.lease / 3).await;
        let asked = app.clock.now();
        match app.queue.extend(lease).await {
            Ok(true) => until = asked + app.limits.lease,
            Ok(false) => return,
            Err(e) => tracing::warn!(error = %e, "could not put off the lease's deadline"),
        }
        if app.clock.now() >= until {
            return;
        }
    }
}

/// Tells the queue. A job that was tried too often is buried, whatever it would have liked.
async fn settle(app: &App, lease: &Lease, ended: Ended) -> Result<Ended, StoreError> {
    let ended = match ended {
        Ended::Retry { why, .. } if is_last(app, lease) => {
            Ended::Buried { why: format!("given up after {} tries: {why}", lease.attempt) }
        }
        other => other,
    };
    let held = match &ended {
        Ended::Done(_) => app.queue.ack(lease, ended.acked()).await?,
        Ended::Retry { at, why } => {
            let at = at.unwrap_or_else(|| app.clock.now() + pause(lease.attempt));
            tracing::warn!(why, at = %at, "will be tried again");
            app.queue.retry(lease, at).await?
        }
        Ended::Buried { why } => {
            tracing::error!(why, "given up");
            app.queue.bury(lease, why).await?
        }
        Ended::Lost => false,
    };
    if !held {
        tracing::warn!("the lease was lost; another worker has the job");
        return Ok(Ended::Lost);
    }
    if app.queue.depth().await.is_ok_and(|depth| depth.ready > 0) {
        app.bell.notify_one();
    }
    Ok(ended)
}

fn pause(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}
