//! The App is installed, uninstalled, or given other repositories.

use chaffinch_core::{ForgeKind, RepoId, RepoName};
use serde::Deserialize;

use super::{Installation, Moved, Received, Rejected, events::read};

/// The longest login that is kept, in characters.
const MAX_LOGIN: usize = 100;

#[derive(Deserialize)]
struct Event {
    action: String,
    installation: Id,
    sender: Sender,
    /// Those of a new or a removed installation.
    #[serde(default)]
    repositories: Option<Vec<Repository>>,
    #[serde(default)]
    repositories_added: Option<Vec<Repository>>,
    #[serde(default)]
    repositories_removed: Option<Vec<Repository>>,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

#[derive(Deserialize)]
struct Sender {
    login: String,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
}

/// `installation` and `installation_repositories`, which GitHub sends to every App.
pub(super) fn decode(event: &str, body: &[u8]) -> Result<Received, Rejected> {
    let Event {
        action,
        installation,
        sender,
        repositories,
        repositories_added,
        repositories_removed,
    } = read(event, body)?;
    let id = installation.id;
    let what = match (event, action.as_str()) {
        ("installation", "created") => Moved::Added(named(id, repositories)?),
        ("installation", "deleted") => Moved::Uninstalled,
        ("installation_repositories", "added") => Moved::Added(named(id, repositories_added)?),
        ("installation_repositories", "removed") => {
            Moved::Removed(named(id, repositories_removed)?)
        }
        _ => return Ok(Received::NotOurs("an action that means no work")),
    };
    let printable = |c: &char| !c.is_control();
    let by = sender.login.chars().filter(printable).take(MAX_LOGIN).collect();
    Ok(Received::Installation(Installation { id, by, what }))
}

fn named(installation: u64, given: Option<Vec<Repository>>) -> Result<Vec<RepoId>, Rejected> {
    let repos = given.unwrap_or_default().into_iter().map(|repository| {
        let name = RepoName::new(repository.full_name);
        Ok(RepoId {
            forge: ForgeKind::GitHub,
            installation,
            id: repository.id,
            name: name.map_err(|e| Rejected::Malformed(e.to_string()))?,
        })
    });
    repos.collect()
}
