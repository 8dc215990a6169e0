//! `chaffinch purge`: what is kept of a repository is destroyed.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::bail;
use chaffinch_core::{Deletion, DeletionReason, RepoId, RepoName};
use chaffinch_server::{Config, Kept, consent};

use crate::{args::Purge, progress};

pub(crate) async fn run(
    options: Purge,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    let kept = chaffinch_server::kept(&config).await?;
    let repos = match (&options.repository, options.installation) {
        (Some(name), _) => known(&kept, name).await?,
        (None, Some(installation)) => all(&kept)
            .await?
            .into_iter()
            .filter(|repo| repo.installation == installation && repo.forge.as_str() == "github")
            .collect(),
        (None, None) => bail!("of what? Give OWNER/NAME, or --installation ID"),
    };
    if repos.is_empty() {
        bail!("nothing of it is kept: `chaffinch consents` lists what there is");
    }
    for repo in repos {
        let done = kept.shredder().destroy(&repo, DeletionReason::Purged, &options.by).await?;
        progress::print(&format!(
            "{} ({}): destroyed {}. It stays enabled; `chaffinch disable` ends that too.\n",
            repo.name,
            repo.forge,
            destroyed(&done)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The repositories of this name of which anything is known here.
pub(crate) async fn known(kept: &Kept, name: &RepoName) -> anyhow::Result<Vec<RepoId>> {
    let mut repos = all(kept).await?;
    repos.retain(|repo| repo.name.as_str().eq_ignore_ascii_case(name.as_str()));
    Ok(repos)
}

/// The repositories of which anything is known here. What nobody knows the name of is called
/// `unknown/unknown`.
async fn all(kept: &Kept) -> anyhow::Result<Vec<RepoId>> {
    let holders = kept.vault.holders().await?;
    let enabled = consent::all(&*kept.ledger).await?;
    let enabled = enabled.into_iter().filter_map(|acts| Some(acts.last()?.repo.clone()));
    // Of two, the one from a consent has a name.
    let all: BTreeMap<String, RepoId> =
        holders.into_iter().chain(enabled).map(|repo| (repo.key(), repo)).collect();
    Ok(all.into_values().collect())
}

/// `3 answers, 1 record`; `nothing`.
pub(crate) fn destroyed(deletion: &Deletion) -> String {
    let counts = deletion.destroyed.iter().filter(|(_, count)| **count > 0);
    let counts: Vec<String> = counts
        .map(|(kind, count)| match (kind.as_str(), count) {
            ("evaluation", 1) => "1 entry of the evaluation log".into(),
            ("evaluation", n) => format!("{n} entries of the evaluation log"),
            (kind, 1) => format!("1 {kind}"),
            (kind, n) => format!("{n} {kind}s"),
        })
        .collect();
    if counts.is_empty() { "nothing".into() } else { counts.join(", ") }
}
