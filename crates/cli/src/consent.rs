//! `chaffinch enable`, `disable` and `consents`: who said that a repository may be worked on.

use std::{fmt::Write as _, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use chaffinch_core::{
    Clock, Consent, Deletion, DeletionReason, Enabling, Forge, ForgeError, ForgeKind, RepoId,
    RepoName,
};
use chaffinch_egress::RepoPattern;
use chaffinch_server::{Config, Kept, SystemClock, consent, deletion};

use crate::{
    args::{Consents, Disable, Enable, Listing},
    plain::plain,
    progress::{self, DIM},
    purge::{destroyed, known},
};

pub(crate) async fn enable(
    options: Enable,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    chaffinch_server::check(&config)?;
    // Whose consent is missing is asked before the store is opened for it.
    let mut repos = Vec::new();
    for name in &options.repository {
        repos.push(locate(&config, name, options.forge).await?);
    }
    let kept = chaffinch_server::kept(&config).await?;
    let in_force = chaffinch_server::in_force(&config, &*kept.ledger).await?;
    for repo in repos {
        let consent = Consent {
            repo: repo.clone(),
            by: options.by.clone(),
            at: SystemClock.now(),
            how: Enabling::Command,
            policy_digest: in_force.digest(),
        };
        consent::record(&*kept.ledger, consent).await?;
        let digest = in_force.digest();
        progress::print(&format!(
            "{} ({}) is enabled, by {}, under the policy {}.\n",
            repo.name,
            repo.forge,
            plain(&options.by, 200),
            &digest[..12]
        ))?;
        if !in_force.allows(repo.forge, &repo.name) {
            progress::say(&format!(
                "{DIM}The policy in force does not list it yet, so nothing is read before it does: see \
                 `chaffinch policy`.{DIM:#}"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the configured forges which repository is meant.
async fn locate(
    config: &Config,
    name: &RepoName,
    only: Option<ForgeKind>,
) -> anyhow::Result<RepoId> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let github = chaffinch_server::github(config, &clock)?;
    let gitlab = chaffinch_server::gitlab(config, &clock)?;
    let github = github.as_ref().map(|forge| forge as &dyn Forge);
    let gitlab = gitlab.as_ref().map(|forge| forge as &dyn Forge);
    let patterns: Result<Vec<RepoPattern>, _> =
        config.policy.repositories.iter().map(|pattern| pattern.parse()).collect();
    let patterns = patterns.context("policy.repositories")?;
    let (mut found, mut asked) = (Vec::new(), false);
    for forge in [github, gitlab].into_iter().flatten() {
        let kind = forge.kind();
        let listed = patterns.iter().any(|pattern| pattern.matches(kind, name));
        if only.is_some_and(|only| only != kind) || !listed {
            continue;
        }
        asked = true;
        match forge.locate(name).await {
            Ok(repo) => found.push(repo),
            Err(ForgeError::NotFound) => {}
            Err(error) => return Err(error).context(format!("{name} on {kind}")),
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] if !asked => bail!("{name} is not in policy.repositories: list it there first"),
        [] => bail!(
            "no forge shows {name} to us: install the App on it, or connect it (`chaffinch connect gitlab`)"
        ),
        _ => bail!("{name} is on both forges: say which with --forge github or --forge gitlab"),
    }
}

pub(crate) async fn disable(
    options: Disable,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    let kept = chaffinch_server::kept(&config).await?;
    for name in &options.repository {
        let repos = known(&kept, name).await?;
        if repos.is_empty() {
            bail!("{name} is not enabled, and nothing of it is kept");
        }
        for repo in repos.iter().filter(|repo| options.forge.is_none_or(|f| f == repo.forge)) {
            let done = kept.shredder().destroy(repo, DeletionReason::Disabled, &options.by).await?;
            progress::print(&format!(
                "{} ({}) is disabled, and what was kept of it is destroyed: {}.\n",
                repo.name,
                repo.forge,
                destroyed(&done)
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn list(
    options: Consents,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    let Kept { ledger, .. } = chaffinch_server::kept(&config).await?;
    let enabled = consent::all(&*ledger).await?;
    let deletions = deletion::recorded(&*ledger).await?;
    let mut out = String::new();
    match options.format {
        Listing::Table => table(&enabled, &deletions, &mut out),
        Listing::Json => {
            for consent in enabled.iter().flatten() {
                let line = serde_json::json!({ "enabled": consent });
                let _ = writeln!(out, "{line}");
            }
            for deletion in &deletions {
                let line = serde_json::json!({ "destroyed": deletion });
                let _ = writeln!(out, "{line}");
            }
        }
    }
    progress::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn table(enabled: &[Vec<Consent>], deletions: &[Deletion], out: &mut String) {
    for acts in enabled {
        let Some(last) = acts.last() else { continue };
        let _ = writeln!(out, "{} ({})  enabled", last.repo.name, last.repo.forge);
        for act in acts.iter().rev() {
            let _ = writeln!(out, "    {}", told(act));
        }
    }
    if enabled.is_empty() {
        let _ = writeln!(out, "No repository is enabled: `chaffinch enable OWNER/NAME --by WHO`.");
    }
    for deletion in deletions {
        let by = match deletion.by.as_str() {
            "" => String::new(),
            by => format!(" by {}", plain(by, 200)),
        };
        let _ = writeln!(
            out,
            "{} ({})  {} {}{by}: destroyed {}",
            deletion.repo.name,
            deletion.repo.forge,
            word(deletion.reason),
            deletion.at.format("%Y-%m-%d %H:%M"),
            destroyed(deletion)
        );
        if let Some(consent) = &deletion.consent {
            let _ = writeln!(out, "    had been enabled {}", told(consent));
        }
    }
}

fn told(consent: &Consent) -> String {
    let how = match consent.how {
        Enabling::Command => "on the command line",
        Enabling::Installation => "by installing the App",
    };
    let digest: String = consent.policy_digest.chars().take(12).collect();
    let at = consent.at.format("%Y-%m-%d %H:%M");
    format!("{at} by {} {how}, policy {digest}", plain(&consent.by, 200))
}

fn word(reason: DeletionReason) -> &'static str {
    match reason {
        DeletionReason::Disabled => "disabled",
        DeletionReason::Purged => "purged",
        DeletionReason::Uninstalled => "uninstalled",
        DeletionReason::Removed => "taken out of the installation",
    }
}
