//! Sealed values on Redis: one key a value, and an index of their names.

use std::sync::LazyLock;

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

/// Keeps a value in one step.
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

    async fn repos(&self, _now: i64) -> Result<Vec<String>, StoreError> {
        let mut repos = Vec::new();
        let mut cursor = "0".to_owned();
        loop {
            let pattern = self.keys.salt("*");
            let scan =
                cmd("SCAN").arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE).take();
            let (next, found): (String, Vec<String>) = self.link.command(&scan).await?;
            repos.extend(found.iter().filter_map(|key| self.keys.repo_of_salt(key)));
            if next == "0" {
                // A key may be told of twice.
                repos.sort_unstable();
                repos.dedup();
                return Ok(repos);
            }
            cursor = next;
        }
    }

    async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        let Entry { place, name, value, now, expires, over, salt } = entry;
        let mut call = PUT.prepare_invoke();
        call.key(self.keys.salt(&place.repo))
            .key(self.keys.value(&place.repo, place.kind, &name))
            .key(self.keys.index(&place.repo, place.kind))
            .arg(salt)
            .arg(value)
            .arg(name)
            .arg(now)
            .arg(expires)
            .arg(millis(MAX_TTL));
        match over {
            Over::Anything => call.arg("anything"),
            Over::Nothing => call.arg("nothing"),
            Over::This(before) => call.arg("this").arg(before),
        };
        // Whoever is told that something else lies there reads it, and may find that it is their own.
        let answer: u8 = self.link.script(&call, Again::Harmless).await?;
        Ok(match answer {
            0 => Put::Kept,
            1 => Put::Left,
            _ => Put::Destroyed,
        })
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
        if names.is_empty() {
            return Ok(());
        }
        let mut pipe = pipe();
        pipe.atomic();
        pipe.cmd("UNLINK").arg(self.value_keys(place, &names)).ignore();
        pipe.cmd("ZREM").arg(self.keys.index(&place.repo, place.kind)).arg(names).ignore();
        self.link.pipe(&pipe).await
    }

    async fn names(&self, place: &Place, now: i64) -> Result<Vec<Vec<u8>>, StoreError> {
        let index = self.keys.index(&place.repo, place.kind);
        self.link.command(cmd("ZRANGEBYSCORE").arg(index).arg(format!("({now}")).arg("+inf")).await
    }

    async fn destroy(&self, repo: &str) -> Result<Destroyed, StoreError> {
        self.link.command::<()>(cmd("DEL").arg(self.keys.salt(repo))).await?;
        let mut destroyed = Destroyed::new();
        // Name by name: what is written meanwhile has a new salt, and stays in the index.
        for kind in KINDS {
            let place = Place { repo: repo.to_owned(), kind };
            let names = self.names(&place, i64::MIN).await?;
            if !names.is_empty() {
                destroyed.insert(kind.to_owned(), names.len() as u64);
            }
            for page in names.chunks(PAGE) {
                self.remove(&place, page.to_vec()).await?;
            }
        }
        Ok(destroyed)
    }
}
