//! Receipts, each chained to the one before it, so that one that is missing or altered shows.
//!
//! A receipt lies under its number in its repository's chain. Who appends writes under the next free
//! number, and only if it is free still: of two at the same time one moves on to the next number. What
//! the last number was is kept apart, so that the end of a chain cannot be cut off unseen.

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{Chain, Flaw, Receipt, RepoId, StoreError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Cabinet, time};
use crate::{
    config::{MAX_TTL, millis, refused},
    shelf::RECEIPT,
};

/// How many receipts are read in one go.
const PAGE: usize = 500;
/// How often the next number is tried: others may append at the same time.
const TRIES: usize = 200;
/// The name of the last number.
const LAST: &str = "last";

/// A receipt in its place.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    number: u64,
    /// Of the one before; `None` for the first.
    before: Option<Before>,
    receipt: Receipt,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    /// SHA-256 of the link, hexadecimal; empty if it could not be read.
    digest: String,
    /// When it goes by itself.
    expires: DateTime<Utc>,
}

/// A link as it was read.
struct Found {
    link: Link,
    digest: String,
    expires: i64,
}

impl Cabinet {
    pub(crate) async fn append(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let id = &receipt.id;
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(refused("a receipt's id must be 1 to 64 letters or digits"));
        }
        let expires = receipt.at.timestamp_millis().min(self.now()) + millis(MAX_TTL);
        if expires <= self.now() {
            return Err(refused("a receipt over 180 days old"));
        }
        let repo = &receipt.change.repo;
        let known = id_name(receipt);
        if self
            .fetch(repo, RECEIPT, std::slice::from_ref(&known))
            .await?
            .iter()
            .any(Option::is_some)
        {
            return Ok(());
        }
        let (mut number, mut before) = self.end_of_chain(repo).await?;
        for _ in 0..TRIES {
            number += 1;
            let link = Link { number, before, receipt: receipt.clone() };
            let text = serde_json::to_vec(&link)
                .map_err(|_| StoreError::Other("a receipt cannot be written".into()))?;
            self.keep(repo, RECEIPT, &name(number), &text, expires, true).await?;
            let mut kept = self.links(repo, &[number]).await?;
            let kept = kept.pop().flatten();
            if kept.as_ref().is_some_and(|kept| kept.digest == sha256(&text)) {
                let written = number.to_string();
                let forever = self.now() + millis(MAX_TTL);
                self.keep(repo, RECEIPT, LAST, written.as_bytes(), forever, false).await?;
                return self.keep(repo, RECEIPT, &known, written.as_bytes(), expires, true).await;
            }
            before = Some(before_of(kept, self.now()));
        }
        Err(StoreError::Unavailable("too many receipts are being written at once".into()))
    }

    pub(crate) async fn list(
        &self,
        repo: &RepoId,
        change: Option<u64>,
    ) -> Result<Vec<Receipt>, StoreError> {
        let numbers = self.numbers(repo).await?;
        let mut receipts = Vec::with_capacity(numbers.len());
        for page in numbers.chunks(PAGE) {
            let links = self.links(repo, page).await?;
            receipts.extend(links.into_iter().flatten().map(|found| found.link.receipt));
        }
        receipts.retain(|receipt| change.is_none_or(|change| receipt.change.number == change));
        receipts.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        receipts.dedup_by(|a, b| a.id == b.id);
        Ok(receipts)
    }

    pub(crate) async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
        let mut found = Vec::new();
        for key in self.shelf.repos(self.now()).await? {
            let Some(repo) = RepoId::of_key(&key) else { continue };
            // The newest that opens: its name is the latest that is known.
            for number in self.numbers(&repo).await?.into_iter().rev() {
                if let Some(link) = self.links(&repo, &[number]).await?.pop().flatten() {
                    found.push(link.link.receipt.change.repo);
                    break;
                }
            }
        }
        found.sort_by(|a, b| (&a.name, a.key()).cmp(&(&b.name, b.key())));
        Ok(found)
    }

    pub(crate) async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
        // Read first: what is appended meanwhile is no flaw.
        let last = self.last(repo).await?;
        let numbers = self.numbers(repo).await?;
        let now = time(self.now());
        let mut chain = Chain::default();
        let mut expected: Option<(u64, String)> = None;
        for page in numbers.chunks(PAGE) {
            for (number, found) in page.iter().zip(self.links(repo, page).await?) {
                let next = expected.take();
                let Some(Found { link, digest, .. }) = found.filter(|f| f.link.number == *number)
                else {
                    chain.flaws.push(Flaw::Unreadable { number: *number });
                    expected = Some((number + 1, String::new()));
                    continue;
                };
                match (&next, &link.before) {
                    (Some((after, _)), _) if *after < *number => {
                        chain.flaws.push(Flaw::Missing { first: *after, last: number - 1 });
                    }
                    (Some((_, digest)), Some(before))
                        if !digest.is_empty() && before.digest != *digest =>
                    {
                        chain.flaws.push(Flaw::Altered { number: number - 1 });
                    }
                    // The first that is left: those before it have expired, or they are missing.
                    (None, Some(before)) if chain.first.is_none() && before.expires > now => {
                        chain.flaws.push(Flaw::Missing { first: number - 1, last: number - 1 });
                    }
                    _ => {}
                }
                chain.first.get_or_insert(*number);
                chain.last = Some(*number);
                chain.receipts += 1;
                chain.head = Some(digest.clone());
                expected = Some((number + 1, digest));
            }
        }
        let end = numbers.last().copied().unwrap_or(0);
        match last {
            Some(last) if last > end => {
                chain.flaws.push(Flaw::Missing { first: end + 1, last });
            }
            None if end > 0 => chain.flaws.push(Flaw::NoEnd),
            _ => {}
        }
        Ok(chain)
    }

    /// The last number, and what the next link says of it.
    async fn end_of_chain(&self, repo: &RepoId) -> Result<(u64, Option<Before>), StoreError> {
        let last = match self.last(repo).await? {
            Some(last) => Some(last),
            None => self.numbers(repo).await?.last().copied(),
        };
        let Some(last) = last else { return Ok((0, None)) };
        let found = self.links(repo, &[last]).await?.pop().flatten();
        Ok((last, Some(before_of(found, self.now()))))
    }

    async fn last(&self, repo: &RepoId) -> Result<Option<u64>, StoreError> {
        let found = self.fetch(repo, RECEIPT, &[LAST.to_owned()]).await?.pop().flatten();
        Ok(found.and_then(|(_, text)| text.text().parse().ok()))
    }

    /// The numbers that are there, ascending.
    async fn numbers(&self, repo: &RepoId) -> Result<Vec<u64>, StoreError> {
        let Some(keys) = self.keys_of(repo).await? else { return Ok(Vec::new()) };
        let names = self.names(repo, RECEIPT, &keys).await?;
        let mut numbers: Vec<u64> =
            names.iter().filter_map(|name| name.strip_prefix("n:")?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    async fn links(
        &self,
        repo: &RepoId,
        numbers: &[u64],
    ) -> Result<Vec<Option<Found>>, StoreError> {
        let names: Vec<String> = numbers.iter().map(|number| name(*number)).collect();
        let values = self.fetch(repo, RECEIPT, &names).await?;
        let found = values.into_iter().map(|value| {
            let (expires, text) = value?;
            let link = serde_json::from_slice(text.expose()).ok()?;
            Some(Found { link, digest: sha256(text.expose()), expires })
        });
        Ok(found.collect())
    }
}

fn before_of(found: Option<Found>, now: i64) -> Before {
    match found {
        Some(found) => Before { digest: found.digest, expires: time(found.expires) },
        None => Before { digest: String::new(), expires: time(now) },
    }
}

fn name(number: u64) -> String {
    format!("n:{number}")
}

fn id_name(receipt: &Receipt) -> String {
    format!("id:{}:{}", receipt.change.number, receipt.id)
}

fn sha256(text: &[u8]) -> String {
    hex::encode(digest(&SHA256, text))
}
