//! Repositories come to the App's installation, or leave it.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use chaffinch_core::{DeletionReason, Enabling, ForgeKind, RepoId};
use chaffinch_github::{Installation, Moved};

use super::{Answer, UNKEPT};
use crate::{App, consent};

/// Gives consents where the operator's rule says so, and takes them, with everything that is kept, where
/// repositories leave. It is done to the end even where nobody waits for the answer any more.
pub(super) async fn moved(app: &Arc<App>, installation: Installation) -> Answer {
    let app = Arc::clone(app);
    let done = tokio::spawn(async move {
        let Installation { id, by, what } = installation;
        match what {
            Moved::Added(repos) => added(&app, &by, &repos).await,
            Moved::Removed(gone) => {
                let mut repos = of_installation(&app, id).await?;
                repos.retain(|repo| gone.iter().any(|gone| gone.id == repo.id));
                destroy(&app, &by, repos, DeletionReason::Removed).await
            }
            Moved::Uninstalled => {
                let repos = of_installation(&app, id).await?;
                destroy(&app, &by, repos, DeletionReason::Uninstalled).await
            }
        }
    });
    match done.await {
        Ok(Ok(())) => ("installation", StatusCode::ACCEPTED, "accepted\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "an event of the installation could not be followed; redeliver it");
            UNKEPT
        }
        Err(_) => UNKEPT,
    }
}

async fn added(app: &App, by: &str, repos: &[RepoId]) -> anyhow::Result<()> {
    for repo in repos {
        if !app.door.allows(repo.forge, &repo.name) {
            tracing::info!(repository = %repo.name, "installed, and not in policy.repositories");
        } else if app.consent_on_installation {
            app.enable(repo, by, Enabling::Installation).await?;
            tracing::info!(repository = %repo.name, by, "enabled by its installation");
        } else if consent::of(&*app.ledger, repo).await?.is_none() {
            tracing::info!(
                repository = %repo.name,
                "installed; nothing is read before `chaffinch enable {} --by WHO`", repo.name
            );
        }
    }
    Ok(())
}

async fn destroy(
    app: &App,
    by: &str,
    repos: Vec<RepoId>,
    reason: DeletionReason,
) -> anyhow::Result<()> {
    for repo in repos {
        app.shredder().destroy(&repo, reason, by).await?;
    }
    Ok(())
}

/// The repositories of an installation of which anything is known here.
async fn of_installation(app: &App, id: u64) -> anyhow::Result<Vec<RepoId>> {
    let consents = consent::all(&*app.ledger).await?;
    let enabled = consents.into_iter().filter_map(|acts| Some(acts.last()?.repo.clone()));
    let holders = app.vault.holders().await?;
    let own = |repo: &RepoId| repo.forge == ForgeKind::GitHub && repo.installation == id;
    let all = holders.into_iter().chain(enabled).filter(own);
    // Of two, the one from a consent has a name.
    let all: BTreeMap<String, RepoId> = all.map(|repo| (repo.key(), repo)).collect();
    Ok(all.into_values().collect())
}
