//! The links of a chain, and whether they are all there.
//!
//! Links do not expire in their order: a policy may keep later ones for less, and what became of a
//! receipt goes with it. So each number has a stub, which says when its link goes and outlives it: until
//! 180 days after the link was written.

use std::collections::{BTreeMap, BTreeSet};

use chaffinch_core::{Chain, ChangeId, Flaw, Receipt, RepoId, Settled, StoreError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{LAST, PAGE, sha256};
use crate::{
    cabinet::{Cabinet, time},
    shelf::RECEIPT,
};

/// A link in its place. One that says something else than this version knows cannot be read.
#[derive(Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) number: u64,
    /// Of the one before; `None` for the first.
    pub(super) before: Option<Before>,
    #[serde(flatten)]
    pub(super) said: Said,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said {
    Receipt(Box<Receipt>),
    Settled(Settlement),
}

/// What became of a disclosure of this change.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settlement {
    pub(super) change: ChangeId,
    pub(super) settled: Settled,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    /// SHA-256 of the link, hexadecimal; empty if it could not be read.
    digest: String,
    /// When it goes by itself.
    expires: DateTime<Utc>,
}

/// What is left of a link when it has gone. Times are milliseconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stub {
    /// When the link goes.
    until: i64,
    /// When the one before goes, if there is one.
    before: Option<i64>,
}

/// A link as it was read.
pub(super) struct Found {
    pub(super) link: Link,
    pub(super) digest: String,
    expires: i64,
}

impl Link {
    pub(super) fn name(&self) -> String {
        name(self.number)
    }

    /// When the one before goes.
    fn told(&self) -> Option<i64> {
        self.before.as_ref().map(|before| before.expires.timestamp_millis())
    }
}

impl Said {
    pub(super) fn change(&self) -> &ChangeId {
        match self {
            Self::Receipt(receipt) => &receipt.change,
            Self::Settled(settlement) => &settlement.change,
        }
    }
}

impl Stub {
    pub(super) fn of(link: &Link, expires: i64) -> Self {
        Self { until: expires, before: link.told() }
    }

    pub(super) fn name(number: u64) -> String {
        format!("until:{number}")
    }
}

impl Cabinet {
    pub(crate) async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
        // Read first: what is appended meanwhile is no flaw.
        let last = self.last(repo).await?.map(|(last, _)| last);
        let (numbers, stubbed) = self.numbers(repo).await?;
        let ends = [last.unwrap_or(0), max(&numbers), max(&stubbed)];
        let end = ends.into_iter().fold(0, u64::max);
        let start = numbers.first().into_iter().chain(stubbed.first()).min().copied().unwrap_or(1);
        let stubs = self.stubs(repo, &numbers, &stubbed).await?;

        let mut walk = Walk { chain: Chain::default(), stubs, now: self.now(), next: start };
        // Before all that is known, one more: who comes after it tells of it.
        let told = match walk.stubs.get(&start) {
            Some(stub) => stub.before,
            None => self.links(repo, &[start]).await?.pop().flatten().and_then(|f| f.link.told()),
        };
        if told.is_some_and(|until| until > walk.now) {
            walk.miss(start - 1);
        }
        let mut before: Option<String> = None;
        for page in numbers.chunks(PAGE) {
            for (number, found) in page.iter().copied().zip(self.links(repo, page).await?) {
                let found = found.filter(|found| found.link.number == number);
                let gap = walk.next < number;
                walk.to(number, found.as_ref().and_then(|found| found.link.told()));
                walk.next = number + 1;
                let known = before.take().filter(|_| !gap);
                let Some(Found { link, digest, .. }) = found else {
                    walk.chain.flaws.push(Flaw::Unreadable { number });
                    continue;
                };
                if let (Some(known), Some(told)) = (known, &link.before)
                    && told.digest != known
                {
                    walk.chain.flaws.push(Flaw::Altered { number: number - 1 });
                }
                let chain = &mut walk.chain;
                chain.first.get_or_insert(number);
                chain.last = Some(number);
                chain.receipts += u64::from(matches!(link.said, Said::Receipt(_)));
                chain.head = Some(digest.clone());
                before = Some(digest);
            }
        }
        walk.to(end + 1, None);
        if last.is_none() && !numbers.is_empty() {
            walk.chain.flaws.push(Flaw::NoEnd);
        }
        Ok(walk.chain)
    }

    /// The last number, and what the next link says of it.
    pub(super) async fn end_of_chain(
        &self,
        repo: &RepoId,
    ) -> Result<(u64, Option<Before>), StoreError> {
        let (last, expires) = match self.last(repo).await? {
            Some(last) => last,
            None => match self.numbers(repo).await?.0.last() {
                Some(last) => (*last, self.now()),
                None => return Ok((0, None)),
            },
        };
        let found = self.links(repo, &[last]).await?.pop().flatten();
        // Its stub is there as long as the last number is. If not, nobody may say that it has gone.
        let stub = self.stubs(repo, &[], &[last]).await?.remove(&last);
        let until = stub.map_or(expires, |stub| stub.until);
        Ok((last, Some(before_of(found, until))))
    }

    /// The last number, and when it is forgotten.
    async fn last(&self, repo: &RepoId) -> Result<Option<(u64, i64)>, StoreError> {
        let found = self.fetch(repo, RECEIPT, &[LAST.to_owned()]).await?.pop().flatten();
        Ok(found.and_then(|(expires, text)| Some((text.text().parse().ok()?, expires))))
    }

    /// The numbers of the links that are there, and of the stubs; each ascending.
    pub(super) async fn numbers(&self, repo: &RepoId) -> Result<(Vec<u64>, Vec<u64>), StoreError> {
        let Some(keys) = self.keys_of(repo).await? else { return Ok((Vec::new(), Vec::new())) };
        let names = self.names(repo, RECEIPT, &keys).await?;
        let numbers = |start: &str| {
            let number = |name: &String| name.strip_prefix(start)?.parse::<u64>().ok();
            let numbers: BTreeSet<_> = names.iter().filter_map(number).collect();
            numbers.into_iter().collect()
        };
        Ok((numbers("n:"), numbers("until:")))
    }

    pub(super) async fn links(
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

    /// The stubs of those numbers of which no link is there.
    async fn stubs(
        &self,
        repo: &RepoId,
        links: &[u64],
        stubbed: &[u64],
    ) -> Result<BTreeMap<u64, Stub>, StoreError> {
        let links: BTreeSet<_> = links.iter().collect();
        let gone: Vec<u64> = stubbed.iter().filter(|n| !links.contains(n)).copied().collect();
        let mut stubs = BTreeMap::new();
        for page in gone.chunks(PAGE) {
            let names: Vec<_> = page.iter().map(|number| Stub::name(*number)).collect();
            for (number, value) in page.iter().zip(self.fetch(repo, RECEIPT, &names).await?) {
                let stub = value.and_then(|(_, text)| serde_json::from_slice(text.expose()).ok());
                stubs.extend(stub.map(|stub| (*number, stub)));
            }
        }
        Ok(stubs)
    }
}

/// A chain on its way to being verified.
struct Walk {
    chain: Chain,
    stubs: BTreeMap<u64, Stub>,
    now: i64,
    /// The number that comes next.
    next: u64,
}

impl Walk {
    /// Up to `number`, no link is there; that one says when the one before it goes.
    fn to(&mut self, number: u64, told: Option<i64>) {
        for absent in self.next..number {
            let after = || match absent + 1 == number {
                true => told,
                false => self.stubs.get(&(absent + 1)).and_then(|stub| stub.before),
            };
            let until = self.stubs.get(&absent).map(|stub| stub.until).or_else(after);
            if until.is_none_or(|until| until > self.now) {
                self.miss(absent);
            }
        }
    }

    fn miss(&mut self, number: u64) {
        match self.chain.flaws.last_mut() {
            Some(Flaw::Missing { last, .. }) if *last + 1 == number => *last = number,
            _ => self.chain.flaws.push(Flaw::Missing { first: number, last: number }),
        }
    }
}

/// What the next link says of one that goes at `until`, if it cannot be read.
pub(super) fn before_of(found: Option<Found>, until: i64) -> Before {
    match found {
        Some(found) => Before { digest: found.digest, expires: time(found.expires) },
        None => Before { digest: String::new(), expires: time(until) },
    }
}

fn max(numbers: &[u64]) -> u64 {
    numbers.last().copied().unwrap_or(0)
}

fn name(number: u64) -> String {
    format!("n:{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_an_earlier_version_wrote_is_read_and_written_as_it_was() {
        let text = concat!(
            r#"{"number":2,"before":{"digest":"ab","expires":"2026-08-28T11:00:01Z"},"receipt":{"#,
            r#""id":"00000001","at":"2026-03-01T11:00:01Z","change":{"repo":{"forge":"github","#,
            r#""installation":1,"id":2,"name":"acme/shop"},"number":7},"#,
            r#""head":"cccccccccccccccccccccccccccccccccccccccc","#,
            r#""finding":"0123456789abcdef0123456789abcdef","rule":"python.sqli","sent":[],"#,
            r#""requests":{"files":0,"folders":[]},"lines":3,"tokens":900,"redactions":{},"#,
            r#""endpoint":"https://models.example:443","model":"m","prompt_version":"1","#,
            r#""prompt_digest":"dd","policy_digest":"ee"}}"#
        );
        let link: Link = serde_json::from_str(text).unwrap();
        assert_eq!((link.number, link.said.change().number), (2, 7));
        assert_eq!(serde_json::to_string(&link).unwrap(), text);
    }

    #[test]
    fn a_link_that_says_what_this_version_does_not_know_is_not_guessed_at() {
        let later = r#"{"number":2,"before":null,"revoked":{"receipt":"1"}}"#;
        assert!(serde_json::from_str::<Link>(later).is_err());
    }
}
