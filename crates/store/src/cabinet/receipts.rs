//! Receipts and what became of them, each link chained to the one before it, so that one that is missing
//! or altered shows.
//!
//! A link lies under its number in its repository's chain. Who appends writes under the next free
//! number, and only if it is free still: of two at the same time one moves on to the next number. What
//! the last number was is kept apart, so that the end of a chain cannot be cut off unseen.

mod chain;

use std::{collections::BTreeMap, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{ChangeId, Receipt, RepoId, Settled, StoreError};

use self::chain::{Link, Said, Settlement, Stub, before_of};
use super::{Cabinet, Keep, check_ttl};
use crate::{
    config::{MAX_TTL, millis, refused},
    shelf::{Put, RECEIPT},
};

/// How many links are read in one go.
const PAGE: usize = 500;
/// How often the next number is tried: others may append at the same time.
const TRIES: usize = 200;
/// The name of the last number.
const LAST: &str = "last";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is to be written in a chain.
struct Fresh<'a> {
    repo: &'a RepoId,
    /// The name under which it is known to be there.
    known: String,
    said: Said,
    expires: i64,
    /// The only salt that it may be written under; with none, whichever is there or is made.
    under: Option<Vec<u8>>,
}

impl Cabinet {
    pub(crate) async fn append(&self, receipt: &Receipt, keep: Duration) -> Result<(), StoreError> {
        check_id(&receipt.id)?;
        check_keep(keep)?;
        let expires = receipt.at.timestamp_millis().min(self.now()) + millis(keep);
        if expires <= self.now() {
            return Err(refused("a receipt that is older than it is to be kept"));
        }
        let receipt = Receipt { settled: None, ..receipt.clone() };
        let change = receipt.change.clone();
        let known = id_name(&change, &receipt.id);
        let (repo, said) = (&change.repo, Said::Receipt(Box::new(receipt)));
        self.chain_on(Fresh { repo, known, said, expires, under: None }).await
    }

    pub(crate) async fn settle(
        &self,
        change: &ChangeId,
        settled: &Settled,
        keep: Duration,
    ) -> Result<(), StoreError> {
        check_settled(settled)?;
        check_keep(keep)?;
        let repo = &change.repo;
        let under = self.shelf.salt(&repo.key()).await?;
        let receipt = id_name(change, &settled.receipt);
        let receipt = self.fetch(repo, RECEIPT, &[receipt]).await?.pop().flatten();
        // Without its receipt, which has expired or was destroyed, it says nothing.
        let (Some(_), Some((expires, _))) = (&under, receipt) else { return Ok(()) };
        let known = format!("settled:{}:{}", change.number, settled.receipt);
        let said = Said::Settled(Settlement { change: change.clone(), settled: settled.clone() });
        self.chain_on(Fresh { repo, known, said, expires, under }).await
    }

    pub(crate) async fn list(
        &self,
        repo: &RepoId,
        change: Option<u64>,
    ) -> Result<Vec<Receipt>, StoreError> {
        let (numbers, _) = self.numbers(repo).await?;
        let mut receipts = Vec::with_capacity(numbers.len());
        let mut settlements = BTreeMap::new();
        for page in numbers.chunks(PAGE) {
            for found in self.links(repo, page).await?.into_iter().flatten() {
                match found.link.said {
                    Said::Receipt(receipt) => receipts.push(*receipt),
                    Said::Settled(Settlement { change, settled }) => {
                        let of = (change.number, settled.receipt.clone());
                        settlements.entry(of).or_insert(settled);
                    }
                }
            }
        }
        receipts.retain(|receipt| change.is_none_or(|change| receipt.change.number == change));
        receipts.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        receipts.dedup_by(|a, b| a.id == b.id);
        for receipt in &mut receipts {
            receipt.settled = settlements.remove(&(receipt.change.number, receipt.id.clone()));
        }
        Ok(receipts)
    }

    pub(crate) async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
        let mut found = Vec::new();
        for key in self.shelf.owners(self.now()).await? {
            let Some(repo) = RepoId::of_key(&key) else { continue };
            found.extend(self.named(&repo).await?);
        }
        found.sort_by(|a, b| (&a.name, a.key()).cmp(&(&b.name, b.key())));
        Ok(found)
    }

    /// The repository by the name in the newest link that opens, which is the latest that is known.
    pub(super) async fn named(&self, repo: &RepoId) -> Result<Option<RepoId>, StoreError> {
        for number in self.numbers(repo).await?.0.into_iter().rev() {
            if let Some(found) = self.links(repo, &[number]).await?.pop().flatten() {
                return Ok(Some(found.link.said.change().repo.clone()));
            }
        }
        Ok(None)
    }

    pub(super) async fn count_receipts(&self, repo: &RepoId) -> Result<u64, StoreError> {
        let Some(keys) = self.keys_of(repo).await? else { return Ok(0) };
        let names = self.names(repo, RECEIPT, &keys).await?;
        Ok(names.iter().filter(|name| name.starts_with("id:")).count() as u64)
    }

    async fn chain_on(&self, fresh: Fresh<'_>) -> Result<(), StoreError> {
        let Fresh { repo, known, said, expires, under } = fresh;
        let there = self.fetch(repo, RECEIPT, std::slice::from_ref(&known)).await?;
        if there.iter().any(Option::is_some) {
            return Ok(());
        }
        let forever = self.now() + millis(MAX_TTL);
        let under = under.as_deref();
        let own =
            Keep { repo, kind: RECEIPT, name: &known, value: &[], expires, once: true, under };
        let lasting = Keep { expires: forever, once: false, ..own };
        let (number, before) = self.end_of_chain(repo).await?;
        let mut link = Link { number, before, said };
        for _ in 0..TRIES {
            link.number += 1;
            let text = write(&link)?;
            if self.keep(Keep { name: &link.name(), value: &text, ..own }).await? == Put::Unsalted {
                return Ok(());
            }
            let kept = self.links(repo, &[link.number]).await?.pop().flatten();
            if kept.as_ref().is_some_and(|kept| kept.digest == sha256(&text)) {
                let (stub, stub_name) =
                    (write(&Stub::of(&link, expires))?, Stub::name(link.number));
                let number = link.number.to_string();
                let number = number.as_bytes();
                self.keep(Keep { name: &stub_name, value: &stub, ..lasting }).await?;
                self.keep(Keep { name: LAST, value: number, ..lasting }).await?;
                self.keep(Keep { value: number, ..own }).await?;
                return Ok(());
            }
            link.before = Some(before_of(kept, self.now()));
        }
        Err(StoreError::Unavailable("too many receipts are being written at once".into()))
    }
}

fn check_id(id: &str) -> Result<(), StoreError> {
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(refused("a receipt's id must be 1 to 64 letters or digits"));
    }
    Ok(())
}

fn check_keep(keep: Duration) -> Result<(), StoreError> {
    check_ttl(keep, DAY, "a receipt that is kept for less than a day")
}

fn check_settled(settled: &Settled) -> Result<(), StoreError> {
    check_id(&settled.receipt)?;
    let printable = |text: &str| text.bytes().all(|b| matches!(b, b' '..=b'~'));
    let word = |text: &str| !text.is_empty() && text.len() <= 64 && printable(text);
    if !word(&settled.outcome) {
        return Err(refused("what came of a disclosure must be said in 1 to 64 printable letters"));
    }
    if settled.request_id.as_ref().is_some_and(|id| id.len() > 200 || !printable(id)) {
        return Err(refused("a request's id must be at most 200 printable ASCII characters"));
    }
    let digest = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if settled.answer_digest.as_ref().is_some_and(|text| !digest(text)) {
        return Err(refused("an answer's digest must be 64 hexadecimal digits"));
    }
    Ok(())
}

fn id_name(change: &ChangeId, receipt: &str) -> String {
    format!("id:{}:{receipt}", change.number)
}

fn write(what: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(what).map_err(|_| StoreError::Other("a receipt cannot be written".into()))
}

fn sha256(text: &[u8]) -> String {
    hex::encode(digest(&SHA256, text))
}
