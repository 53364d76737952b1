//! The embedded backend: one SQLite file, one writer thread, a few reading connections.

mod schema;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Change, ChangeKind, Conflict, DirLock, Logged, Operation, Rev, Row, Store, StoreError, keys,
};
use crate::model::ContentHash;
use writer::Job;

/// Rows, log and blobs in `{directory}/tidegate.db`.
///
/// Reads run on the caller's thread: they touch a few pages of a file that is almost always in memory.
pub struct SqliteStore {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
    path: PathBuf,
    newest: watch::Receiver<Rev>,
    epoch: u64,
    _lock: DirLock,
}

impl SqliteStore {
    /// Opens or creates the store of `directory`, brings its schema up to date and takes the directory's lock.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let lock = DirLock::take(directory)?;
        let path = directory.join(FILE);
        let mut connection = Connection::open(&path)?;
        configure(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An acknowledged operation survives power loss: the log is flushed at every commit.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let opened = schema::migrate(&mut connection)?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (announce, newest) = watch::channel(opened.head);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer::run(connection, queue, opened.head, &announce))?;
        Ok(Self {
            jobs: Some(jobs),
            writer: Some(writer),
            readers: Mutex::new(Vec::new()),
            path,
            newest,
            epoch: opened.epoch,
            _lock: lock,
        })
    }

    /// Starts a new epoch in the closed store of `directory`; to be called after its file was restored from a backup,
    /// so that nodes which saw later revisions do not take ours for old ones.
    pub fn begin_epoch(directory: &Path) -> Result<u64, StoreError> {
        let _lock = DirLock::take(directory)?;
        let mut connection = Connection::open(directory.join(FILE))?;
        configure(&connection)?;
        schema::migrate(&mut connection)?;
        Ok(schema::begin_epoch(&connection)?)
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)?;
                configure(&connection)?;
                connection
            }
        };
        let answer = query(&connection);
        let mut idle = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < READERS {
            idle.push(connection);
        }
        Ok(answer?)
    }
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn commit(
        &self,
        operations: Vec<Operation>,
    ) -> Result<Vec<Result<Rev, Conflict>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send_timeout(Job { operations, answer }, PATIENCE).await.map_err(|refused| {
            match refused {
                mpsc::error::SendTimeoutError::Timeout(_) => StoreError::Busy,
                mpsc::error::SendTimeoutError::Closed(_) => StoreError::Closed,
            }
        })?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    async fn get(&self, key: &str) -> Result<Option<Row>, StoreError> {
        self.read(|c| {
            c.prepare_cached("SELECT key, value, rev FROM row WHERE key = ?1")?
                .query_row([key], row)
                .optional()
        })
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let after = after.unwrap_or(prefix);
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        self.read(|c| {
            c.prepare_cached(
                "SELECT key, value, rev FROM row WHERE key > ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4",
            )?
            .query_map(params![after, prefix, keys::after_prefix(prefix), max], row)?
            .collect()
        })
    }

    async fn changes(&self, from: Rev, max: usize) -> Result<Vec<Logged>, StoreError> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let entries: Vec<(Rev, String, String, Option<[u8; 32]>)> = self.read(|c| {
            c.prepare_cached(
                "SELECT rev, key, kind, digest FROM change WHERE rev > ?1 ORDER BY rev LIMIT ?2",
            )?
            .query_map(params![from, max], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
            .collect()
        })?;
        entries
            .into_iter()
            .map(|(rev, key, kind, digest)| {
                let kind = ChangeKind::from_name(&kind)
                    .ok_or_else(|| StoreError::Damaged(format!("change {rev}")))?;
                Ok(Logged { rev, change: Change { key, kind, digest: digest.map(ContentHash) } })
            })
            .collect()
    }

    async fn head(&self) -> Result<Rev, StoreError> {
        self.read(schema::head)
    }

    async fn blob(&self, hash: ContentHash) -> Result<Option<Vec<u8>>, StoreError> {
        let chunks: Vec<Vec<u8>> = self.read(|c| {
            c.prepare_cached("SELECT data FROM blob WHERE hash = ?1 ORDER BY chunk")?
                .query_map([&hash.0[..]], |r| r.get(0))?
                .collect()
        })?;
        if chunks.is_empty() {
            return Ok(None);
        }
        let bytes = chunks.concat();
        if ContentHash::of(&bytes) != hash {
            return Err(StoreError::Damaged(format!("blob {hash}")));
        }
        Ok(Some(bytes))
    }

    fn watch(&self) -> watch::Receiver<Rev> {
        self.newest.clone()
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl Drop for SqliteStore {
    /// Lets the writer finish what is queued; the lock is held until then.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { key: r.get(0)?, value: r.get(1)?, rev: r.get(2)? })
}

/// Name of the database file.
const FILE: &str = "tidegate.db";

/// Jobs that may wait for the writer; beyond, callers wait and then hear `Busy`.
const QUEUE: usize = 1_024;

/// How long a caller waits for room in the queue, and a connection for another's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reading connections kept open; more are opened under load and closed again.
const READERS: usize = 8;

#[cfg(test)]
mod tests;
