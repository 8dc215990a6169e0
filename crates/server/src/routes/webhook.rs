//! A delivery becomes a durable job, and only then an answer.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::HeaderMap, http::StatusCode};
use chaffinch_core::Enqueued;
use chaffinch_github::{Received, Rejected};

use crate::{App, metric};

/// `POST /webhooks/github`: 202 accepted, 204 authentic but not ours, 400 malformed, 401 bad
/// signature, 413 too large, 503 cannot be kept.
pub(super) async fn github(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let (outcome, status, says) = receive(&app, &headers, &body).await;
    metrics::counter!(metric::DELIVERIES, "forge" => "github", "outcome" => outcome).increment(1);
    (status, says)
}

type Answer = (&'static str, StatusCode, &'static str);

async fn receive(app: &App, headers: &HeaderMap, body: &[u8]) -> Answer {
    let job = match app.webhook.receive(headers, body) {
        Ok(Received::Job(job)) => job,
        Ok(Received::NotOurs(why)) => {
            tracing::debug!(why, "delivery is not ours");
            return ("not_ours", StatusCode::NO_CONTENT, "");
        }
        Err(Rejected::BadSignature) => {
            tracing::warn!("delivery with a bad signature refused");
            return ("bad_signature", StatusCode::UNAUTHORIZED, "bad signature\n");
        }
        Err(rejected) => {
            tracing::warn!(error = %rejected, "malformed delivery refused");
            return ("malformed", StatusCode::BAD_REQUEST, "malformed delivery\n");
        }
    };
    if !app.door.policy().allows(&job.repo.name) {
        tracing::warn!(delivery = %job.delivery, repository = %job.repo.name, "refused: the repository is not in policy.repositories");
        return ("unlisted", StatusCode::NO_CONTENT, "");
    }
    match app.enqueue(&job).await {
        Ok(Enqueued::New) => {
            tracing::info!(delivery = %job.delivery, repository = %job.repo.name, "accepted");
            ("accepted", StatusCode::ACCEPTED, "accepted\n")
        }
        Ok(Enqueued::Duplicate) => {
            tracing::info!(delivery = %job.delivery, repository = %job.repo.name, "known already");
            ("duplicate", StatusCode::ACCEPTED, "known already\n")
        }
        Err(e) => {
            tracing::error!(delivery = %job.delivery, error = %e, "delivery could not be kept");
            ("unkept", StatusCode::SERVICE_UNAVAILABLE, "cannot be kept now, redeliver later\n")
        }
    }
}
