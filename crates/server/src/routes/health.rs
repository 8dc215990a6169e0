//! Is it alive, can it take work, and how much has it done.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::{App, metric};

/// The process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// A job could be kept now.
pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.queue.ready().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(e) => {
            tracing::warn!(error = %e, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot take a job\n")
        }
    }
}

/// The counts, in Prometheus' text format.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> String {
    if let Ok(depth) = app.queue.depth().await {
        let states = [
            ("ready", depth.ready),
            ("leased", depth.leased),
            ("delayed", depth.delayed),
            ("dead", depth.dead),
        ];
        for (state, jobs) in states {
            metrics::gauge!(metric::QUEUE, "state" => state).set(jobs as f64);
        }
    }
    app.metrics.render()
}
