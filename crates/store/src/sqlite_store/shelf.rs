//! Sealed values on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{Destroyed, StoreError};
use rusqlite::{OptionalExtension as _, params};

use super::Desks;
use crate::{
    config::{MAX_TTL, millis},
    shelf::{Entry, Over, Place, Put, Shelf},
};

pub(super) struct SqliteShelf(pub(super) Arc<Desks>);

const SALT: &str = "SELECT salt FROM salts WHERE repo = ?1";

#[async_trait]
impl Shelf for SqliteShelf {
    async fn salt(&self, repo: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let repo = repo.to_owned();
        let salt = self.0.reader.ask(move |connection| {
            connection.prepare_cached(SALT)?.query_row([repo], |row| row.get(0)).optional()
        });
        salt.await
    }

    async fn salt_or(&self, repo: &str, fresh: Vec<u8>, now: i64) -> Result<Vec<u8>, StoreError> {
        if let Some(salt) = self.salt(repo).await? {
            return Ok(salt);
        }
        let repo = repo.to_owned();
        let salt = self.0.writer.ask(move |connection| {
            connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO salts (repo, salt, expires) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![repo, fresh, now + millis(MAX_TTL)])?;
            connection.prepare_cached(SALT)?.query_row([repo], |row| row.get(0))
        });
        salt.await
    }

    async fn repos(&self, now: i64) -> Result<Vec<String>, StoreError> {
        let repos = self.0.reader.ask(move |connection| {
            connection
                .prepare_cached("SELECT repo FROM salts WHERE expires > ?1")?
                .query_map([now], |row| row.get(0))?
                .collect()
        });
        repos.await
    }

    async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        let kept = self.0.writer.ask(move |connection| {
            let Entry { place: Place { repo, kind }, name, value, now, expires, over, salt } =
                entry;
            let known = connection
                .prepare_cached("UPDATE salts SET expires = ?3 WHERE repo = ?1 AND salt = ?2")?
                .execute(params![repo, salt, now + millis(MAX_TTL)])?;
            if known == 0 {
                return Ok(Put::Destroyed);
            }
            let changed = match over {
                Over::Anything => connection
                    .prepare_cached(
                        "INSERT INTO sealed (repo, kind, name, expires, value)
                         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
                         SET expires = excluded.expires, value = excluded.value",
                    )?
                    .execute(params![repo, kind, name, expires, value])?,
                Over::Nothing => connection
                    .prepare_cached(
                        "INSERT INTO sealed (repo, kind, name, expires, value)
                         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
                         SET expires = excluded.expires, value = excluded.value
                         WHERE sealed.expires <= ?6",
                    )?
                    .execute(params![repo, kind, name, expires, value, now])?,
                Over::This(before) => connection
                    .prepare_cached(
                        "UPDATE sealed SET expires = ?4, value = ?5
                         WHERE repo = ?1 AND kind = ?2 AND name = ?3 AND value = ?6",
                    )?
                    .execute(params![repo, kind, name, expires, value, before])?,
            };
            Ok(if changed == 0 { Put::Left } else { Put::Kept })
        });
        kept.await
    }

    async fn get(
        &self,
        place: &Place,
        names: Vec<Vec<u8>>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let Place { repo, kind } = place.clone();
        let values = self.0.reader.ask(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT value FROM sealed WHERE repo = ?1 AND kind = ?2 AND name = ?3",
            )?;
            let mut value =
                |name| find.query_row(params![repo, kind, name], |row| row.get(0)).optional();
            names.iter().map(&mut value).collect()
        });
        values.await
    }

    async fn remove(&self, place: &Place, names: Vec<Vec<u8>>) -> Result<(), StoreError> {
        let Place { repo, kind } = place.clone();
        let removed = self.0.writer.ask(move |connection| {
            let mut remove = connection
                .prepare_cached("DELETE FROM sealed WHERE repo = ?1 AND kind = ?2 AND name = ?3")?;
            for name in names {
                remove.execute(params![repo, kind, name])?;
            }
            Ok(())
        });
        removed.await
    }

    async fn names(&self, place: &Place, now: i64) -> Result<Vec<Vec<u8>>, StoreError> {
        let Place { repo, kind } = place.clone();
        let names = self.0.reader.ask(move |connection| {
            connection
                .prepare_cached(
                    "SELECT name FROM sealed WHERE repo = ?1 AND kind = ?2 AND expires > ?3",
                )?
                .query_map(params![repo, kind, now], |row| row.get(0))?
                .collect()
        });
        names.await
    }

    async fn destroy(&self, repo: &str) -> Result<Destroyed, StoreError> {
        let repo = repo.to_owned();
        let destroyed = self.0.writer.ask_and_settle(move |connection| {
            let counts = connection
                .prepare_cached("SELECT kind, COUNT(*) FROM sealed WHERE repo = ?1 GROUP BY kind")?
                .query_map([&repo], |row| Ok((row.get(0)?, row.get::<_, u32>(1)?.into())))?
                .collect::<Result<Destroyed, _>>()?;
            connection.prepare_cached("DELETE FROM salts WHERE repo = ?1")?.execute([&repo])?;
            connection.prepare_cached("DELETE FROM sealed WHERE repo = ?1")?.execute([&repo])?;
            Ok(counts)
        });
        destroyed.await
    }
}
