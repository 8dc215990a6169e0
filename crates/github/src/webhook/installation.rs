//! The App is installed, uninstalled, or given other repositories.

use chaffinch_core::{ForgeKind, RepoId, RepoName};
use serde::Deserialize;

use super::{Installation, Moved, Received, Rejected, events::read};

/// The longest login that is kept, in characters.
const MAX_LOGIN: usize = 100;

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    action: String,
}

#[derive(Deserialize)]
struct Event {
    installation: Id,
    sender: Sender,
    /// Those of a new installation.
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

/// `installation` and `installation_repositories`, which GitHub sends to every App. An action that means
/// nothing here is not read any further.
pub(super) fn decode(event: &str, body: &[u8]) -> Result<Received, Rejected> {
    let Action { action } = read(event, body)?;
    let known = [
        ("installation", "created"),
        ("installation", "deleted"),
        ("installation_repositories", "added"),
        ("installation_repositories", "removed"),
    ];
    if !known.contains(&(event, action.as_str())) {
        return Ok(Received::NotOurs("an action that means no work"));
    }
    let Event { installation, sender, repositories, repositories_added, repositories_removed } =
        read(event, body)?;
    let id = installation.id;
    let what = match action.as_str() {
        "created" => Moved::Added(named(id, repositories)?),
        "added" => Moved::Added(named(id, repositories_added)?),
        "removed" => Moved::Removed(named(id, repositories_removed)?),
        _ => Moved::Uninstalled,
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
