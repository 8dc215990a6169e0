//! Receipts, each chained to the one before it, so that one that is missing or altered shows.
//!
//! A receipt lies under its number in its repository's chain. Who appends writes under the next free
//! number, and only if it is free still: of two at the same time one moves on to the next number. What
//! the last number was is kept apart, so that the end of a chain cannot be cut off unseen.

use std::{collections::BTreeMap, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{Chain, ChangeId, Flaw, Receipt, RepoId, Settled, StoreError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Cabinet, time};
use crate::{
    config::{MAX_TTL, millis, refused},
    shelf::{KINDS, Over, Place, RECEIPT},
};

/// How many receipts are read in one go.
const PAGE: usize = 500;
/// How often the next number is tried: others may append at the same time.
const TRIES: usize = 200;
/// The name of the last number.
const LAST: &str = "last";

/// A receipt, or what became of one, in its place.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    number: u64,
    /// Of the one before; `None` for the first.
    before: Option<Before>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled: Option<Settled>,
}

/// What is to be linked to the chain.
struct New {
    /// Under which name its number is kept, so that it is linked once.
    known: String,
    receipt: Option<Receipt>,
    settled: Option<Settled>,
    /// When it may go.
    expires: i64,
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
    pub(crate) async fn append(&self, receipt: &Receipt, keep: Duration) -> Result<(), StoreError> {
        let id = &receipt.id;
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(refused("a receipt's id must be 1 to 64 letters or digits"));
        }
        let known = id_name(receipt.change.number, id);
        let receipt = Receipt { settled: None, ..receipt.clone() };
        let expires = self.until(receipt.at, keep)?;
        let repo = receipt.change.repo.clone();
        self.link(&repo, New { known, receipt: Some(receipt), settled: None, expires }).await
    }

    pub(crate) async fn settle(
        &self,
        change: &ChangeId,
        settled: &Settled,
        keep: Duration,
    ) -> Result<(), StoreError> {
        let receipt = id_name(change.number, &settled.receipt);
        if self.fetch(&change.repo, RECEIPT, &[receipt]).await?.iter().all(Option::is_none) {
            // It has expired, or was destroyed: nothing is left to say more of.
            return Ok(());
        }
        let known = format!("settled:{}:{}", change.number, settled.receipt);
        let expires = self.until(settled.deleted, keep)?;
        let settled = Some(settled.clone());
        self.link(&change.repo, New { known, receipt: None, settled, expires }).await
    }

    fn until(&self, from: DateTime<Utc>, keep: Duration) -> Result<i64, StoreError> {
        if keep > MAX_TTL || millis(keep) < 1 {
            return Err(refused("a receipt is kept for a millisecond to 180 days"));
        }
        let expires = from.timestamp_millis().min(self.now()) + millis(keep);
        if expires <= self.now() {
            return Err(refused("a receipt that has expired already"));
        }
        Ok(expires)
    }

    async fn link(&self, repo: &RepoId, new: New) -> Result<(), StoreError> {
        let New { known, receipt, settled, expires } = new;
        let place = Place::new(repo, RECEIPT);
        let names = std::slice::from_ref(&known);
        if self.fetch(repo, RECEIPT, names).await?.iter().any(Option::is_some) {
            return Ok(());
        }
        let (mut number, mut before) = self.end_of_chain(repo).await?;
        for _ in 0..TRIES {
            number += 1;
            // None goes before those that came before it: a gap is a flaw, whatever was kept for how long.
            let longest = before.as_ref().map_or(0, |before| before.expires.timestamp_millis());
            let expires = expires.max(longest);
            let (receipt, settled) = (receipt.clone(), settled.clone());
            let text = serde_json::to_vec(&Link { number, before, receipt, settled })
                .map_err(|_| StoreError::Other("a receipt cannot be written".into()))?;
            self.keep_new(&place, &name(number), &text, expires).await?;
            let mut kept = self.links(repo, &[number]).await?;
            let kept = kept.pop().flatten();
            if kept.as_ref().is_some_and(|kept| kept.digest == sha256(&text)) {
                let written = number.to_string();
                let forever = self.now() + millis(MAX_TTL);
                let last = written.as_bytes();
                self.keep(&place, LAST, last, forever, Over::Anything).await?;
                return self.keep_new(&place, &known, last, expires).await.map(drop);
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
        let (mut receipts, mut settled) = (Vec::<Receipt>::new(), BTreeMap::new());
        for page in numbers.chunks(PAGE) {
            let links = self.links(repo, page).await?;
            for found in links.into_iter().flatten() {
                receipts.extend(found.link.receipt);
                settled.extend(found.link.settled.map(|one| (one.receipt.clone(), one)));
            }
        }
        for receipt in &mut receipts {
            receipt.settled = settled.remove(&receipt.id);
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
                let link = self.links(&repo, &[number]).await?.pop().flatten();
                if let Some(receipt) = link.and_then(|found| found.link.receipt) {
                    found.push(receipt.change.repo);
                    break;
                }
            }
        }
        found.sort_by(|a, b| (&a.name, a.key()).cmp(&(&b.name, b.key())));
        Ok(found)
    }

    /// Whoever has a salt, by key; by name where a receipt says one.
    pub(crate) async fn holders(&self) -> Result<Vec<RepoId>, StoreError> {
        let named = self.repositories().await?;
        let mut holders = named.clone();
        for key in self.shelf.repos(self.now()).await? {
            let Some(repo) = RepoId::of_key(&key) else { continue };
            if named.iter().all(|known| known.key() != key) && self.holds_any(&repo).await? {
                holders.push(repo);
            }
        }
        holders.sort_by_key(RepoId::key);
        Ok(holders)
    }

    /// A salt may outlive what was sealed with it.
    async fn holds_any(&self, repo: &RepoId) -> Result<bool, StoreError> {
        for kind in KINDS {
            if !self.shelf.names(&Place::new(repo, kind), self.now()).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
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
                chain.receipts += u64::from(link.receipt.is_some());
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

fn id_name(change: u64, id: &str) -> String {
    format!("id:{change}:{id}")
}

fn sha256(text: &[u8]) -> String {
    hex::encode(digest(&SHA256, text))
}
