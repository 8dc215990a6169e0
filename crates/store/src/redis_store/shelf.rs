//! Sealed values on Redis: one key a value, and an index of their names.

use std::{collections::BTreeSet, sync::LazyLock};

use async_trait::async_trait;
use chaffinch_core::{Destroyed, StoreError};
use redis::{Script, cmd, pipe};

use super::{
    keys::Keys,
    link::{Again, Link},
};
use crate::{
    config::{MAX_TTL, millis},
    shelf::{Entry, KINDS, Over, Place, Put, Shelf},
};

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/put.lua")));

/// How many values one command removes.
const PAGE: usize = 500;

pub(crate) struct RedisShelf {
    pub(crate) link: Link,
    pub(crate) keys: Keys,
}

impl RedisShelf {
    fn value_keys(&self, place: &Place, names: &[Vec<u8>]) -> Vec<String> {
        names.iter().map(|name| self.keys.value(&place.repo, place.kind, name)).collect()
    }

    /// How many of these values were there.
    async fn unlink(&self, place: &Place, names: &[Vec<u8>]) -> Result<u64, StoreError> {
        let mut gone = 0;
        for names in names.chunks(PAGE) {
            let mut pipe = pipe();
            pipe.atomic();
            pipe.cmd("UNLINK").arg(self.value_keys(place, names));
            pipe.cmd("ZREM").arg(self.keys.index(&place.repo, place.kind)).arg(names).ignore();
            let [unlinked]: [u64; 1] = self.link.pipe(&pipe).await?;
            gone += unlinked;
        }
        Ok(gone)
    }
}

#[async_trait]
impl Shelf for RedisShelf {
    async fn salt(&self, repo: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.link.command(cmd("GET").arg(self.keys.salt(repo))).await
    }

    async fn salt_or(&self, repo: &str, fresh: Vec<u8>, _now: i64) -> Result<Vec<u8>, StoreError> {
        let key = self.keys.salt(repo);
        let mut pipe = pipe();
        pipe.atomic();
        pipe.cmd("SET").arg(&key).arg(fresh).arg("NX").arg("PX").arg(millis(MAX_TTL)).ignore();
        pipe.get(&key);
        let [salt]: [Vec<u8>; 1] = self.link.pipe(&pipe).await?;
        Ok(salt)
    }

    async fn owners(&self, _now: i64) -> Result<Vec<String>, StoreError> {
        let mut owners = BTreeSet::new();
        for pattern in [self.keys.salt("*"), self.keys.index("*", "*")] {
            let mut cursor = "0".to_owned();
            loop {
                let scan = cmd("SCAN")
                    .arg(&cursor)
                    .arg("MATCH")
                    .arg(&pattern)
                    .arg("COUNT")
                    .arg(PAGE)
                    .take();
                let (next, found): (String, Vec<String>) = self.link.command(&scan).await?;
                owners.extend(found.iter().filter_map(|key| self.keys.owner(key)));
                if next == "0" {
                    break;
                }
                cursor = next;
            }
        }
        Ok(owners.into_iter().collect())
    }

    async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        let Entry { place, name, value, now, expires, over, salt } = entry;
        let key = |name: &[u8]| self.keys.value(&place.repo, place.kind, name);
        // What was overwritten meanwhile must not be taken for what never was.
        let again = match over {
            Over::This { .. } => Again::IfUnsent,
            Over::Anything | Over::Nothing => Again::Harmless,
        };
        let (must, there, bytes) = match over {
            Over::Anything => ("anything", name.clone(), Vec::new()),
            Over::Nothing => ("nothing", name.clone(), Vec::new()),
            Over::This { name, value } => ("this", name, value),
        };
        let mut call = PUT.prepare_invoke();
        call.key(self.keys.salt(&place.repo)).key(self.keys.index(&place.repo, place.kind));
        call.key(key(&name)).key(key(&there));
        call.arg(salt).arg(millis(MAX_TTL)).arg(name).arg(value).arg(expires - now);
        call.arg(expires).arg(now).arg(must).arg(there).arg(bytes);
        match self.link.script::<i64>(&call, again).await? {
            0 => Ok(Put::Unsalted),
            1 => Ok(Put::Kept),
            _ => Ok(Put::Occupied),
        }
    }

    async fn get(
        &self,
        place: &Place,
        names: Vec<Vec<u8>>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        self.link.command(cmd("MGET").arg(self.value_keys(place, &names))).await
    }

    async fn remove(&self, place: &Place, names: Vec<Vec<u8>>) -> Result<(), StoreError> {
        self.unlink(place, &names).await.map(drop)
    }

    async fn names(&self, place: &Place, now: i64) -> Result<Vec<Vec<u8>>, StoreError> {
        let index = self.keys.index(&place.repo, place.kind);
        self.link.command(cmd("ZRANGEBYSCORE").arg(index).arg(format!("({now}")).arg("+inf")).await
    }

    async fn destroy(&self, repo: &str, now: i64) -> Result<Destroyed, StoreError> {
        self.link.command::<()>(cmd("DEL").arg(self.keys.salt(repo))).await?;
        // Name by name: what is written meanwhile has a new salt, and stays in the index.
        let mut destroyed = Destroyed::new();
        for kind in KINDS {
            let place = Place { repo: repo.to_owned(), kind };
            let live = self.names(&place, now).await?;
            let gone = self.unlink(&place, &live).await?;
            if gone > 0 {
                destroyed.insert(kind.to_owned(), gone);
            }
            let expired =
                cmd("ZRANGEBYSCORE").arg(self.keys.index(repo, kind)).arg("-inf").arg(now).take();
            let expired: Vec<Vec<u8>> = self.link.command(&expired).await?;
            self.unlink(&place, &expired).await?;
        }
        Ok(destroyed)
    }
}
