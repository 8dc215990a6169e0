//! Removes what has expired: at the start, and after a share of the writes.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

/// One sweep for so many writes.
const SHARE: usize = 256;
/// How many rows of a table one sweep removes.
const ROWS: i64 = 1000;
/// How many free pages one sweep gives back to the disk.
const PAGES: usize = 2000;

/// Counts writes.
#[derive(Default)]
pub(super) struct Sweeper {
    writes: usize,
}

impl Sweeper {
    /// To be called after `count` writes.
    pub(super) fn after(&mut self, count: usize, connection: &Connection, now: &impl Fn() -> i64) {
        self.writes += count;
        if self.writes < SHARE {
            return;
        }
        self.writes = 0;
        if once(connection, now()).is_err() {
            tracing::warn!("sweeping the store failed; the next sweep tries again");
        }
    }
}

/// Removes everything that has expired.
pub(super) fn all(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    while once(connection, now)? > 0 {}
    Ok(())
}

/// Removes some of what has expired; answers how many rows.
fn once(connection: &Connection, now: i64) -> rusqlite::Result<usize> {
    // Another process may write, too: who has read first could not write any more after it did.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let mut removed = 0;
    for (table, id) in
        [("sealed", "id"), ("salts", "repo"), ("seen", "mark"), ("dead", "id"), ("jobs", "id")]
    {
        let sql = format!(
            "DELETE FROM {table} WHERE {id} IN
             (SELECT {id} FROM {table} WHERE expires <= ?1 LIMIT ?2)"
        );
        removed += connection.prepare_cached(&sql)?.execute(params![now, ROWS])?;
    }
    if removed > 0 {
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    }
    transaction.commit()?;
    Ok(removed)
}
