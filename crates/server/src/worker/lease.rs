//! Keeps a lease alive while its job runs, and settles it when the job ends.

use std::{sync::Arc, time::Duration};

use chaffinch_core::{Lease, StoreError};
use tracing::Instrument;

use super::job::{self, Ended};
use crate::{App, metric};

/// The longest that one try of a job may take.
const LONGEST: Duration = Duration::from_secs(15 * 60);
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
        let ended = tokio::select! {
            ended = tokio::time::timeout(LONGEST, job::run(app, &lease)) => ended
                .unwrap_or_else(|_| Ended::Retry { at: None, why: "it took too long".into() }),
            () = lease_lost(app, &lease) => Ended::Lost,
        };
        let ended = settle(app, &lease, ended).await?;
        let seconds = (app.clock.now() - started).as_seconds_f64();
        metrics::counter!(metric::JOBS, "ended" => ended.word()).increment(1);
        metrics::histogram!(metric::JOB_SECONDS).record(seconds);
        Ok(ended)
    }
    .instrument(span)
    .await
}

/// Ends when another worker has the job.
async fn lease_lost(app: &App, lease: &Lease) {
    loop {
        tokio::time::sleep(app.limits.lease / 3).await;
        match app.queue.extend(lease).await {
            Ok(true) => {}
            Ok(false) => return,
            // The store may be back before the lease runs out; if not, settling will fail.
            Err(e) => tracing::warn!(error = %e, "could not put off the lease's deadline"),
        }
    }
}

/// Tells the queue. A job that was tried too often is buried, whatever it would have liked.
async fn settle(app: &App, lease: &Lease, ended: Ended) -> Result<Ended, StoreError> {
    let ended = match ended {
        Ended::Retry { why, .. } if lease.attempt >= app.limits.max_attempts => {
            Ended::Buried { why: format!("given up after {} tries: {why}", lease.attempt) }
        }
        other => other,
    };
    let held = match &ended {
        Ended::Done(_) => app.queue.ack(lease).await?,
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
