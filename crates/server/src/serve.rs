//! Listening, and stopping in two steps.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{App, Worker, router};

const UPKEEP: Duration = Duration::from_secs(5);
const PROMISES: Duration = Duration::from_secs(10 * 60);

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    app: Arc<App>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// Listens on `listen` and starts the workers.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn start(app: Arc<App>, listen: SocketAddr) -> anyhow::Result<Running> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; is another server there?"))?;
    let address = listener.local_addr().context("the listening address is unknown")?;
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let (routes, stopped) = (router(Arc::clone(&app)), stop.clone());
    tasks.spawn(async move {
        let server = axum::serve(listener, routes);
        if let Err(e) = server.with_graceful_shutdown(stopped.cancelled_owned()).await {
            tracing::error!(error = %e, "the listener failed");
        }
    });
    tasks.spawn(promises(Arc::clone(&app), stop.clone()));
    tasks.spawn(upkeep(Arc::clone(&app), stop.clone()));
    for _ in 0..app.limits.workers {
        tasks.spawn(Worker::new(Arc::clone(&app)).run(stop.clone()));
    }
    Ok(Running { address, app, stop, tasks })
}

/// Keeps the counts small while nobody asks for them.
async fn upkeep(app: Arc<App>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        app.metrics.run_upkeep();
    }
}

/// Counts the notice, lets consents last, and finishes what deletions have left, also while no job runs.
async fn promises(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Err(error) = app.keep_promises().await {
            tracing::warn!(%error, "the policy's notice is not counted while the store is away");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PROMISES)).await.is_none() {
            return;
        }
    }
}

impl Running {
    /// Takes no more work, and waits for what runs, but no longer than the grace period. What is not
    /// done by then is done by whoever gets the job next.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.app.limits.grace, all).await.is_err() {
            tracing::warn!(
                "stopped before every job was done; they will be done after the next start"
            );
        }
    }
}

/// Serves until `first` ends, then stops gently; if `second` ends while it does, stops at once.
///
/// # Errors
/// If the address cannot be listened on, or a token allows more than is needed and nobody has
/// acknowledged that.
pub async fn serve(
    app: Arc<App>,
    listen: SocketAddr,
    first: impl Future<Output = ()>,
    second: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    app.forges.look_at_tokens().await?;
    let running = start(app, listen).await?;
    tracing::info!(address = %running.address, "listening");
    first.await;
    tracing::info!("stopping: no new work is taken; signal again to stop at once");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        () = second => tracing::warn!("stopped at once; unfinished jobs will be done after the next start"),
    }
    Ok(())
}
