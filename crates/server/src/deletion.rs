//! Everything of a repository is destroyed, and the record of that is kept.

use chaffinch_core::{
    Book, Clock, Consent, Deletion, DeletionReason, Entropy, Ledger, Receipts, RepoId, SourceBytes,
    StoreError, Vault,
};

use crate::{consent, notice::LEDGER_KEPT};

/// What it takes to destroy something, and to say so.
#[derive(Clone, Copy)]
pub struct Shredder<'a> {
    /// What is destroyed.
    pub vault: &'a dyn Vault,
    /// The receipts, of which the last one's digest is kept.
    pub receipts: &'a dyn Receipts,
    /// Where consents are withdrawn, and deletions recorded.
    pub ledger: &'a dyn Ledger,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Names the records.
    pub entropy: &'a dyn Entropy,
}

impl Shredder<'_> {
    /// Destroys everything of `repo`. But for [`DeletionReason::Purged`], its consent ends first, so that
    /// nothing new is begun.
    ///
    /// # Errors
    /// The store does not answer. What was begun is gone on with by [`Self::finish`].
    pub async fn destroy(
        &self,
        repo: &RepoId,
        reason: DeletionReason,
        by: &str,
    ) -> Result<Deletion, StoreError> {
        let consent = self.withdrawable(repo, reason).await?;
        let mut deletion = Deletion {
            repo: repo.clone(),
            at: self.clock.now(),
            reason,
            by: by.to_owned(),
            consent,
            destroyed: Default::default(),
            receipts_head: self.receipts.verify(repo).await?.head,
        };
        let name = format!("{}:{}", repo.key(), self.entropy.hex(8));
        let page = text(&deletion)?;
        self.ledger.write(Book::Deletion, &name, &page, None, LEDGER_KEPT).await?;
        if reason != DeletionReason::Purged {
            self.ledger.strike(Book::Consent, &repo.key()).await?;
        }
        deletion.destroyed = self.vault.destroy(repo).await?;
        let page = self.ledger.read(Book::Deletion, &name).await?;
        let whole = text(&deletion)?;
        self.ledger.write(Book::Deletion, &name, &whole, page.as_ref(), LEDGER_KEPT).await?;
        tracing::info!(repository = %repo.name, ?reason, destroyed = ?deletion.destroyed, "destroyed");
        Ok(deletion)
    }

    async fn withdrawable(
        &self,
        repo: &RepoId,
        reason: DeletionReason,
    ) -> Result<Option<Consent>, StoreError> {
        match reason {
            DeletionReason::Purged => Ok(None),
            _ => consent::of(self.ledger, repo).await,
        }
    }

    /// Destroys what a deletion has left behind: one that was cut off, or what a job wrote that ran at
    /// that moment. Repositories that nobody ever took their consent from are left alone.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn finish(&self) -> Result<(), StoreError> {
        let deleted = self.ledger.pages(Book::Deletion).await?;
        for repo in self.vault.holders().await? {
            let own = format!("{}:", repo.key());
            if !deleted.iter().any(|name| name.starts_with(&own)) {
                continue;
            }
            if consent::of(self.ledger, &repo).await?.is_none() {
                let destroyed = self.vault.destroy(&repo).await?;
                tracing::info!(repository = %repo.key(), ?destroyed, "what was left of it is destroyed");
            }
        }
        Ok(())
    }
}

/// The deletions on record, the oldest first.
///
/// # Errors
/// The store does not answer, or what it holds cannot be read.
pub async fn recorded(ledger: &dyn Ledger) -> Result<Vec<Deletion>, StoreError> {
    let mut found: Vec<Deletion> = Vec::new();
    for name in ledger.pages(Book::Deletion).await? {
        let Some(page) = ledger.read(Book::Deletion, &name).await? else { continue };
        let deletion = serde_json::from_slice(page.text.expose())
            .map_err(|_| StoreError::Other("the record of a deletion cannot be read".into()))?;
        found.push(deletion);
    }
    found.sort_by_key(|deletion| (deletion.at, deletion.repo.key()));
    Ok(found)
}

fn text(deletion: &Deletion) -> Result<SourceBytes, StoreError> {
    let text = serde_json::to_vec(deletion);
    text.map(SourceBytes::new)
        .map_err(|_| StoreError::Other("the record of a deletion cannot be written".into()))
}
