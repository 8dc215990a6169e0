//! `chaffinch export`: all that is kept of a repository, for whoever wants it before it is destroyed.

use std::{collections::BTreeSet, fs::OpenOptions, io::Write, path::Path, process::ExitCode};

use anyhow::{Context, bail};
use chaffinch_core::{RepoId, VaultKind};
use chaffinch_server::{Config, Kept, consent, deletion};
use serde_json::{Value, json};

use crate::{args::Export, progress, purge::known};

pub(crate) async fn run(
    options: Export,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref(), environment)?;
    let kept = chaffinch_server::kept(&config).await?;
    let repos = known(&kept, &options.repository).await?;
    if repos.is_empty() {
        bail!("nothing of {} is kept", options.repository);
    }
    let mut lines = Vec::new();
    for repo in &repos {
        of(&kept, repo, &mut lines).await?;
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    match &options.out {
        None => progress::print(&text)?,
        Some(path) => {
            write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
            progress::say(&format!("{} lines are in {}.", lines.len(), path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn of(kept: &Kept, repo: &RepoId, lines: &mut Vec<Value>) -> anyhow::Result<()> {
    let consents = consent::all(&*kept.ledger).await?;
    let own = |other: &RepoId| other.key() == repo.key();
    lines.extend(
        consents.iter().flatten().filter(|c| own(&c.repo)).map(|c| json!({ "consent": c })),
    );
    let deletions = deletion::recorded(&*kept.ledger).await?;
    lines.extend(deletions.iter().filter(|d| own(&d.repo)).map(|d| json!({ "deletion": d })));
    let receipts = kept.receipts.list(repo, None).await?;
    let chain = kept.receipts.verify(repo).await?;
    lines.push(json!({ "chain": {
        "repository": repo,
        "receipts": chain.receipts,
        "first": chain.first,
        "last": chain.last,
        "head": chain.head,
        "whole": chain.flaws.is_empty(),
    } }));
    for receipt in &receipts {
        lines.push(json!({ "receipt": receipt }));
    }
    let records = kept.vault.keys(repo, VaultKind::Record, "change:").await?;
    values(kept, repo, VaultKind::Record, records, lines).await?;
    // Those of one change at a time: a list of names has an end.
    let numbers: BTreeSet<u64> = receipts.iter().map(|receipt| receipt.change.number).collect();
    for number in numbers {
        let kind = VaultKind::Evaluation;
        let entries = kept.vault.keys(repo, kind, &format!("{number}:")).await?;
        values(kept, repo, kind, entries, lines).await?;
    }
    Ok(())
}

async fn values(
    kept: &Kept,
    repo: &RepoId,
    kind: VaultKind,
    keys: Vec<String>,
    lines: &mut Vec<Value>,
) -> anyhow::Result<()> {
    for key in keys {
        if let Some(value) = kept.vault.get(repo, kind, &key).await? {
            let value: Value = serde_json::from_slice(value.expose())
                .context("what is kept is not of this version")?;
            lines.push(json!({ (kind.as_str()): value, "key": key }));
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
