use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chaffinch_core::{
    Chain, ChangeId, Clock, Destroyed, Receipt, Receipts, RepoId, Settled, SourceBytes, StoreError,
    Vault, VaultKind,
};
use chrono::{DateTime, Utc};

use super::FixedClock;

type Place = (String, &'static str, String);

/// Values with a time to live, by repository, kind and key.
pub(crate) struct MemoryVault {
    values: Mutex<BTreeMap<Place, (SourceBytes, DateTime<Utc>)>>,
    clock: Arc<FixedClock>,
    away: Mutex<bool>,
    refused: Mutex<Option<VaultKind>>,
}

fn place(repo: &RepoId, kind: VaultKind, key: &str) -> Place {
    (repo.key(), kind.as_str(), key.to_owned())
}

impl MemoryVault {
    pub(crate) fn new(clock: Arc<FixedClock>) -> Self {
        Self { values: Mutex::default(), clock, away: Mutex::new(false), refused: Mutex::default() }
    }

    /// From now on, it answers nothing.
    pub(crate) fn goes_away(&self, away: bool) {
        *self.away.lock().unwrap() = away;
    }

    /// From now on, it keeps nothing of this kind.
    pub(crate) fn refuses(&self, kind: VaultKind) {
        *self.refused.lock().unwrap() = Some(kind);
    }

    fn here(&self) -> Result<(), StoreError> {
        match *self.away.lock().unwrap() {
            true => Err(StoreError::Unavailable("away".into())),
            false => Ok(()),
        }
    }

    /// Everything of a kind, as it lies there.
    pub(crate) fn all(&self, kind: VaultKind) -> Vec<Vec<u8>> {
        let values = self.values.lock().unwrap();
        let of_kind = values.iter().filter(|((_, k, _), _)| *k == kind.as_str());
        of_kind.map(|(_, (bytes, _))| bytes.expose().to_vec()).collect()
    }

    /// Rewrites everything of a kind.
    pub(crate) fn damage(&self, kind: VaultKind, with: impl Fn(&[u8]) -> Vec<u8>) {
        let mut values = self.values.lock().unwrap();
        for ((_, k, _), (bytes, _)) in values.iter_mut() {
            if *k == kind.as_str() {
                *bytes = SourceBytes::new(with(bytes.expose()));
            }
        }
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn get(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
    ) -> Result<Option<SourceBytes>, StoreError> {
        self.here()?;
        let values = self.values.lock().unwrap();
        let value = values.get(&place(repo, kind, key)).filter(|(_, end)| *end > self.clock.now());
        Ok(value.map(|(bytes, _)| bytes.clone()))
    }

    async fn put(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
        value: &SourceBytes,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        self.here()?;
        if *self.refused.lock().unwrap() == Some(kind) {
            return Err(StoreError::Refused("not this kind".into()));
        }
        if ttl > Duration::from_secs(180 * 24 * 3600) {
            return Err(StoreError::Refused("a time to live over 180 days".into()));
        }
        let end = self.clock.now() + ttl;
        self.values.lock().unwrap().insert(place(repo, kind, key), (value.clone(), end));
        Ok(())
    }

    async fn remove(&self, repo: &RepoId, kind: VaultKind, key: &str) -> Result<(), StoreError> {
        self.here()?;
        self.values.lock().unwrap().remove(&place(repo, kind, key));
        Ok(())
    }

    async fn keys(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.here()?;
        let values = self.values.lock().unwrap();
        let mine = values.keys().filter(|(r, k, _)| *r == repo.key() && *k == kind.as_str());
        Ok(mine.map(|(_, _, key)| key.clone()).filter(|key| key.starts_with(prefix)).collect())
    }

    async fn holders(&self) -> Result<Vec<RepoId>, StoreError> {
        Ok(Vec::new())
    }

    async fn destroy(&self, repo: &RepoId) -> Result<Destroyed, StoreError> {
        self.here()?;
        self.values.lock().unwrap().retain(|(r, _, _), _| *r != repo.key());
        Ok(Destroyed::new())
    }
}

/// Receipts in the order in which they were written.
#[derive(Default)]
pub(crate) struct MemoryReceipts {
    pub(crate) written: Mutex<Vec<Receipt>>,
    pub(crate) away: Mutex<bool>,
    /// It takes receipts, and nothing of what became of them.
    pub(crate) unsettled: Mutex<bool>,
}

#[async_trait]
impl Receipts for MemoryReceipts {
    async fn append(&self, receipt: &Receipt, _: Duration) -> Result<(), StoreError> {
        if *self.away.lock().unwrap() {
            return Err(StoreError::Unavailable("away".into()));
        }
        self.written.lock().unwrap().push(receipt.clone());
        Ok(())
    }

    async fn settle(
        &self,
        change: &ChangeId,
        settled: &Settled,
        _: Duration,
    ) -> Result<(), StoreError> {
        if *self.unsettled.lock().unwrap() {
            return Err(StoreError::Unavailable("away".into()));
        }
        let mut written = self.written.lock().unwrap();
        // The ids of these tests begin again with each engine.
        let own = |r: &&mut Receipt| {
            r.change == *change && r.id == settled.receipt && r.settled.is_none()
        };
        if let Some(receipt) = written.iter_mut().find(own) {
            receipt.settled = Some(settled.clone());
        }
        Ok(())
    }

    async fn list(&self, repo: &RepoId, change: Option<u64>) -> Result<Vec<Receipt>, StoreError> {
        let written = self.written.lock().unwrap();
        let mine = written.iter().filter(|r| {
            r.change.repo.key() == repo.key() && change.is_none_or(|n| r.change.number == n)
        });
        Ok(mine.cloned().collect())
    }

    async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
        Ok(Vec::new())
    }

    async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
        let receipts = self.list(repo, None).await?.len() as u64;
        Ok(Chain { receipts, ..Chain::default() })
    }
}
