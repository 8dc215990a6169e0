//! The names of the server's metrics, in one place; `docs/operations.md` explains them.

/// Deliveries by forge and outcome (accepted, duplicate, not_ours, unlisted, bad_signature, stale, malformed,
/// unkept, no_room).
pub(crate) const DELIVERIES: &str = "chaffinch_deliveries_total";
/// Uploaded reports by outcome.
pub(crate) const UPLOADS: &str = "chaffinch_uploads_total";
/// Jobs by how they ended.
pub(crate) const JOBS: &str = "chaffinch_jobs_total";
/// Seconds that a job took.
pub(crate) const JOB_SECONDS: &str = "chaffinch_job_seconds";
/// Jobs in the queue by state (ready, leased, delayed, dead).
pub(crate) const QUEUE: &str = "chaffinch_queue_jobs";
/// Tokens that could not be read again, or not be used, so that those of before are.
pub(crate) const TOKENS_KEPT: &str = "chaffinch_gitlab_tokens_kept_total";
