//! Uploaded reports: their names, where they wait, and for how long.

use std::time::Duration;

use chaffinch_core::{CommitSha, Entropy, IdError, ReportId};
use chrono::{DateTime, Utc};

/// A report holds code: it waits for its job no longer than this.
pub(crate) const REPORT_KEPT: Duration = Duration::from_secs(3600);

/// Where a report waits that was uploaded for this head: for one change, or for whichever has it.
pub(crate) fn reports_of(head: &CommitSha, change: Option<u64>) -> String {
    match change {
        Some(number) => format!("{head}/{number}/"),
        None => format!("{head}/any/"),
    }
}

/// A name for a report that came in at `now`: the second, and what nobody can guess.
pub(crate) fn new_id(now: DateTime<Utc>, entropy: &dyn Entropy) -> Result<ReportId, IdError> {
    ReportId::new(format!("{:x}-{}", now.timestamp(), entropy.hex(16)))
}

/// Whether a report of this name is no longer kept at `now`. One that another job has read is gone
/// earlier.
pub(super) fn expired(id: &ReportId, now: DateTime<Utc>) -> bool {
    let came = id.as_str().split_once('-').and_then(|(at, _)| i64::from_str_radix(at, 16).ok());
    let came = came.and_then(|at| DateTime::from_timestamp(at, 0));
    came.is_some_and(|came| (now - came).to_std().is_ok_and(|waited| waited >= REPORT_KEPT))
}
