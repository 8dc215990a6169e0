//! The ledger: pages of no repository, each written over exactly what was read.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{Book, Page, SourceBytes, StoreError};

use super::{Cabinet, TRIES, check_name, check_ttl, seal_names};
use crate::{
    config::{millis, refused},
    sealer::RepoKeys,
    shelf::{Entry, Over, Place, Put},
};

const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// What lies under a page's name, expired or not.
struct Lying {
    name: Vec<u8>,
    sealed: Vec<u8>,
    expires: i64,
    text: SourceBytes,
}

impl Lying {
    /// Every sealing has a nonce of its own, so that no two writings are alike.
    fn version(&self) -> Vec<u8> {
        digest(&SHA256, &self.sealed).as_ref().to_vec()
    }
}

impl Cabinet {
    pub(crate) async fn read(&self, book: Book, name: &str) -> Result<Option<Page>, StoreError> {
        check_name(name)?;
        let lying = self.lying(&Place::book(book), name).await?;
        let lying = lying.filter(|lying| lying.expires > self.now());
        Ok(lying.map(|lying| Page { version: lying.version(), text: lying.text }))
    }

    pub(crate) async fn write(
        &self,
        book: Book,
        name: &str,
        text: &SourceBytes,
        over: Option<&Page>,
        keep: Duration,
    ) -> Result<bool, StoreError> {
        check_name(name)?;
        check_ttl(keep, Duration::from_millis(1), "a time to live under a millisecond")?;
        if text.len() > MAX_PAGE_BYTES {
            return Err(refused("a page over 16 MiB"));
        }
        let place = Place::book(book);
        for _ in 0..TRIES {
            let now = self.now();
            let lying = self.lying(&place, name).await?;
            let live = lying.as_ref().filter(|lying| lying.expires > now).map(Lying::version);
            if live.as_ref() != over.map(|page| &page.version) {
                return Ok(false);
            }
            let (salt, keys) = self.keys_to_seal(&place).await?;
            let Some(current) = keys.first() else { break };
            let expires = now + millis(keep);
            let entry = Entry {
                name: current.seal_name(place.kind, name)?,
                value: current.seal(place.kind, name, expires, text.expose())?,
                over: lying.map_or(Over::Nothing, |Lying { name, sealed, .. }| Over::This {
                    name,
                    value: sealed,
                }),
                place: place.clone(),
                now,
                expires,
                salt,
            };
            // If something else lies there by now, the next look tells whether that matters: what had
            // expired may just have been swept.
            if self.shelf.put(entry).await? == Put::Kept {
                return Ok(true);
            }
        }
        Err(StoreError::Unavailable("too many write this page of the ledger at once".into()))
    }

    pub(crate) async fn strike(&self, book: Book, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let place = Place::book(book);
        let (_, keys) = self.keys_at(&place).await?;
        self.shelf.remove(&place, seal_names(&keys, place.kind, name)?).await
    }

    pub(crate) async fn pages(&self, book: Book) -> Result<Vec<String>, StoreError> {
        let mut names = self.page_names(&Place::book(book)).await?;
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn lying(&self, place: &Place, name: &str) -> Result<Option<Lying>, StoreError> {
        for _ in 0..TRIES {
            let (_, keys) = self.keys_at(place).await?;
            let names = seal_names(&keys, place.kind, name)?;
            let values = self.shelf.get(place, names.clone()).await?;
            for ((keys, lies_under), sealed) in keys.iter().zip(names).zip(values) {
                let Some(sealed) = sealed else { continue };
                let opened = keys.open(place.kind, name, sealed.clone());
                let (expires, text) = opened.ok_or_else(|| does_not_open(place))?;
                return Ok(Some(Lying { name: lies_under, sealed, expires, text }));
            }
            // A page under a name that does not open may be this one.
            if !self.page_names(place).await?.iter().any(|known| known == name) {
                break;
            }
            // Written since.
        }
        Ok(None)
    }

    /// The names of all pages; an error if one does not open.
    async fn page_names(&self, place: &Place) -> Result<Vec<String>, StoreError> {
        for _ in 0..TRIES {
            let (salt, keys) = self.keys_at(place).await?;
            let open =
                |name: &Vec<u8>| keys.iter().find_map(|keys| keys.open_name(place.kind, name));
            let sealed = self.shelf.names(place, self.now()).await?;
            if let Some(names) = sealed.iter().map(open).collect() {
                return Ok(names);
            }
            // The first page of all may have been written since, and the salt with it.
            if self.shelf.salt(&place.repo).await? == salt {
                break;
            }
        }
        Err(does_not_open(place))
    }

    /// The salt, and the keys that it makes; none without it.
    async fn keys_at(&self, place: &Place) -> Result<(Option<Vec<u8>>, Vec<RepoKeys>), StoreError> {
        let salt = self.shelf.salt(&place.repo).await?;
        let keys = salt.as_ref().map(|salt| self.sealer.keys_of(&place.repo, salt)).transpose()?;
        Ok((salt, keys.unwrap_or_default()))
    }
}

fn does_not_open(place: &Place) -> StoreError {
    StoreError::Other(format!(
        "a page of the ledger ({}) does not open: it was damaged, or sealed with another key",
        place.kind
    ))
}
