//! The queue on SQLite: one table, and a lease is a row's own deadline.

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{
    Acked, Clock, Enqueued, Entropy, Job, Lease, Queue, QueueDepth, RepoId, StoreError,
};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Desks;
use crate::{
    cabinet::time,
    config::{MAX_RETRY_DELAY, QUEUE_KEEP, QueueConfig, millis, refused},
    stored::{self, Marks, Token},
};

const NEXT: &str = "
SELECT id, job, attempt FROM jobs AS due
WHERE due <= ?1 AND (until IS NULL OR until <= ?1)
  AND NOT EXISTS (SELECT 1 FROM jobs AS busy WHERE busy.lane = due.lane AND busy.until > ?1)
ORDER BY id LIMIT 1";

const KNOWN: &str = "
SELECT EXISTS (SELECT 1 FROM jobs WHERE work = ?1)
    OR EXISTS (SELECT 1 FROM jobs WHERE delivery = ?2)
    OR EXISTS (SELECT 1 FROM seen WHERE mark IN (?1, ?2) AND expires > ?3)";

pub(super) struct SqliteQueue {
    pub(super) desks: Arc<Desks>,
    pub(super) config: QueueConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

/// A lease as the table knows it, and the time at which it must still hold.
#[derive(Clone)]
struct Held {
    id: i64,
    random: String,
    now: i64,
}

impl SqliteQueue {
    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// The repositories that dead letters are of, by the names of then.
    pub(super) async fn buried(&self) -> Result<Vec<RepoId>, StoreError> {
        let letters = self.desks.reader.ask(|connection| {
            connection
                .prepare_cached("SELECT job, repo FROM dead ORDER BY id")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        });
        let letters: Vec<(String, String)> = letters.await?;
        let repo = |(job, key): &(String, String)| {
            stored::decode(job).map(|job| job.repo).or_else(|| RepoId::of_key(key))
        };
        Ok(letters.iter().filter_map(repo).collect())
    }

    /// Removes the dead letters of a repository; how many.
    pub(super) async fn forget(&self, repo: &RepoId) -> Result<u64, StoreError> {
        let repo = repo.key();
        let forgotten = self.desks.writer.ask(move |connection| {
            connection.prepare_cached("DELETE FROM dead WHERE repo = ?1")?.execute([repo])
        });
        forgotten.await.map(|count| count as u64)
    }

    /// Jobs are taken and worked off by the one that has the lock.
    fn ours(&self) -> Result<(), StoreError> {
        match self.desks.lock {
            Some(_) => Ok(()),
            None => Err(refused("jobs are the server's; this store was opened beside it")),
        }
    }

    /// `None` if the token is none of ours.
    fn held(&self, lease: &Lease) -> Option<Held> {
        let token = Token::parse(&lease.token)?;
        Some(Held { id: token.id.parse().ok()?, random: token.random.to_owned(), now: self.now() })
    }
}

/// SQL counts in signed numbers.
fn count(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn remember(connection: &Connection, mark: &str, expires: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO seen (mark, expires) VALUES (?1, ?2)")?
        .execute(params![mark, expires])
        .map(drop)
}

fn bury(connection: &Connection, held: &Held, why: &str, max_dead: i64) -> rusqlite::Result<bool> {
    let gone = connection
        .prepare_cached(
            "DELETE FROM jobs WHERE id = ?1 AND token = ?2 AND until > ?3 RETURNING job, attempt, repo",
        )?
        .query_row(params![held.id, held.random, held.now], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((job, attempt, repo)) = gone else { return Ok(false) };
    connection
        .prepare_cached(
            "INSERT INTO dead (job, repo, why, attempt, at, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![job, repo, why, attempt, held.now, held.now + millis(QUEUE_KEEP)])?;
    connection
        .prepare_cached("DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?1")?
        .execute([max_dead])?;
    Ok(true)
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn enqueue(&self, job: &Job) -> Result<Enqueued, StoreError> {
        self.ours()?;
        let text =
            stored::encode(job).map_err(|_| StoreError::Other("a job cannot be written".into()))?;
        let (marks, repo, lane) = (Marks::of(job), job.repo.key(), job.lane());
        let (now, max_jobs) = (self.now(), count(self.config.max_jobs));
        let outcome = self.desks.writer.ask(move |connection| {
            let known: bool = connection
                .prepare_cached(KNOWN)?
                .query_row(params![marks.work, marks.delivery, now], |row| row.get(0))?;
            if known {
                return Ok(Some(Enqueued::Duplicate));
            }
            let jobs: i64 = connection
                .prepare_cached("SELECT value FROM facts WHERE name = 'jobs'")?
                .query_row([], |row| row.get(0))?;
            if jobs >= max_jobs {
                return Ok(None);
            }
            connection
                .prepare_cached(
                    "INSERT INTO jobs (job, repo, lane, work, delivery, due, expires)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    text,
                    repo,
                    lane,
                    marks.work,
                    marks.delivery,
                    now,
                    now + millis(QUEUE_KEEP)
                ])?;
            Ok(Some(Enqueued::New))
        });
        outcome.await?.ok_or_else(|| StoreError::Unavailable("the queue is full".into()))
    }

    async fn lease(&self) -> Result<Option<Lease>, StoreError> {
        self.ours()?;
        let (now, random) = (self.now(), self.entropy.hex(16));
        let until = now + millis(self.config.lease);
        let max_dead = count(self.config.max_dead);
        let leased = self.desks.writer.ask(move |connection| {
            loop {
                let next = connection
                    .prepare_cached(NEXT)?
                    .query_row([now], |row| {
                        let attempt: u32 = row.get(2)?;
                        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, attempt + 1))
                    })
                    .optional()?;
                let Some((id, text, attempt)) = next else { return Ok(None) };
                connection
                    .prepare_cached(
                        "UPDATE jobs SET attempt = ?2, token = ?3, until = ?4, expires = ?5
                         WHERE id = ?1",
                    )?
                    .execute(params![id, attempt, random, until, now + millis(QUEUE_KEEP)])?;
                if let Some(job) = stored::decode(&text) {
                    let token = Token::write(id, &random);
                    return Ok(Some(Lease { job, attempt, token, until: time(until) }));
                }
                tracing::warn!("a queued job cannot be read; it goes to the dead letters");
                let held = Held { id, random: random.clone(), now };
                bury(connection, &held, "the job cannot be read", max_dead)?;
            }
        });
        leased.await
    }

    async fn extend(&self, lease: &Lease) -> Result<bool, StoreError> {
        self.ours()?;
        let Some(held) = self.held(lease) else { return Ok(false) };
        let until = held.now + millis(self.config.lease);
        let extended = self.desks.writer.ask(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE jobs SET until = ?4, expires = ?5
                     WHERE id = ?1 AND token = ?2 AND until > ?3",
                )?
                .execute(params![
                    held.id,
                    held.random,
                    held.now,
                    until,
                    held.now + millis(QUEUE_KEEP)
                ])
        });
        Ok(extended.await? > 0)
    }

    async fn ack(&self, lease: &Lease, outcome: Acked) -> Result<bool, StoreError> {
        self.ours()?;
        let Some(held) = self.held(lease) else { return Ok(false) };
        let expires = held.now + millis(self.config.seen_ttl);
        let done = self.desks.writer.ask(move |connection| {
            let marks = connection
                .prepare_cached(
                    "DELETE FROM jobs WHERE id = ?1 AND token = ?2 AND until > ?3
                     RETURNING work, delivery",
                )?
                .query_row(params![held.id, held.random, held.now], |row| {
                    Ok(Marks { work: row.get(0)?, delivery: row.get(1)? })
                })
                .optional()?;
            let Some(marks) = marks else { return Ok(false) };
            remember(connection, &marks.delivery, expires)?;
            match outcome {
                Acked::Done => remember(connection, &marks.work, expires)?,
                Acked::Nothing => {
                    connection
                        .prepare_cached("DELETE FROM seen WHERE mark = ?1")?
                        .execute([marks.work])?;
                }
            }
            Ok(true)
        });
        done.await
    }

    async fn retry(&self, lease: &Lease, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.ours()?;
        let due = at.timestamp_millis();
        if due > self.now() + millis(MAX_RETRY_DELAY) {
            return Err(refused("a job may be put off by 7 days at most"));
        }
        let Some(held) = self.held(lease) else { return Ok(false) };
        let put_off = self.desks.writer.ask(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE jobs SET due = ?4, token = NULL, until = NULL, expires = ?5
                     WHERE id = ?1 AND token = ?2 AND until > ?3",
                )?
                .execute(params![
                    held.id,
                    held.random,
                    held.now,
                    due,
                    held.now + millis(QUEUE_KEEP)
                ])
        });
        Ok(put_off.await? > 0)
    }

    async fn bury(&self, lease: &Lease, why: &str) -> Result<bool, StoreError> {
        self.ours()?;
        let Some(held) = self.held(lease) else { return Ok(false) };
        let (why, max_dead) = (stored::why(why), count(self.config.max_dead));
        self.desks.writer.ask(move |connection| bury(connection, &held, &why, max_dead)).await
    }

    async fn depth(&self) -> Result<QueueDepth, StoreError> {
        let now = self.now();
        let depth = self.desks.reader.ask(move |connection| {
            connection
                .prepare_cached(
                    "SELECT count(*) FILTER (WHERE due <= ?1 AND coalesce(until, 0) <= ?1),
                            count(*) FILTER (WHERE until > ?1),
                            count(*) FILTER (WHERE due > ?1 AND coalesce(until, 0) <= ?1),
                            (SELECT count(*) FROM dead WHERE expires > ?1)
                     FROM jobs",
                )?
                .query_row([now], |row| {
                    let column = |at| row.get::<_, u32>(at).map(u64::from);
                    Ok(QueueDepth {
                        ready: column(0)?,
                        leased: column(1)?,
                        delayed: column(2)?,
                        dead: column(3)?,
                    })
                })
        });
        depth.await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let now = self.now();
        let wrote = self.desks.writer.ask(move |connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO facts VALUES ('probe', ?1)")?
                .execute([now])
        });
        wrote.await.map(drop)
    }
}
