//! The vault, the receipts and the ledger, over a shelf: the same for both stores.

mod ledger;
mod receipts;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

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

/// A value on its way to the shelf, not sealed yet.
#[derive(Clone, Copy)]
struct Keep<'a> {
    repo: &'a RepoId,
    kind: &'static str,
    name: &'a str,
    value: &'a [u8],
    expires: i64,
    /// Leave an earlier value of that name as it is.
    once: bool,
    /// The only salt that it may be sealed with; with none, whichever is there or is made.
    under: Option<&'a [u8]>,
}

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
        check_ttl(ttl, Duration::from_millis(1), "a time to live under a millisecond")?;
        if value.len() > MAX_VALUE_BYTES {
            return Err(refused("a value over 128 MiB"));
        }
        let expires = self.now() + millis(ttl);
        let kind = kind.as_str();
        let (name, value) = (key, value.expose());
        self.keep(Keep { repo, kind, name, value, expires, once: false, under: None })
            .await
            .map(drop)
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

    /// `others` are of what is kept elsewhere; their names count where no receipt tells a later one.
    pub(crate) async fn holders(&self, others: Vec<RepoId>) -> Result<Vec<RepoId>, StoreError> {
        let mut holders: BTreeMap<_, _> = others.into_iter().map(|r| (r.key(), r)).collect();
        for key in self.shelf.owners(self.now()).await? {
            let Some(repo) = RepoId::of_key(&key) else { continue };
            match self.named(&repo).await? {
                Some(named) => drop(holders.insert(key, named)),
                None => drop(holders.entry(key).or_insert(repo)),
            }
        }
        Ok(holders.into_values().collect())
    }

    pub(crate) async fn destroy(&self, repo: &RepoId) -> Result<Destroyed, StoreError> {
        // A receipt is more than one value; only the names tell how many there are.
        let receipts = self.count_receipts(repo).await?;
        let mut destroyed = self.shelf.destroy(&repo.key(), self.now()).await?;
        if destroyed.remove(RECEIPT).is_some() && receipts > 0 {
            destroyed.insert(RECEIPT.to_owned(), receipts);
        }
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

    /// [`Put::Unsalted`] only where one salt alone was allowed.
    async fn keep(&self, keep: Keep<'_>) -> Result<Put, StoreError> {
        let Keep { repo, kind, name, value, expires, once, under } = keep;
        let place = Place::new(repo, kind);
        for _ in 0..TRIES {
            let (salt, keys) = match under {
                Some(salt) => (salt.to_vec(), self.sealer.keys_of(&place.repo, salt)?),
                None => self.keys_to_seal(&place).await?,
            };
            let [current, former @ ..] = keys.as_slice() else { break };
            if once && self.sealed_before(&place, former, name).await? {
                return Ok(Put::Occupied);
            }
            let entry = Entry {
                place: place.clone(),
                name: current.seal_name(kind, name)?,
                value: current.seal(kind, name, expires, value)?,
                now: self.now(),
                expires,
                over: if once { Over::Nothing } else { Over::Anything },
                salt,
            };
            let put = self.shelf.put(entry).await?;
            if put == Put::Unsalted && under.is_none() {
                continue;
            }
            // What the key before sealed under this name is out of date now.
            if put == Put::Kept && !former.is_empty() && !once {
                self.shelf.remove(&place, seal_names(former, kind, name)?).await?;
            }
            return Ok(put);
        }
        Err(StoreError::Unavailable("the repository is being destroyed".into()))
    }

    /// The owner's salt, made if there is none, and its keys.
    async fn keys_to_seal(&self, place: &Place) -> Result<(Vec<u8>, Vec<RepoKeys>), StoreError> {
        let fresh = hex::decode(self.entropy.hex(SALT_BYTES))
            .map_err(|_| StoreError::Other("the entropy is not hexadecimal".into()))?;
        let salt = self.shelf.salt_or(&place.repo, fresh, self.now()).await?;
        let keys = self.sealer.keys_of(&place.repo, &salt)?;
        Ok((salt, keys))
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

fn check_ttl(ttl: Duration, least: Duration, under: &str) -> Result<(), StoreError> {
    if ttl > MAX_TTL {
        return Err(refused("a time to live over 180 days"));
    }
    if ttl < least {
        return Err(refused(under));
    }
    Ok(())
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
