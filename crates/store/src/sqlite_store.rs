//! The store for one server: SQLite, one durable file.

mod audit;
mod desk;
mod queue;
mod schema;
mod shelf;
mod sweep;

use std::{fmt, fs::File, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use chaffinch_core::{
    Acked, Audit, Book, Chain, ChangeId, Clock, Destroyed, Enqueued, Entropy, Job, Lease, Ledger,
    Page, Queue, QueueDepth, Receipt, Receipts, RepoId, Settled, SourceBytes, StoreError, Stored,
    Vault, VaultKind,
};
use chrono::{DateTime, Utc};
use rusqlite::Connection;

use self::{
    desk::{Desk, sql_error},
    queue::SqliteQueue,
    shelf::SqliteShelf,
};
use crate::{Sealer, cabinet::Cabinet, config::QueueConfig, ports::store_ports};

/// Queue, vault, ledger and receipts in one SQLite file.
#[derive(Clone)]
pub struct SqliteStore {
    queue: Arc<SqliteQueue>,
    cabinet: Arc<Cabinet>,
}

/// The file's two connections, and the lock that keeps other servers out. The lock is last, so
/// that it goes last; the writer closes the file properly if it goes after the reader.
struct Desks {
    reader: Desk,
    writer: Desk,
    /// None beside the one that has it.
    lock: Option<File>,
}

impl SqliteStore {
    /// Opens the file at `path`, making it if it is not there, readable by its owner alone.
    ///
    /// The file is ours until the last clone is dropped, which waits for what is being written.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if another process has it open, if it is none of ours, if a newer
    /// version wrote it, or if it cannot be opened; the text says which, and what to do.
    pub fn open(
        path: impl AsRef<Path>,
        config: QueueConfig,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        config.check()?;
        let path = path.as_ref();
        let lock = schema::lock(path)?;
        let connection = schema::open_writer(path)?;
        sweep::all(&connection, clock.now().timestamp_millis()).map_err(|e| sql_error(&e))?;
        Self::over(path, connection, Some(lock), config, sealer, clock, entropy)
    }

    /// Opens the file at `path` beside a server that may have it open, for a command that looks
    /// something up, enables, or destroys. What either writes, the other sees at once. Jobs are the
    /// server's alone: of the queue only [`Queue::depth`] and [`Queue::ready`] work here, and
    /// [`Vault::destroy`] takes dead letters.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is no such file, if it is none of ours, or if a newer version
    /// wrote it; the text says which, and what to do.
    pub fn beside(
        path: impl AsRef<Path>,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let connection = schema::open_beside(path)?;
        Self::over(path, connection, None, QueueConfig::default(), sealer, clock, entropy)
    }

    fn over(
        path: &Path,
        connection: Connection,
        lock: Option<File>,
        config: QueueConfig,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let time = Arc::clone(&clock);
        let desks = Arc::new(Desks {
            reader: Desk::reader(schema::open_reader(path)?)?,
            writer: Desk::writer(connection, move || time.now().timestamp_millis())?,
            lock,
        });
        let shelf = Arc::new(SqliteShelf(Arc::clone(&desks)));
        let cabinet = Cabinet::new(shelf, sealer, Arc::clone(&clock), Arc::clone(&entropy));
        let queue = SqliteQueue { desks, config, clock, entropy };
        Ok(Self { queue: Arc::new(queue), cabinet: Arc::new(cabinet) })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore(..)")
    }
}

#[async_trait]
impl Audit for SqliteStore {
    async fn walk(&self, each: &mut (dyn FnMut(Stored) + Send)) -> Result<(), StoreError> {
        let SqliteQueue { desks, clock, .. } = &*self.queue;
        audit::walk(desks, clock.now().timestamp_millis(), &self.cabinet, each).await
    }
}

store_ports!(SqliteStore);
