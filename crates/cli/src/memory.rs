//! Answers and receipts of one run of the command line: kept in memory, gone at its end.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chaffinch_core::{
    Chain, ChangeId, Destroyed, Receipt, Receipts, RepoId, Settled, SourceBytes, StoreError, Vault,
    VaultKind,
};

#[derive(Debug, Default)]
pub(crate) struct Memory {
    values: Mutex<BTreeMap<(String, &'static str, String), SourceBytes>>,
    receipts: Mutex<Vec<Receipt>>,
}

impl Memory {
    /// What left during this run.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        held(&self.receipts).clone()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(repo: &RepoId, kind: VaultKind, key: &str) -> (String, &'static str, String) {
    (repo.key(), kind.as_str(), key.to_owned())
}

#[async_trait]
impl Vault for Memory {
    async fn get(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
    ) -> Result<Option<SourceBytes>, StoreError> {
        Ok(held(&self.values).get(&place(repo, kind, key)).cloned())
    }

    async fn put(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
        value: &SourceBytes,
        _: Duration,
    ) -> Result<(), StoreError> {
        held(&self.values).insert(place(repo, kind, key), value.clone());
        Ok(())
    }

    async fn remove(&self, repo: &RepoId, kind: VaultKind, key: &str) -> Result<(), StoreError> {
        held(&self.values).remove(&place(repo, kind, key));
        Ok(())
    }

    async fn keys(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let (repo, kind) = (repo.key(), kind.as_str());
        let values = held(&self.values);
        let ours =
            values.keys().filter(|(r, k, key)| *r == repo && *k == kind && key.starts_with(prefix));
        Ok(ours.map(|(_, _, key)| key.clone()).collect())
    }

    async fn holders(&self) -> Result<Vec<RepoId>, StoreError> {
        Ok(Vec::new())
    }

    async fn destroy(&self, repo: &RepoId) -> Result<Destroyed, StoreError> {
        held(&self.values).retain(|(r, _, _), _| *r != repo.key());
        held(&self.receipts).retain(|receipt| receipt.change.repo != *repo);
        Ok(Destroyed::new())
    }
}

#[async_trait]
impl Receipts for Memory {
    async fn append(&self, receipt: &Receipt, _: Duration) -> Result<(), StoreError> {
        held(&self.receipts).push(receipt.clone());
        Ok(())
    }

    async fn settle(
        &self,
        change: &ChangeId,
        settled: &Settled,
        _: Duration,
    ) -> Result<(), StoreError> {
        let own = |r: &&mut Receipt| r.change == *change && r.id == settled.receipt;
        if let Some(receipt) = held(&self.receipts).iter_mut().find(own) {
            receipt.settled = Some(settled.clone());
        }
        Ok(())
    }

    async fn list(&self, repo: &RepoId, change: Option<u64>) -> Result<Vec<Receipt>, StoreError> {
        let mut receipts = self.receipts();
        receipts.retain(|r| r.change.repo == *repo && change.is_none_or(|n| r.change.number == n));
        Ok(receipts)
    }

    async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
        Ok(Vec::new())
    }

    /// Nothing outlives the run, so there is nothing to hold it against.
    async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
        let receipts = self.list(repo, None).await?.len() as u64;
        Ok(Chain { receipts, ..Chain::default() })
    }
}
