//! Sealed values on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::StoreError;
use rusqlite::{OptionalExtension as _, params};

use super::Desks;
use crate::{
    config::{MAX_TTL, millis},
    shelf::{Entry, Place, Shelf},
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

    async fn put(&self, entry: Entry) -> Result<bool, StoreError> {
        let kept = self.0.writer.ask(move |connection| {
            let Entry { place: Place { repo, kind }, name, value, now, expires, once, salt } =
                entry;
            let known = connection
                .prepare_cached("UPDATE salts SET expires = ?3 WHERE repo = ?1 AND salt = ?2")?
                .execute(params![repo, salt, now + millis(MAX_TTL)])?;
            if known == 0 {
                return Ok(false);
            }
            let sql = if once {
                "INSERT INTO sealed (repo, kind, name, expires, value) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING"
            } else {
                "INSERT INTO sealed (repo, kind, name, expires, value) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET expires = excluded.expires, value = excluded.value"
            };
            connection.prepare_cached(sql)?.execute(params![repo, kind, name, expires, value])?;
            Ok(true)
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

    async fn destroy(&self, repo: &str) -> Result<(), StoreError> {
        let repo = repo.to_owned();
        let destroyed = self.0.writer.ask_and_settle(move |connection| {
            connection.prepare_cached("DELETE FROM salts WHERE repo = ?1")?.execute([&repo])?;
            connection.prepare_cached("DELETE FROM sealed WHERE repo = ?1")?.execute([&repo])
        });
        destroyed.await.map(drop)
    }
}
