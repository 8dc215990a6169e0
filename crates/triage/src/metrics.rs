//! The names of this crate's metrics; `docs/operations.md` explains them.

/// Findings by `verdict`: `true_positive`, `false_positive`, `needs_review`, `failed`.
pub const FINDINGS: &str = "chaffinch_findings_total";
/// Answers by where they came from, `from`: `cache`, `model`.
pub const ANSWERS: &str = "chaffinch_answers_total";
/// Tokens by `kind`: `input`, `cached`, `output`, as the endpoint counts them.
pub const TOKENS: &str = "chaffinch_model_tokens_total";
/// What was asked of the forge to choose lines, by kind, `of`: `file` (those that the run had at hand
/// already included), `folder` (its names).
pub const CONTENT_REQUESTS: &str = "chaffinch_content_requests_total";
/// Seconds from a finding to its outcome.
pub const FINDING_SECONDS: &str = "chaffinch_finding_seconds";
/// What became of comments, `done`: `posted`, `edited`, `resolved`, `reopened`, `refused`.
pub const COMMENTS: &str = "chaffinch_comments_total";
/// Checks by `conclusion`: `success`, `failure`, `neutral`.
pub const CHECKS: &str = "chaffinch_checks_total";
