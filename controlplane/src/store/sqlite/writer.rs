//! The one writer: takes what has queued, applies it in one durable transaction, then answers all.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot, watch};

use crate::model::ContentHash;
use crate::store::{Conflict, Expect, Operation, Rev, StoreError, keys};

/// Some operations and who asked for them.
pub(super) struct Job {
    pub(super) operations: Vec<Operation>,
    pub(super) answer: oneshot::Sender<Answers>,
}

type Answers = Result<Vec<Result<Rev, Conflict>>, StoreError>;

/// Works until every sender is gone and the queue is empty.
pub(super) fn run(
    mut connection: Connection,
    mut queue: mpsc::Receiver<Job>,
    head: Rev,
    announce: &watch::Sender<Rev>,
) {
    let mut head = head;
    while let Some(first) = queue.blocking_recv() {
        let mut count = first.operations.len();
        let mut jobs = vec![first];
        while count < BATCH {
            let Ok(next) = queue.try_recv() else { break };
            count += next.operations.len();
            jobs.push(next);
        }
        match apply_all(&mut connection, &jobs, head) {
            Ok((answers, newest)) => {
                head = newest;
                announce.send_if_modified(|seen| std::mem::replace(seen, newest) != newest);
                for (job, answer) in jobs.into_iter().zip(answers) {
                    // A caller that left does not change what is durable.
                    let _ = job.answer.send(Ok(answer));
                }
            }
            Err(cause) => {
                tracing::error!(%cause, operations = count, "store transaction failed");
                for job in jobs {
                    let _ = job.answer.send(Err(StoreError::Transaction(cause.to_string())));
                }
            }
        }
    }
}

type Applied = (Vec<Vec<Result<Rev, Conflict>>>, Rev);

fn apply_all(connection: &mut Connection, jobs: &[Job], head: Rev) -> rusqlite::Result<Applied> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut newest = head;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut answer = Vec::with_capacity(job.operations.len());
        for operation in &job.operations {
            answer.push(match check(&transaction, operation)? {
                Some(conflict) => Err(conflict),
                None => {
                    newest = apply(&mut transaction, operation, newest)?;
                    Ok(newest)
                }
            });
        }
        answers.push(answer);
    }
    transaction
        .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'rev'")?
        .execute([newest])?;
    transaction.commit()?;
    Ok((answers, newest))
}

/// The first expectation that does not hold.
fn check(
    transaction: &Transaction<'_>,
    operation: &Operation,
) -> rusqlite::Result<Option<Conflict>> {
    let rev = |key: &str| -> rusqlite::Result<Option<Rev>> {
        transaction
            .prepare_cached("SELECT rev FROM row WHERE key = ?1")?
            .query_row([key], |r| r.get(0))
            .optional()
    };
    for expect in &operation.expect {
        match expect {
            Expect::At(key, wanted) => {
                let found = rev(key)?;
                if found != Some(*wanted) {
                    return Ok(Some(Conflict::Row { key: key.clone(), found }));
                }
            }
            Expect::Value(key, wanted) => {
                let found: Option<(Vec<u8>, Rev)> = transaction
                    .prepare_cached("SELECT value, rev FROM row WHERE key = ?1")?
                    .query_row([key], |r| Ok((r.get(0)?, r.get(1)?)))
                    .optional()?;
                if found.as_ref().is_none_or(|(value, _)| value != wanted) {
                    return Ok(Some(Conflict::Row {
                        key: key.clone(),
                        found: found.map(|(_, rev)| rev),
                    }));
                }
            }
            Expect::Absent(key) => {
                if let Some(found) = rev(key)? {
                    return Ok(Some(Conflict::Row { key: key.clone(), found: Some(found) }));
                }
            }
            Expect::Counter { key, add, at_most } => {
                let found = count(transaction, key)?;
                if found.saturating_add(*add) > *at_most {
                    return Ok(Some(Conflict::Counter { key: key.clone(), found }));
                }
            }
        }
    }
    Ok(None)
}

/// Applies an operation whose expectations hold, in a savepoint, and returns its last revision.
fn apply(
    transaction: &mut Transaction<'_>,
    operation: &Operation,
    head: Rev,
) -> rusqlite::Result<Rev> {
    debug_assert!(
        !operation.changes.is_empty() || operation.puts.is_empty() && operation.deletes.is_empty(),
        "what changes has a revision"
    );
    let savepoint = transaction.savepoint()?;
    let last = head + operation.changes.len() as Rev;
    for key in &operation.deletes {
        savepoint.prepare_cached("DELETE FROM row WHERE key = ?1")?.execute([key])?;
    }
    for prefix in &operation.delete_prefixes {
        savepoint
            .prepare_cached("DELETE FROM row WHERE key >= ?1 AND key < ?2")?
            .execute([prefix, &keys::after_prefix(prefix)])?;
    }
    let mut put = savepoint.prepare_cached(
        "INSERT INTO row VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET value = ?2, rev = ?3",
    )?;
    for (key, value) in &operation.puts {
        put.execute(params![key, value, last])?;
    }
    for expect in &operation.expect {
        if let Expect::Counter { key, add, .. } = expect {
            let count = count(&savepoint, key)?.saturating_add(*add);
            put.execute(params![key, count.to_string().into_bytes(), last])?;
        }
    }
    drop(put);
    for bytes in &operation.blobs {
        put_blob(&savepoint, bytes)?;
    }
    let mut log = savepoint.prepare_cached("INSERT INTO change VALUES (?1, ?2, ?3, ?4)")?;
    for (rev, change) in (head + 1..).zip(&operation.changes) {
        log.execute(params![
            rev,
            change.key,
            change.kind.name(),
            change.digest.map(|digest| digest.0)
        ])?;
    }
    drop(log);
    savepoint.commit()?;
    Ok(last)
}

fn put_blob(connection: &Connection, bytes: &[u8]) -> rusqlite::Result<()> {
    let hash = ContentHash::of(bytes);
    let mut put = connection.prepare_cached(
        "INSERT INTO blob VALUES (?1, ?2, ?3, unixepoch()) ON CONFLICT DO NOTHING",
    )?;
    if bytes.is_empty() {
        put.execute(params![&hash.0[..], 0, bytes])?;
    }
    for (index, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
        put.execute(params![&hash.0[..], index as i64, chunk])?;
    }
    Ok(())
}

fn count(connection: &Connection, key: &str) -> rusqlite::Result<i64> {
    let value: Option<Vec<u8>> = connection
        .prepare_cached("SELECT value FROM row WHERE key = ?1")?
        .query_row([key], |r| r.get(0))
        .optional()?;
    Ok(value.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0))
}

/// Operations per transaction: enough to share one flush among many callers, few enough to answer within milliseconds.
const BATCH: usize = 64;

/// Largest chunk of a blob, the same as in the stream.
const CHUNK_BYTES: usize = 1 << 20;
