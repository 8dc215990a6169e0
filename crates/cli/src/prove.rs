//! `chaffinch prove`: what would leave, byte for byte; and whether anything else does.

mod canary;
mod planted;
mod scene;
mod search;
mod show;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use chaffinch_core::{
    Access, Clock, Entropy, FileStatus, Forge, ForgeError, ForgeKind, RawReport, RepoId, RepoName,
};
use chaffinch_server::{Config, SystemClock, SystemEntropy, consent};
use chaffinch_triage::{Assessment, Engine, JobError};

use crate::{
    args::{Listing, Prove},
    local::Checkout,
    memory::Memory,
    progress::{self, DIM, YELLOW},
    triage::{CHECKOUT, raw, the_checkout},
};

/// Something could not be shown.
const NOT_ALL: u8 = 3;

pub(crate) async fn run(
    options: Prove,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    if options.canary {
        return canary::run(options, environment).await;
    }
    let mut config = Config::load(options.config.as_deref(), environment)?;
    if options.root.is_some() {
        config.policy.repositories = vec![CHECKOUT.to_owned()];
        chaffinch_server::check_for_triage(&config)?;
    } else {
        chaffinch_server::check(&config)?;
    }
    let memory = Arc::new(Memory::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let (engine, door, rehearsal) =
        chaffinch_server::rehearsal(&config, memory.clone(), memory.clone(), &clock, &entropy)?;
    let reports = options.report.iter().enumerate().map(|(i, path)| raw(i, path));
    let reports = reports.collect::<anyhow::Result<Vec<_>>>()?;
    let assessed = match (&options.root, &options.repository, options.number) {
        (Some(root), ..) => {
            let checkout = Checkout::open(root)?;
            let paths = checkout.paths();
            engine.assess(&checkout, &the_checkout()?, None, &paths, reports).await
        }
        (None, Some(name), Some(number)) => {
            let kept = chaffinch_server::kept(&config).await?;
            door.enforce(chaffinch_server::in_force_here(&config, &*kept.ledger).await?)?;
            let (forge, repo) = locate(&config, &clock, name, options.forge).await?;
            if consent::of(&*kept.ledger, &repo).await?.is_none() {
                bail!("{name} is not enabled: `chaffinch enable {name} --by WHO`");
            }
            let access = forge.open(&repo).await.with_context(|| name.to_string())?;
            let assessed = change(&engine, &access, number, reports).await;
            if let Err(error) = access.grant.revoke().await {
                progress::say(&format!(
                    "{YELLOW}The token could not be revoked; it ends within the hour: {error}{YELLOW:#}"
                ));
            }
            assessed?
        }
        _ => bail!("of what? Give OWNER/NAME and NUMBER, or --root and --report"),
    };
    let assessment = match assessed {
        Ok(assessment) => assessment,
        Err(JobError::Retry { why, .. } | JobError::Fail { why }) => bail!(why),
        Err(other) => bail!(other),
    };
    let pages = show::pages(&assessment, rehearsal.kept());
    if let Some(folder) = &options.out {
        write(folder, &pages)?;
    }
    progress::print(&match options.format {
        Listing::Table => show::table(&pages),
        Listing::Json => show::json(&pages)?,
    })?;
    let unshown = show::unshown(&assessment, &pages);
    for line in &unshown {
        progress::say(&format!("{YELLOW}{line}{YELLOW:#}"));
    }
    progress::say(&format!(
        "{DIM}Nothing was sent. Questions that follow depend on the answers; of an answer that is kept, \
         nothing leaves.{DIM:#}"
    ));
    Ok(if unshown.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NOT_ALL) })
}

/// Finds the repository as the server would.
async fn locate(
    config: &Config,
    clock: &Arc<dyn Clock>,
    name: &RepoName,
    only: Option<ForgeKind>,
) -> anyhow::Result<(Arc<dyn Forge>, RepoId)> {
    let mut found = Vec::new();
    for forge in chaffinch_server::all_forges(config, clock)? {
        if only.is_some_and(|only| only != forge.kind()) {
            continue;
        }
        match forge.locate(name).await {
            Ok(repo) => found.push((forge, repo)),
            Err(ForgeError::NotFound) => {}
            Err(error) => return Err(error).context(format!("{name} on {}", forge.kind())),
        }
    }
    if found.len() > 1 {
        bail!("{name} is on both forges: say which with --forge github or --forge gitlab");
    }
    found.pop().with_context(|| format!("no forge shows {name} to us"))
}

/// What a triage of the change comes to with a model that says nothing.
async fn change(
    engine: &Engine,
    access: &Access,
    number: u64,
    mut reports: Vec<RawReport>,
) -> anyhow::Result<Result<Assessment, JobError>> {
    let source = &*access.source;
    let change = source.change(number).await.with_context(|| format!("change {number}"))?;
    if !change.open || change.draft {
        let what = if change.draft { "a draft" } else { "closed" };
        bail!("it is {what}, so the server sends nothing");
    }
    match source.reports(&change).await {
        Ok(held) => reports.extend(held),
        Err(ForgeError::NotFound) => {}
        // As for the server, what was given stands without them.
        Err(ForgeError::Denied { .. }) if !reports.is_empty() => {}
        Err(error) => return Err(error).context("its reports"),
    }
    if !reports.is_empty() && reports.iter().all(|report| report.to_come) {
        bail!("its scans are still running: try again later, or give a report with --report");
    }
    if reports.is_empty() {
        bail!("there is no report for its head: give the scanner's with --report");
    }
    let changed = source.changed_lines(&change).await.context("its lines")?;
    let files = changed.files.iter().filter(|file| file.status != FileStatus::Removed);
    let paths: Vec<_> = files.map(|file| file.path.clone()).collect();
    Ok(engine.assess(source, &change, Some(&changed), &paths, reports).await)
}

fn write(folder: &Path, pages: &[show::Page]) -> anyhow::Result<()> {
    std::fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (i, page) in pages.iter().enumerate() {
        let file = folder.join(format!("{:03}.json", i + 1));
        std::fs::write(&file, page.sheet.body.expose())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
