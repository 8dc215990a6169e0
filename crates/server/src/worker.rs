//! Lease → open → triage → ack, retry or dead letter.

mod announce;
mod job;
mod lease;
mod upload;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chaffinch_core::StoreError;
use futures::FutureExt;
use tokio_util::sync::CancellationToken;

pub use job::Ended;
pub(crate) use upload::{REPORT_KEPT, new_id, reports_of};

use crate::App;

/// How long an idle worker sleeps before it looks again: jobs of other processes, delayed jobs and
/// lost leases ring no bell here.
const IDLE: Duration = Duration::from_millis(500);
/// How long it sleeps when the store does not answer.
const STORE_AWAY: Duration = Duration::from_secs(2);

/// Takes jobs, one at a time.
pub struct Worker {
    app: Arc<App>,
}

impl Worker {
    /// A worker over the application.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Does one job, if one is due. `None` if nothing is.
    ///
    /// # Errors
    /// If the store does not answer; the job, if there was one, comes again.
    pub async fn once(&self) -> Result<Option<Ended>, StoreError> {
        let Some(lease) = self.app.queue.lease().await? else { return Ok(None) };
        lease::work(&self.app, lease).await.map(Some)
    }

    /// Works until `stop`; a job in hand is finished first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // Outside of a try, too, a panic must not cost the worker.
            let pause = match AssertUnwindSafe(self.once()).catch_unwind().await {
                Ok(Ok(Some(_))) => continue,
                Ok(Ok(None)) => IDLE,
                Ok(Err(e)) => {
                    tracing::warn!(error = %e, "the store does not answer; trying again");
                    STORE_AWAY
                }
                Err(_) => {
                    tracing::error!("a defect of ours stopped a job from being settled");
                    STORE_AWAY
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.app.bell.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
