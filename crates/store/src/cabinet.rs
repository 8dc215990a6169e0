//! The vault and the receipts, over a shelf: the same for both stores.

mod ledger;
mod receipts;

use std::{sync::Arc, time::Duration};

use chaffinch_core::{
    Clock, Destroyed, Entropy, RepoId, Sealing, SourceBytes, StoreError, VaultKind,
};
use chrono::{DateTime, Utc};

use crate::{
    Sealer,
    config::{MAX_TTL, MAX_VALUE_BYTES, millis, refused},
    sealer::RepoKeys,
    shelf::{Entry, Over, Place, Put, RECEIPT, Shelf},
};

const SALT_BYTES: usize = 32;
const MAX_KEYS: usize = 1_000;
const MAX_NAME_BYTES: usize = 512;
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
        let found = self.fetch(repo, kind.as_str(), &[key.to_owned()]).await?.pop().flatten();
        Ok(found.map(|(_, value)| value))
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
        let place = Place::new(repo, kind.as_str());
        self.keep(&place, key, value.expose(), expires, Over::Anything).await.map(drop)
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

    pub(crate) async fn destroy(&self, repo: &RepoId) -> Result<Destroyed, StoreError> {
        // Each receipt lies under more than one name.
        let receipts = self.verify(repo).await?.receipts;
        let mut destroyed = self.shelf.destroy(&repo.key()).await?;
        destroyed.insert(RECEIPT.to_owned(), receipts);
        destroyed.retain(|_, count| *count > 0);
        Ok(destroyed)
    }

    /// What lies under these names, with its expiry, in their order; what does not open or has expired
    /// counts as absent.
    async fn fetch(
        &self,
        repo: &RepoId,
        kind: &'static str,
        names: &[String],
    ) -> Result<Vec<Option<(i64, SourceBytes)>>, StoreError> {
        let mut found: Vec<Option<(i64, SourceBytes)>> = names.iter().map(|_| None).collect();
        let Some(keys) = self.keys_of(repo).await? else { return Ok(found) };
        let place = Place::new(repo, kind);
        let now = self.now();
        for keys in &keys {
            let sealed = names.iter().map(|name| keys.seal_name(kind, name));
            let values = self.shelf.get(&place, sealed.collect::<Result<_, _>>()?).await?;
            for ((slot, name), value) in found.iter_mut().zip(names).zip(values) {
                let Some(value) = value.filter(|_| slot.is_none()) else { continue };
                let opened = keys.open(kind, name, value);
                if opened.is_none() {
                    tracing::warn!(kind, "a stored value does not open; it is ignored");
                }
                *slot = opened.filter(|(expires, _)| *expires > now);
            }
        }
        Ok(found)
    }

    /// Whether a value that lies at this place is sealed there with our key; `name` is sealed too.
    pub(crate) async fn sealing(
        &self,
        repo: &str,
        kind: &str,
        name: &[u8],
        value: Vec<u8>,
    ) -> Result<Sealing, StoreError> {
        let Some(salt) = self.shelf.salt(repo).await? else { return Ok(Sealing::Unopened) };
        let keys = self.sealer.keys_of(repo, &salt)?;
        let opens = keys.iter().any(|keys| {
            let name = keys.open_name(kind, name);
            name.is_some_and(|name| keys.open(kind, &name, value.clone()).is_some())
        });
        Ok(if opens { Sealing::Sealed } else { Sealing::Unopened })
    }

    /// Keeps a value; false where something else lies there, and `over` does not say that.
    async fn keep(
        &self,
        place: &Place,
        name: &str,
        value: &[u8],
        expires: i64,
        over: Over,
    ) -> Result<bool, StoreError> {
        let kind = place.kind;
        for _ in 0..TRIES {
            let fresh = hex::decode(self.entropy.hex(SALT_BYTES))
                .map_err(|_| StoreError::Other("the entropy is not hexadecimal".into()))?;
            let salt = self.shelf.salt_or(&place.repo, fresh, self.now()).await?;
            let keys = self.sealer.keys_of(&place.repo, &salt)?;
            let [current, former @ ..] = keys.as_slice() else { break };
            let entry = Entry {
                place: place.clone(),
                name: current.seal_name(kind, name)?,
                value: current.seal(kind, name, expires, value)?,
                now: self.now(),
                expires,
                over: over.clone(),
                salt,
            };
            match self.shelf.put(entry).await? {
                Put::Destroyed => continue,
                Put::Left => return Ok(false),
                Put::Kept => {}
            }
            // What the key before sealed under this name is out of date now.
            if !former.is_empty() {
                self.shelf.remove(place, seal_names(former, kind, name)?).await?;
            }
            return Ok(true);
        }
        Err(StoreError::Unavailable("the repository is being destroyed".into()))
    }

    /// Keeps a value where there is none of that name, under the key before neither.
    async fn keep_new(
        &self,
        place: &Place,
        name: &str,
        value: &[u8],
        expires: i64,
    ) -> Result<bool, StoreError> {
        if self.sealed_before(place, name).await? {
            return Ok(false);
        }
        self.keep(place, name, value, expires, Over::Nothing).await
    }

    /// Whether it is there already, under the key before.
    async fn sealed_before(&self, place: &Place, name: &str) -> Result<bool, StoreError> {
        let Some(salt) = self.shelf.salt(&place.repo).await? else { return Ok(false) };
        let keys = self.sealer.keys_of(&place.repo, &salt)?;
        let [_, former @ ..] = keys.as_slice() else { return Ok(false) };
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
