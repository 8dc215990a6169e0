//! The file: who may open it, and what is in it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use chaffinch_core::StoreError;
use rusqlite::{Connection, OpenFlags};

use super::desk::{BUSY_WAIT, sql_error};
use crate::config::refused;

/// "CHAF": marks the file as ours.
const APPLICATION: i32 = 0x4348_4146;
/// The schema that this program writes.
const SCHEMA: i32 = 1;

/// Times are milliseconds since 1970. `id` orders jobs by age.
const TABLES: &str = "
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    repo TEXT NOT NULL,
    lane TEXT NOT NULL,
    work TEXT NOT NULL UNIQUE,
    delivery TEXT NOT NULL UNIQUE,
    due INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    until INTEGER,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_leased ON jobs (lane, until) WHERE until IS NOT NULL;
CREATE INDEX jobs_expires ON jobs (expires);
CREATE TABLE seen (mark TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX seen_expires ON seen (expires);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    repo TEXT NOT NULL,
    why TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_expires ON dead (expires);
CREATE TABLE salts (repo TEXT PRIMARY KEY, salt BLOB NOT NULL, expires INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE INDEX salts_expires ON salts (expires);
CREATE TABLE sealed (
    id INTEGER PRIMARY KEY,
    repo TEXT NOT NULL,
    kind TEXT NOT NULL,
    name BLOB NOT NULL,
    expires INTEGER NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (repo, kind, name)
) STRICT;
CREATE INDEX sealed_expires ON sealed (expires);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO facts VALUES ('jobs', 0);
CREATE TRIGGER jobs_more AFTER INSERT ON jobs
    BEGIN UPDATE facts SET value = value + 1 WHERE name = 'jobs'; END;
CREATE TRIGGER jobs_fewer AFTER DELETE ON jobs
    BEGIN UPDATE facts SET value = value - 1 WHERE name = 'jobs'; END;
";

/// Held while the file is ours; the system lets go of it when the process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = private(OpenOptions::new().create(true).truncate(false).write(true))
        .open(&name)
        .map_err(|error| cannot_open(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(refused(format!(
            "{} is in use by another chaffinch: stop that one, or give this one its own file; \
             several processes can share a redis",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(cannot_open(path, &error)),
    }
}

/// Opens the file for writing, making it if it is not there, and brings it to our schema.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let file = private(OpenOptions::new().create(true).truncate(false).write(true).read(true))
        .open(path)
        .map_err(|error| cannot_open(path, &error))?;
    restrict(&file).map_err(|error| cannot_open(path, &error))?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let pages = connection.pragma_query_value(None, "page_count", |row| row.get::<_, i32>(0));
    match pages {
        Ok(0) => create(&connection).map_err(|error| sql_error(&error))?,
        _ => identify(&connection, path)?,
    }
    configure(connection)
}

/// Opens the file for writing, as it is: another process may have it open.
pub(super) fn open_beside(path: &Path) -> Result<Connection, StoreError> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => {
            return Err(refused(format!(
                "there is no {}: nothing was stored there yet, or the server's file is another",
                path.display()
            )));
        }
        Err(error) => return Err(cannot_open(path, &error)),
    }
    let closed = || {
        refused(format!(
            "cannot open {} for writing: run the command as the user that the server runs as",
            path.display()
        ))
    };
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|_| closed())?;
    if connection.is_readonly("main").map_err(|error| sql_error(&error))? {
        return Err(closed());
    }
    identify(&connection, path)?;
    configure(connection)
}

fn configure(connection: Connection) -> Result<Connection, StoreError> {
    // fullfsync matters on macOS alone, where an ordinary fsync leaves data in the disk's cache.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA fullfsync = ON;
             PRAGMA checkpoint_fullfsync = ON;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA secure_delete = ON;",
        )
        .map_err(|error| sql_error(&error))?;
    Ok(connection)
}

/// Opens the file for reading, after [`open_writer`].
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA query_only = ON;").map_err(|error| sql_error(&error))?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || {
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.busy_timeout(BUSY_WAIT)?;
        connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| sql_error(&error))
}

/// Ours, or none of our business.
fn identify(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let not_ours = || refused(format!("{} is not a chaffinch store", path.display()));
    let application = pragma("application_id").map_err(|_| not_ours())?;
    let schema = pragma("user_version").map_err(|_| not_ours())?;
    if application != APPLICATION {
        return Err(not_ours());
    }
    if schema > SCHEMA {
        return Err(refused(format!(
            "{} was written by a newer chaffinch (schema {schema}; this one knows {SCHEMA}): \
             run the newer version, or restore a backup from before it",
            path.display()
        )));
    }
    Ok(())
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    // Before the first table, or it does nothing.
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
    connection.execute_batch(&format!(
        "BEGIN EXCLUSIVE;
         {TABLES}
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {SCHEMA};
         COMMIT;"
    ))
}

fn cannot_open(path: &Path, error: &std::io::Error) -> StoreError {
    refused(format!("cannot open {}: {}", path.display(), error.kind()))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Also for a file that was there before; SQLite gives its companions the same permissions.
#[cfg(unix)]
fn restrict(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_file: &File) -> std::io::Result<()> {
    Ok(())
}
