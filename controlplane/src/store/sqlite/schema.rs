//! The schema and how it came to be: numbered steps, each applied once, in a transaction.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::store::{Rev, StoreError};

/// What a store says of itself when opened.
pub(super) struct Opened {
    pub(super) head: Rev,
    pub(super) epoch: u64,
}

/// Applies the steps this database has not seen. Refuses one from a newer release.
pub(super) fn migrate(connection: &mut Connection) -> Result<Opened, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT",
    )?;
    let found: Option<u32> = transaction
        .query_row("SELECT max(version) FROM schema_version", [], |r| r.get(0))
        .optional()?
        .flatten();
    let found = found.unwrap_or(0);
    let known = STEPS.len() as u32;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (index, step) in STEPS.iter().enumerate().skip(found as usize) {
        transaction.execute_batch(step)?;
        transaction.execute("INSERT INTO schema_version VALUES (?1)", [index as u32 + 1])?;
    }
    let epoch: Option<u64> = transaction
        .query_row("SELECT value FROM meta WHERE name = 'epoch'", [], |r| r.get(0))
        .optional()?;
    let epoch = match epoch {
        Some(epoch) => epoch,
        None => begin_epoch(&transaction)?,
    };
    let head = head(&transaction)?;
    transaction.commit()?;
    Ok(Opened { head, epoch })
}

/// A new epoch, larger than the one before: the time in milliseconds, so that independent stores differ too.
pub(super) fn begin_epoch(connection: &Connection) -> rusqlite::Result<u64> {
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    connection.query_row(
        "INSERT INTO meta VALUES ('epoch', ?1) ON CONFLICT (name) DO UPDATE SET value = max(value + 1, ?1) \
         RETURNING value",
        [now],
        |r| r.get(0),
    )
}

/// The newest revision.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Rev> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'rev'")?
        .query_row([], |r| r.get(0))
}

/// Never edit a step that was released: add one.
const STEPS: &[&str] = &["
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('rev', 0);
    CREATE TABLE row (key TEXT PRIMARY KEY, value BLOB NOT NULL, rev INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE change (
        rev INTEGER PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, digest BLOB
    ) STRICT;
    -- written: seconds since 1970, for the grace of a later collection
    CREATE TABLE blob (
        hash BLOB NOT NULL, chunk INTEGER NOT NULL, data BLOB NOT NULL, written INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX blob_chunk ON blob (hash, chunk);
"];
