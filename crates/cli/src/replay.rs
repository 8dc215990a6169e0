//! `chaffinch replay`: the evaluation log gone through once more.

mod show;

use std::{io::IsTerminal as _, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use chaffinch_core::{Clock, Entropy, Forge, ForgeError, RepoId};
use chaffinch_egress::Door;
use chaffinch_server::{Config, Kept, SystemClock, SystemEntropy, consent};
use chaffinch_triage::evaluation::{Record, Replayed, records};

use crate::{
    args::{Listing, Replay},
    progress::{self, DIM, YELLOW},
};

/// A prompt could not be made again as it was.
const NOT_REBUILT: u8 = 1;

pub(crate) async fn run(
    options: Replay,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    chaffinch_server::check(&config)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let kept = chaffinch_server::kept(&config).await?;
    let (vault, receipts) = (Arc::clone(&kept.vault), Arc::clone(&kept.receipts));
    let (engine, door) = chaffinch_server::engine(&config, vault, receipts, &clock, &entropy)?;
    // What is in force counts, whatever the file says by now.
    door.enforce(chaffinch_server::in_force_here(&config, &*kept.ledger).await?)?;

    let forges = chaffinch_server::all_forges(&config, &clock)?;
    let (forge, repo) = locate(&forges, &door, &options).await?;
    may_read(&kept, &repo).await?;
    let records = chosen(&kept, &repo, &options).await?;
    let endpoint = door.endpoint();
    progress::say(&match options.dry_run {
        true => format!("{DIM}Rebuilding {} prompts; nothing is sent …{DIM:#}", records.len()),
        false => format!(
            "{DIM}Rebuilding {} prompts and asking {} at {} …{DIM:#}",
            records.len(),
            endpoint.model,
            endpoint.base_url
        ),
    });

    let access = forge.open(&repo).await.with_context(|| repo.name.to_string())?;
    let (watched, mut done) = (std::io::stderr().is_terminal(), 0);
    let mut each = |one: &Replayed| {
        done += 1;
        if watched {
            progress::say(&format!("{DIM}{done}/{}  {}{DIM:#}", records.len(), one.receipt));
        }
    };
    let ask = !options.dry_run;
    let replayed = engine.replay(&repo, &records, &*access.source, ask, &mut each).await;
    if let Err(error) = access.grant.revoke().await {
        progress::say(&format!(
            "{YELLOW}The token could not be revoked; it ends within the hour: {error}{YELLOW:#}"
        ));
    }
    progress::print(&match options.format {
        Listing::Table => show::table(&repo, &replayed),
        Listing::Json => show::json(&replayed)?,
    })?;
    let all = replayed.iter().all(|one| one.rebuilt);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(NOT_REBUILT) })
}

/// The repository of that name, as the forge knows it now.
async fn locate<'f>(
    forges: &'f [Arc<dyn Forge>],
    door: &Door,
    options: &Replay,
) -> anyhow::Result<(&'f dyn Forge, RepoId)> {
    let name = &options.repository;
    let asked = |forge: &&Arc<dyn Forge>| {
        let kind = forge.kind();
        options.forge.is_none_or(|only| only == kind) && door.allows(kind, name)
    };
    let mut found: Vec<(&dyn Forge, RepoId)> = Vec::new();
    for forge in forges.iter().filter(asked) {
        match forge.locate(name).await {
            Ok(repo) => found.push((&**forge, repo)),
            Err(ForgeError::NotFound) => {}
            Err(error) => return Err(error).context(format!("{name} on {}", forge.kind())),
        }
    }
    if !forges.iter().any(|forge| asked(&forge)) {
        bail!("the policy in force does not list {name}");
    }
    if found.len() > 1 {
        bail!("{name} is on both forges: say which with --forge github or --forge gitlab");
    }
    found.pop().with_context(|| format!("no forge shows {name} to us"))
}

/// Without a consent, nothing of a repository is read.
async fn may_read(kept: &Kept, repo: &RepoId) -> anyhow::Result<()> {
    match consent::of(&*kept.ledger, repo).await? {
        Some(_) => Ok(()),
        None => bail!("{} is not enabled: `chaffinch enable {0} --by WHO`", repo.name),
    }
}

/// The entries to go through, the newest first.
async fn chosen(kept: &Kept, repo: &RepoId, options: &Replay) -> anyhow::Result<Vec<Record>> {
    let mut found = records(&*kept.vault, repo, options.change).await?;
    if let Some(id) = &options.receipt {
        found.retain(|record| record.receipt().eq_ignore_ascii_case(id));
    }
    if found.is_empty() {
        bail!(
            "the evaluation log has no such entry of {}: nothing was asked, policy.evaluation is \
             \"off\", or it has expired",
            repo.name
        );
    }
    found.truncate(options.limit);
    Ok(found)
}
