//! Who enabled which repository. Without that, nothing of it is read.

use anyhow::{Context, bail};
use chaffinch_core::{Book, Consent, Ledger, RepoId, SourceBytes, StoreError};

use crate::notice::LEDGER_KEPT;

/// How many acts are remembered of one repository; before these, it is the newest that count.
const MOST_ACTS: usize = 100;
/// How often an act is written again because another one came between.
const TRIES: usize = 10;
/// The longest name of who did it, in characters.
const MAX_BY: usize = 200;

/// The consent in force for `repo`; `None` where nobody has enabled it.
///
/// # Errors
/// The store does not answer, or what it holds cannot be read: then nobody knows, and nothing may be
/// read of the repository.
pub async fn of(ledger: &dyn Ledger, repo: &RepoId) -> Result<Option<Consent>, StoreError> {
    Ok(acts(ledger, &repo.key()).await?.pop())
}

/// Every repository that is enabled, with each act that enabled it, the newest last.
///
/// # Errors
/// The store does not answer, or what it holds cannot be read.
pub async fn all(ledger: &dyn Ledger) -> Result<Vec<Vec<Consent>>, StoreError> {
    let mut all = Vec::new();
    for name in ledger.pages(Book::Consent).await? {
        let acts = acts(ledger, &name).await?;
        if !acts.is_empty() {
            all.push(acts);
        }
    }
    Ok(all)
}

/// Records that a repository was enabled.
///
/// # Errors
/// A name that says nothing, or a store that does not answer.
pub async fn record(ledger: &dyn Ledger, consent: Consent) -> anyhow::Result<()> {
    let by = consent.by.trim();
    if by.is_empty() || by.chars().count() > MAX_BY || by.chars().any(char::is_control) {
        bail!("say who enables it: 1 to {MAX_BY} characters, on one line");
    }
    let name = consent.repo.key();
    for _ in 0..TRIES {
        let page = ledger.read(Book::Consent, &name).await?;
        let mut acts: Vec<Consent> = match &page {
            Some(page) => serde_json::from_slice(page.text.expose())
                .context("what the store holds of its consent cannot be read")?,
            None => Vec::new(),
        };
        acts.push(consent.clone());
        let from = acts.len().saturating_sub(MOST_ACTS);
        let text = SourceBytes::new(serde_json::to_vec(&acts[from..])?);
        if ledger.write(Book::Consent, &name, &text, page.as_ref(), LEDGER_KEPT).await? {
            return Ok(());
        }
    }
    bail!("the consent could not be kept: others write it all the time; try again")
}

/// Writes every consent again, so that it lasts for as long as the program is run.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn renew(ledger: &dyn Ledger) -> Result<(), StoreError> {
    for name in ledger.pages(Book::Consent).await? {
        if let Some(page) = ledger.read(Book::Consent, &name).await? {
            // Whoever was faster has renewed it, or has withdrawn it.
            ledger.write(Book::Consent, &name, &page.text, Some(&page), LEDGER_KEPT).await?;
        }
    }
    Ok(())
}

async fn acts(ledger: &dyn Ledger, name: &str) -> Result<Vec<Consent>, StoreError> {
    let Some(page) = ledger.read(Book::Consent, name).await? else { return Ok(Vec::new()) };
    serde_json::from_slice(page.text.expose())
        .map_err(|_| StoreError::Other("a consent cannot be read".into()))
}
