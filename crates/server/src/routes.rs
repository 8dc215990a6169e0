//! The routes, and nothing else: each decodes, calls, answers.

mod health;
mod policy;
mod uploads;
mod webhook;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    routing::{get, post},
};
use chaffinch_core::ForgeKind;
use tokio::sync::Semaphore;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use crate::App;

/// Both forges give a webhook ten seconds; the rest is bounded all the more.
const DELIVERY: Duration = Duration::from_secs(9);
/// A hundred megabytes over a slow line.
const UPLOAD: Duration = Duration::from_secs(300);

/// All routes over one application.
pub fn router(app: Arc<App>) -> Router {
    let limits = app.limits;
    let bounded = |time| TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, time);
    let room = Arc::new(Semaphore::new(webhook::ROOM));
    let deliveries = |forge: ForgeKind| {
        let room = Arc::clone(&room);
        post(move |app, request| webhook::deliver(forge, app, room, request))
    };
    let quick = Router::new()
        .route("/webhooks/github", deliveries(ForgeKind::GitHub))
        .route("/webhooks/gitlab", deliveries(ForgeKind::GitLab))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/policy", get(policy::page))
        .layer(bounded(DELIVERY));
    let slow = Router::new()
        .route("/api/v1/reports", post(uploads::report))
        .layer(DefaultBodyLimit::max(limits.report_bytes))
        .layer(bounded(UPLOAD));
    quick.merge(slow).layer(CatchPanicLayer::new()).with_state(app)
}
