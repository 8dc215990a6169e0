//! What the program keeps of its own: pages that are written only over what was read.

use std::time::Duration;

use chaffinch_core::{Book, Page, SourceBytes, StoreError};

use super::{Cabinet, check_name, seal_names};
use crate::{
    config::{MAX_TTL, MAX_VALUE_BYTES, millis, refused},
    sealer::RepoKeys,
    shelf::{Over, Place},
};

/// The version of what was read under the key before.
const FORMER: &[u8] = b"former";

impl Cabinet {
    pub(crate) async fn page(&self, book: Book, name: &str) -> Result<Option<Page>, StoreError> {
        check_name(name)?;
        let place = Place::of(book);
        let Some(keys) = self.ledger_keys(&place).await? else { return Ok(None) };
        let sealed = self.shelf.get(&place, seal_names(&keys, place.kind, name)?).await?;
        let mut unread = false;
        for (i, (keys, sealed)) in keys.iter().zip(sealed).enumerate() {
            let Some(sealed) = sealed else { continue };
            let version = if i == 0 { sealed.clone() } else { FORMER.to_vec() };
            match keys.open(place.kind, name, sealed) {
                Some((expires, text)) if expires > self.now() => {
                    return Ok(Some(Page { text, version }));
                }
                Some(_) => {}
                None => unread = true,
            }
        }
        // What was promised may stand there: it is not taken for absent.
        if unread { Err(unreadable(book)) } else { Ok(None) }
    }

    pub(crate) async fn write_page(
        &self,
        book: Book,
        name: &str,
        text: &SourceBytes,
        over: Option<&Page>,
        keep: Duration,
    ) -> Result<bool, StoreError> {
        check_name(name)?;
        if keep > MAX_TTL || millis(keep) < 1 {
            return Err(refused("a page is kept for a millisecond to 180 days"));
        }
        if text.len() > MAX_VALUE_BYTES {
            return Err(refused("a page over 128 MiB"));
        }
        let place = Place::of(book);
        let expires = self.now() + millis(keep);
        match over {
            None => self.keep_new(&place, name, text.expose(), expires).await,
            // It lies under the key before, and nothing under this one: of two writers, one finds that so.
            Some(page) if page.version == FORMER => {
                self.keep(&place, name, text.expose(), expires, Over::Nothing).await
            }
            Some(page) => {
                let over = Over::This(page.version.clone());
                self.keep(&place, name, text.expose(), expires, over).await
            }
        }
    }

    pub(crate) async fn strike(&self, book: Book, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let place = Place::of(book);
        let Some(keys) = self.ledger_keys(&place).await? else { return Ok(()) };
        self.shelf.remove(&place, seal_names(&keys, place.kind, name)?).await
    }

    pub(crate) async fn pages(&self, book: Book) -> Result<Vec<String>, StoreError> {
        let place = Place::of(book);
        let Some(keys) = self.ledger_keys(&place).await? else { return Ok(Vec::new()) };
        let sealed = self.shelf.names(&place, self.now()).await?;
        let mut names = Vec::with_capacity(sealed.len());
        for name in &sealed {
            let opened = keys.iter().find_map(|keys| keys.open_name(place.kind, name));
            names.push(opened.ok_or_else(|| unreadable(book))?);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn ledger_keys(&self, place: &Place) -> Result<Option<Vec<RepoKeys>>, StoreError> {
        let Some(salt) = self.shelf.salt(&place.repo).await? else { return Ok(None) };
        self.sealer.keys_of(&place.repo, &salt).map(Some)
    }
}

fn unreadable(book: Book) -> StoreError {
    StoreError::Other(format!(
        "what the ledger says of the {} does not open: it is damaged, or store.key is another than it was \
         sealed with",
        book.as_str()
    ))
}
