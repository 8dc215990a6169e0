//! Sealed values on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{Destroyed, StoreError};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Desks;
use crate::{
    config::{MAX_TTL, millis},
    shelf::{Entry, Over, Place, Put, Shelf},
};

pub(super) struct SqliteShelf(pub(super) Arc<Desks>);

const SALT: &str = "SELECT salt FROM salts WHERE repo = ?1";
const VALUE: &str = "SELECT value FROM sealed WHERE repo = ?1 AND kind = ?2 AND name = ?3";
const REMOVE: &str = "DELETE FROM sealed WHERE repo = ?1 AND kind = ?2 AND name = ?3";

/// Whether that lies there which must, for a value named `name`; what goes for it is removed.
fn makes_way(
    connection: &Connection,
    Place { repo, kind }: &Place,
    name: &[u8],
    over: &Over,
) -> rusqlite::Result<bool> {
    let mut find = connection.prepare_cached(VALUE)?;
    let mut lies = |name: &[u8]| -> rusqlite::Result<Option<Vec<u8>>> {
        find.query_row(params![repo, kind, name], |row| row.get(0)).optional()
    };
    match over {
        Over::Anything => Ok(true),
        Over::Nothing => Ok(lies(name)?.is_none()),
        Over::This { name: there, value } => {
            if lies(there)?.as_ref() != Some(value) || (there != name && lies(name)?.is_some()) {
                return Ok(false);
            }
            connection.prepare_cached(REMOVE)?.execute(params![repo, kind, there])?;
            Ok(true)
        }
    }
}

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

    async fn owners(&self, now: i64) -> Result<Vec<String>, StoreError> {
        let owners = self.0.reader.ask(move |connection| {
            connection
                .prepare_cached(
                    "SELECT repo FROM salts WHERE expires > ?1 UNION SELECT repo FROM sealed",
                )?
                .query_map([now], |row| row.get(0))?
                .collect()
        });
        owners.await
    }

    async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        let kept = self.0.writer.ask(move |connection| {
            let Entry { place, name, value, now, expires, over, salt } = entry;
            let salted = connection
                .prepare_cached("SELECT 1 FROM salts WHERE repo = ?1 AND salt = ?2")?
                .exists(params![place.repo, salt])?;
            if !salted {
                return Ok(Put::Unsalted);
            }
            if !makes_way(connection, &place, &name, &over)? {
                return Ok(Put::Occupied);
            }
            let Place { repo, kind } = place;
            connection
                .prepare_cached("UPDATE salts SET expires = ?2 WHERE repo = ?1")?
                .execute(params![repo, now + millis(MAX_TTL)])?;
            connection
                .prepare_cached(
                    "INSERT INTO sealed (repo, kind, name, expires, value)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET expires = excluded.expires, value = excluded.value",
                )?
                .execute(params![repo, kind, name, expires, value])?;
            Ok(Put::Kept)
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
            // Of one moment: a value may just move from one of these names to another.
            let _moment = connection.unchecked_transaction()?;
            let mut find = connection.prepare_cached(VALUE)?;
            let mut value =
                |name| find.query_row(params![repo, kind, name], |row| row.get(0)).optional();
            names.iter().map(&mut value).collect()
        });
        values.await
    }

    async fn remove(&self, place: &Place, names: Vec<Vec<u8>>) -> Result<(), StoreError> {
        let Place { repo, kind } = place.clone();
        let removed = self.0.writer.ask(move |connection| {
            let mut remove = connection.prepare_cached(REMOVE)?;
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

    async fn destroy(&self, repo: &str, now: i64) -> Result<Destroyed, StoreError> {
        let repo = repo.to_owned();
        let destroyed = self.0.writer.ask_and_settle(move |connection| {
            let counts = connection
                .prepare_cached(
                    "SELECT kind, count(*) FROM sealed WHERE repo = ?1 AND expires > ?2
                     GROUP BY kind",
                )?
                .query_map(params![repo, now], |row| {
                    Ok((row.get(0)?, u64::from(row.get::<_, u32>(1)?)))
                })?
                .collect::<rusqlite::Result<Destroyed>>()?;
            connection.prepare_cached("DELETE FROM salts WHERE repo = ?1")?.execute([&repo])?;
            connection.prepare_cached("DELETE FROM sealed WHERE repo = ?1")?.execute([&repo])?;
            Ok(counts)
        });
        destroyed.await
    }
}
