//! Threads that own a connection and take work through a bounded channel.
//!
//! The writer takes all the work that waits, does it in one transaction, and answers when that is
//! on disk: one fsync for many answers, and no answer without one.

use std::{thread, time::Duration};

use chaffinch_core::StoreError;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::sweep;

/// How much work may wait, and how long for a place in the line.
const WAITING: usize = 1024;
const PATIENCE: Duration = Duration::from_secs(5);
/// How much work goes into one transaction.
const BATCH: usize = 256;
/// How long a connection waits while another process writes.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How often the log is tried to be emptied, how long each try holds up other work, and how long other
/// work has its turn in between.
const SETTLE_TRIES: u32 = 20;
const SETTLE_WAIT: Duration = Duration::from_millis(250);
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

const UNSETTLED: &str = "it is done, but what was there before still lies in the store's log, \
                         because another process reads it: do it again when that one has ended";

trait Work: Send {
    /// Answers whether it went well; if not, what it did is undone.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Whether the log is to be emptied before the answer.
    fn settles(&self) -> bool;
    /// `committed`: whether it is durable, and then whether the log was emptied.
    fn answer(self: Box<Self>, committed: Result<bool, StoreError>);
}

struct Errand<T, F> {
    work: Option<F>,
    settles: bool,
    result: Result<T, StoreError>,
    reply: oneshot::Sender<Result<(T, bool), StoreError>>,
}

impl<T, F> Work for Errand<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        if let Some(work) = self.work.take() {
            self.result = work(connection).map_err(|error| sql_error(&error));
        }
        self.result.is_ok()
    }

    fn settles(&self) -> bool {
        self.settles
    }

    fn answer(self: Box<Self>, committed: Result<bool, StoreError>) {
        let Self { result, reply, .. } = *self;
        // Whoever asked may have left meanwhile.
        let _ = reply.send(committed.and_then(|settled| Ok((result?, settled))));
    }
}

/// A connection behind a line of work. Dropping it finishes the work and closes the connection.
pub(super) struct Desk {
    line: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Desk {
    /// Work in transactions, swept now and then. `now` is in milliseconds.
    pub(super) fn writer(
        connection: Connection,
        now: impl Fn() -> i64 + Send + 'static,
    ) -> Result<Self, StoreError> {
        Self::open("store-writer", move |mut line| {
            let mut sweeper = sweep::Sweeper::default();
            while let Some(first) = line.blocking_recv() {
                let mut batch = vec![first];
                while batch.len() < BATCH
                    && let Ok(next) = line.try_recv()
                {
                    batch.push(next);
                }
                let count = batch.len();
                write(&connection, batch);
                sweeper.after(count, &connection, &now);
            }
        })
    }

    /// Work that only reads, each piece by itself.
    pub(super) fn reader(connection: Connection) -> Result<Self, StoreError> {
        Self::open("store-reader", move |mut line| {
            while let Some(mut work) = line.blocking_recv() {
                work.run(&connection);
                work.answer(Ok(false));
            }
        })
    }

    fn open(
        name: &str,
        run: impl FnOnce(mpsc::Receiver<Box<dyn Work>>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (line, waiting) = mpsc::channel(WAITING);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(waiting))
            .map_err(|_| StoreError::Unavailable("no thread for the store".into()))?;
        Ok(Self { line: Some(line), thread: Some(thread) })
    }

    /// Has `work` done, and waits until that is durable.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.send(work, false).await.map(|(result, _)| result)
    }

    /// The same, and empties the log, so that what was overwritten in the file does not live on
    /// there.
    pub(super) async fn ask_and_settle<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (result, mut settled) = self.send(work, true).await?;
        for _ in 1..SETTLE_TRIES {
            if settled {
                break;
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
            (_, settled) = self.send(|_| Ok(()), true).await?;
        }
        if settled { Ok(result) } else { Err(StoreError::Unavailable(UNSETTLED.into())) }
    }

    async fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        settles: bool,
    ) -> Result<(T, bool), StoreError> {
        let gone = || StoreError::Unavailable("the store has stopped".into());
        let (reply, answer) = oneshot::channel();
        let undone = Err(StoreError::Unavailable("the store could not begin to write".into()));
        let errand = Box::new(Errand { work: Some(work), settles, result: undone, reply });
        let line = self.line.as_ref().ok_or_else(gone)?;
        match tokio::time::timeout(PATIENCE, line.send(errand)).await {
            Ok(Ok(())) => answer.await.map_err(|_| gone())?,
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(StoreError::Unavailable("too much waits to be stored".into())),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.line.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

fn write(connection: &Connection, mut batch: Vec<Box<dyn Work>>) {
    let done = transact(connection, &mut batch);
    let (settling, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|work| work.settles());
    for work in others {
        work.answer(done.clone().map(|()| false));
    }
    if settling.is_empty() {
        return;
    }
    let done = done.and_then(|()| settle(connection));
    for work in settling {
        work.answer(done.clone());
    }
}

fn transact(connection: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
    let execute = |sql: &str| {
        connection.prepare_cached(sql).and_then(|mut s| s.execute([])).map_err(|e| sql_error(&e))
    };
    execute("BEGIN IMMEDIATE")?;
    let done = each(connection, batch, &execute).and_then(|()| execute("COMMIT").map(drop));
    if done.is_err() && !connection.is_autocommit() {
        let _ = execute("ROLLBACK");
    }
    done
}

fn each(
    connection: &Connection,
    batch: &mut [Box<dyn Work>],
    execute: &impl Fn(&str) -> Result<usize, StoreError>,
) -> Result<(), StoreError> {
    for work in batch {
        // One piece that fails must not leave half of itself in the others' transaction.
        execute("SAVEPOINT one")?;
        let well = work.run(connection);
        if connection.is_autocommit() {
            return Err(StoreError::Unavailable("the store could not write".into()));
        }
        if !well {
            execute("ROLLBACK TO one")?;
        }
        execute("RELEASE one")?;
    }
    Ok(())
}

/// Empties the log. False if another process reads an older state, or empties the log itself.
fn settle(connection: &Connection) -> Result<bool, StoreError> {
    let checkpoint = || {
        connection.busy_timeout(SETTLE_WAIT)?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let blocked = connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        connection.busy_timeout(BUSY_WAIT)?;
        blocked
    };
    match checkpoint() {
        Ok(blocked) => Ok(!blocked),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
        Err(error) => Err(sql_error(&error)),
    }
}

/// Keeps the kind of an error and drops its text, which may quote what was written.
pub(super) fn sql_error(error: &rusqlite::Error) -> StoreError {
    let Some(code) = error.sqlite_error_code() else {
        return StoreError::Other("sqlite: an unexpected value".into());
    };
    match code {
        ErrorCode::DiskFull => StoreError::Unavailable("the disk is full".into()),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory => StoreError::Unavailable(format!("sqlite: {code:?}")),
        code => StoreError::Other(format!("sqlite: {code:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Desk {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (n INTEGER UNIQUE, x BLOB); PRAGMA max_page_count = 20;")
            .unwrap();
        // A clock that stands still; the tests do not come to a sweep.
        Desk::writer(connection, || 0).unwrap()
    }

    async fn insert(desk: &Desk, n: i64, bytes: usize) -> Result<usize, StoreError> {
        desk.ask(move |c| c.execute("INSERT INTO t VALUES (?1, ?2)", (n, vec![7u8; bytes]))).await
    }

    async fn count(desk: &Desk) -> i64 {
        desk.ask(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get(0))).await.unwrap()
    }

    #[tokio::test]
    async fn work_that_fails_is_undone_and_does_not_spoil_the_others() {
        let desk = desk();
        let half = desk.ask(|c| {
            c.execute("INSERT INTO t VALUES (1, NULL)", [])?;
            c.execute("INSERT INTO t VALUES (2, NULL)", [])?;
            c.execute("INSERT INTO t VALUES (1, NULL)", [])
        });
        let (half, before, after) = tokio::join!(half, insert(&desk, 8, 1), insert(&desk, 9, 1));
        assert!(matches!(half, Err(StoreError::Other(_))), "{half:?}");
        assert!(before.is_ok() && after.is_ok());
        assert_eq!(count(&desk).await, 2);
    }

    #[tokio::test]
    async fn a_full_disk_is_unavailable_and_the_store_goes_on() {
        let desk = desk();
        insert(&desk, 1, 10).await.unwrap();
        let full = insert(&desk, 2, 1 << 20).await;
        assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
        insert(&desk, 3, 10).await.unwrap();
        assert_eq!(count(&desk).await, 2);
    }

    #[tokio::test]
    async fn a_store_that_has_stopped_says_so() {
        let desk = desk();
        let died = desk.ask(|_| -> rusqlite::Result<()> { panic!("a bug") }).await;
        assert!(matches!(died, Err(StoreError::Unavailable(_))), "{died:?}");
        let next = insert(&desk, 1, 1).await;
        assert!(matches!(next, Err(StoreError::Unavailable(_))), "{next:?}");
    }
}
