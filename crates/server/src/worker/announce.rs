//! What will come into force is told with the next comment of each repository that it touches, once.

use std::time::Duration;

use chaffinch_core::{RepoId, SourceBytes, StoreError, VaultKind};
use chaffinch_egress::{Pending, Policy};
use serde::{Deserialize, Serialize};

use crate::App;

/// The name of what says where it was told.
const TOLD: &str = "announced";
/// It need not be known for longer than a notice may be.
const TOLD_KEPT: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// What is to be told on a change.
pub(super) struct Due {
    pub(super) text: String,
    /// Whether it was told on this change before.
    pub(super) here: bool,
    policies: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Told {
    /// The digests of the policies.
    policies: Vec<String>,
    /// The change's number.
    number: u64,
}

/// What is to be told on this change, if anything is.
pub(super) async fn due(app: &App, repo: &RepoId, number: u64) -> Result<Option<Due>, StoreError> {
    let (text, policies) = text(&app.door.policy(), &app.notice.pending());
    if policies.is_empty() {
        return Ok(None);
    }
    let told = app.vault.get(repo, VaultKind::Record, TOLD).await?;
    let told: Option<Told> = told.and_then(|told| serde_json::from_slice(told.expose()).ok());
    let here = match told.filter(|told| told.policies == policies) {
        Some(told) if told.number != number => return Ok(None),
        told => told.is_some(),
    };
    Ok(Some(Due { text, here, policies }))
}

/// Notes down that it was told on this change.
pub(super) async fn told(
    app: &App,
    repo: &RepoId,
    number: u64,
    due: Due,
) -> Result<(), StoreError> {
    let Ok(text) = serde_json::to_vec(&Told { policies: due.policies, number }) else {
        return Ok(());
    };
    let text = SourceBytes::new(text);
    app.vault.put(repo, VaultKind::Record, TOLD, &text, TOLD_KEPT).await
}

/// In words, and the digests of the policies that it is about. Which other repositories are listed does
/// not touch one that is.
fn text(now: &Policy, pending: &[Pending]) -> (String, Vec<String>) {
    let (mut said, mut digests) = (Vec::new(), Vec::new());
    let mut before = now.clone();
    for Pending { policy, from } in pending {
        let policy = Policy { repositories: now.repositories.clone(), ..policy.clone() };
        let differences = policy.differences(&before);
        if differences.is_empty() {
            continue;
        }
        said.push(format!(
            "From {} on, the policy on what may be sent and kept changes: {}.",
            from.format("%Y-%m-%d"),
            differences.join("; ")
        ));
        digests.push(policy.digest());
        before = policy;
    }
    (said.join(" "), digests)
}
