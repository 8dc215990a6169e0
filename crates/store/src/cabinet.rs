//! The vault and the receipts, over a shelf: the same for both stores.

use std::{sync::Arc, time::Duration};

use chaffinch_core::{Clock, Entropy, Receipt, RepoId, SourceBytes, StoreError, VaultKind};
use chrono::{DateTime, Utc};

use crate::{
    Sealer,
    config::{MAX_TTL, MAX_VALUE_BYTES, millis, refused},
    sealer::RepoKeys,
    shelf::{Entry, Place, RECEIPT, Shelf},
};

const SALT_BYTES: usize = 32;
const MAX_KEYS: usize = 1_000;
const MAX_NAME_BYTES: usize = 512;
/// How many receipts are read in one go.
const PAGE: usize = 500;
/// How often a value is sealed anew because its repository was destroyed meanwhile.
const TRIES: usize = 3;

/// A shelf, and what it takes to read it.
pub(crate) struct Cabinet {
    shelf: Arc<dyn Shelf>,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Cabinet {
    pub(crate) fn new(
        shelf: Arc<dyn Shelf>,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { shelf, sealer, clock, entropy }
    }

    pub(crate) async fn get(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
    ) -> Result<Option<SourceBytes>, StoreError> {
        check_name(key)?;
        let place = Place::new(repo, kind.as_str());
        let Some(keys) = self.keys_of(repo).await? else { return Ok(None) };
        let names = seal_names(&keys, place.kind, key)?;
        let values = self.shelf.get(&place, names).await?;
        let now = self.now();
        let opened = keys.iter().zip(values).filter_map(|(keys, value)| {
            let opened = keys.open(place.kind, key, value?);
            if opened.is_none() {
                tracing::warn!(kind = place.kind, "a stored value does not open; it is ignored");
            }
            opened.filter(|(expires, _)| *expires > now)
        });
        Ok(opened.map(|(_, value)| value).next())
    }

    pub(crate) async fn put(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
        value: &SourceBytes,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        check_name(key)?;
        if ttl > MAX_TTL {
            return Err(refused("a time to live over 180 days"));
        }
        if millis(ttl) < 1 {
            return Err(refused("a time to live under a millisecond"));
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(refused("a value over 128 MiB"));
        }
        let expires = self.now() + millis(ttl);
        self.keep(repo, kind.as_str(), key, value.expose(), expires, false).await
    }

    pub(crate) async fn remove(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        key: &str,
    ) -> Result<(), StoreError> {
        check_name(key)?;
        let place = Place::new(repo, kind.as_str());
        let Some(keys) = self.keys_of(repo).await? else { return Ok(()) };
        let names = seal_names(&keys, place.kind, key)?;
        self.shelf.remove(&place, names).await
    }

    pub(crate) async fn keys(
        &self,
        repo: &RepoId,
        kind: VaultKind,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let Some(keys) = self.keys_of(repo).await? else { return Ok(Vec::new()) };
        let mut found = self.names(repo, kind.as_str(), &keys).await?;
        found.retain(|name| name.starts_with(prefix));
        found.truncate(MAX_KEYS);
        Ok(found)
    }

    pub(crate) async fn destroy(&self, repo: &RepoId) -> Result<(), StoreError> {
        self.shelf.destroy(&repo.key()).await
    }

    pub(crate) async fn append(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let id = &receipt.id;
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(refused("a receipt's id must be 1 to 64 letters or digits"));
        }
        let expires = receipt.at.timestamp_millis().min(self.now()) + millis(MAX_TTL);
        if expires <= self.now() {
            return Err(refused("a receipt over 180 days old"));
        }
        let text = serde_json::to_vec(receipt)
            .map_err(|_| StoreError::Other("a receipt cannot be written".into()))?;
        let name = receipt_name(receipt.change.number, id);
        self.keep(&receipt.change.repo, RECEIPT, &name, &text, expires, true).await
    }

    pub(crate) async fn list(
        &self,
        repo: &RepoId,
        change: Option<u64>,
    ) -> Result<Vec<Receipt>, StoreError> {
        let place = Place::new(repo, RECEIPT);
        let Some(keys) = self.keys_of(repo).await? else { return Ok(Vec::new()) };
        let mut names = self.names(repo, RECEIPT, &keys).await?;
        if let Some(change) = change {
            let prefix = receipt_name(change, "");
            names.retain(|name| name.starts_with(&prefix));
        }
        let now = self.now();
        let mut receipts = Vec::with_capacity(names.len());
        for page in names.chunks(PAGE) {
            for keys in &keys {
                let sealed = page.iter().map(|name| keys.seal_name(RECEIPT, name));
                let values = self.shelf.get(&place, sealed.collect::<Result<_, _>>()?).await?;
                for (name, value) in page.iter().zip(values) {
                    let Some(value) = value else { continue };
                    match open_receipt(keys, name, value) {
                        Some((expires, receipt)) if expires > now => receipts.push(receipt),
                        Some(_) => {}
                        None => tracing::warn!(kind = RECEIPT, "a stored value does not open"),
                    }
                }
            }
        }
        receipts.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        receipts.dedup_by(|a, b| a.id == b.id);
        Ok(receipts)
    }

    async fn keep(
        &self,
        repo: &RepoId,
        kind: &'static str,
        name: &str,
        value: &[u8],
        expires: i64,
        once: bool,
    ) -> Result<(), StoreError> {
        let place = Place::new(repo, kind);
        for _ in 0..TRIES {
            let fresh = hex::decode(self.entropy.hex(SALT_BYTES))
                .map_err(|_| StoreError::Other("the entropy is not hexadecimal".into()))?;
            let salt = self.shelf.salt_or(&place.repo, fresh, self.now()).await?;
            let keys = self.sealer.keys(repo, &salt)?;
            let [current, former @ ..] = keys.as_slice() else { break };
            if once && self.sealed_before(&place, former, name).await? {
                return Ok(());
            }
            let entry = Entry {
                place: place.clone(),
                name: current.seal_name(kind, name)?,
                value: current.seal(kind, name, expires, value)?,
                now: self.now(),
                expires,
                once,
                salt,
            };
            if !self.shelf.put(entry).await? {
                continue;
            }
            // What the key before sealed under this name is out of date now.
            if !former.is_empty() && !once {
                self.shelf.remove(&place, seal_names(former, kind, name)?).await?;
            }
            return Ok(());
        }
        Err(StoreError::Unavailable("the repository is being destroyed".into()))
    }

    /// Whether it is there already, under the key before.
    async fn sealed_before(
        &self,
        place: &Place,
        former: &[RepoKeys],
        name: &str,
    ) -> Result<bool, StoreError> {
        if former.is_empty() {
            return Ok(false);
        }
        let values = self.shelf.get(place, seal_names(former, place.kind, name)?).await?;
        let now = self.now();
        Ok(former.iter().zip(values).any(|(keys, value)| {
            let opened = value.and_then(|value| keys.open(place.kind, name, value));
            opened.is_some_and(|(expires, _)| expires > now)
        }))
    }

    async fn keys_of(&self, repo: &RepoId) -> Result<Option<Vec<RepoKeys>>, StoreError> {
        let Some(salt) = self.shelf.salt(&repo.key()).await? else { return Ok(None) };
        self.sealer.keys(repo, &salt).map(Some)
    }

    /// The names that open, sorted, each once.
    async fn names(
        &self,
        repo: &RepoId,
        kind: &'static str,
        keys: &[RepoKeys],
    ) -> Result<Vec<String>, StoreError> {
        let sealed = self.shelf.names(&Place::new(repo, kind), self.now()).await?;
        let open = |name: &Vec<u8>| keys.iter().find_map(|keys| keys.open_name(kind, name));
        let mut names: Vec<_> = sealed.iter().filter_map(open).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}

fn seal_names(keys: &[RepoKeys], kind: &str, name: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    keys.iter().map(|keys| keys.seal_name(kind, name)).collect()
}

fn receipt_name(change: u64, id: &str) -> String {
    format!("{change}:{id}")
}

fn open_receipt(keys: &RepoKeys, name: &str, sealed: Vec<u8>) -> Option<(i64, Receipt)> {
    let (expires, text) = keys.open(RECEIPT, name, sealed)?;
    Some((expires, serde_json::from_slice(text.expose()).ok()?))
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(refused("a key must be 1 to 512 bytes without control characters"));
    }
    Ok(())
}

/// Milliseconds since 1970 as a time; the far future where it does not fit.
pub(crate) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
