//! Changes of rows that belong to no API: API keys, usage plans, domains and what else an account has.
//!
//! A transaction remembers the revision of every row it read. They are what its one operation expects, so what was decided
//! on is what is committed on; a faster writer makes the operation decide again. Rows of an API go through a
//! [`Draft`](super::Draft) instead.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::workspace::decode;
use super::{ATTEMPTS, App, AppError, Page, Paging};
use crate::model::ContentHash;
use crate::store::{Change, ChangeKind, Conflict, Expect, Operation, Rev, Store};

/// Rows read and to be written, committed as one operation.
pub(super) struct Transaction<'s> {
    store: &'s dyn Store,
    /// What was found under each key that was read; `None` when nothing was.
    read: BTreeMap<String, Option<Rev>>,
    counts: BTreeMap<String, Count>,
    operation: Operation,
}

/// By how much a counter moves.
struct Count {
    add: i64,
    at_most: i64,
    /// What is told when it would pass its limit.
    full: Option<AppError>,
}

impl<'s> Transaction<'s> {
    fn new(store: &'s dyn Store) -> Self {
        Self {
            store,
            read: BTreeMap::new(),
            counts: BTreeMap::new(),
            operation: Operation::default(),
        }
    }

    /// The value of a row; it must still be so when the transaction commits.
    pub(super) async fn get<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, AppError> {
        let row = self.store.get(key).await?;
        self.read.insert(key.to_owned(), row.as_ref().map(|row| row.rev));
        row.as_ref().map(decode).transpose()
    }

    /// Whether a row is there; it must still be so when the transaction commits.
    pub(super) async fn has(&mut self, key: &str) -> Result<bool, AppError> {
        let row = self.store.get(key).await?;
        self.read.insert(key.to_owned(), row.as_ref().map(|row| row.rev));
        Ok(row.is_some())
    }

    /// Keys and values of all rows under a prefix that ends with `/`. Those found must still be as they are when the
    /// transaction commits; others may have come.
    pub(super) async fn scan<T: DeserializeOwned>(
        &mut self,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, AppError> {
        let rows = self.store.scan(prefix, None, usize::MAX).await?;
        rows.into_iter()
            .map(|row| {
                self.read.insert(row.key.clone(), Some(row.rev));
                Ok((row.key.clone(), decode(&row)?))
            })
            .collect()
    }

    /// The row comes or changes; watchers are told by its key.
    pub(super) fn put(&mut self, key: String, value: &impl Serialize, kind: ChangeKind) {
        let value =
            serde_json::to_vec(value).expect("a model has string keys and no failing serializer");
        let digest = Some(ContentHash::of(&value));
        self.operation.changes.push(Change { key: key.clone(), kind, digest });
        self.operation.puts.push((key, value));
    }

    /// The row goes, if it is there; watchers are told by its key.
    pub(super) fn delete(&mut self, key: String, kind: ChangeKind) {
        self.operation.changes.push(Change { key: key.clone(), kind, digest: None });
        self.operation.deletes.push(key);
    }

    /// All rows under a prefix that ends with `/` go.
    pub(super) fn delete_all(&mut self, prefix: String, kind: ChangeKind) {
        let key = prefix.trim_end_matches('/').to_owned();
        self.operation.changes.push(Change { key, kind, digest: None });
        self.operation.delete_prefixes.push(prefix);
    }

    /// A row that only finds another comes; nobody is told, so something else must change too.
    pub(super) fn index(&mut self, key: String, value: &impl Serialize) {
        let value =
            serde_json::to_vec(value).expect("a model has string keys and no failing serializer");
        self.operation.puts.push((key, value));
    }

    /// A row that only finds another goes; nobody is told.
    pub(super) fn unindex(&mut self, key: String) {
        self.operation.deletes.push(key);
    }

    /// A counter grows by one, unless it would pass `at_most`: then the transaction ends with `full`.
    ///
    /// Transactions that count do not get in each other's way, but whoever read the counter decides again.
    pub(super) fn count_up(&mut self, key: String, at_most: usize, full: AppError) {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let add = self.counts.get(&key).map_or(1, |count| count.add + 1);
        self.counts.insert(key, Count { add, at_most, full: Some(full) });
    }

    /// A counter without a limit moves.
    pub(super) fn count(&mut self, key: String, add: i64) {
        self.counts.entry(key).or_insert(Count { add: 0, at_most: i64::MAX, full: None }).add +=
            add;
    }

    /// False when another writer was faster. What changes nothing commits nothing.
    pub(super) async fn commit(self) -> Result<bool, AppError> {
        let store = self.store;
        let (operation, mut counts) = self.into_operation();
        if operation.changes.is_empty() {
            return Ok(true);
        }
        match store.commit(vec![operation]).await?.pop() {
            Some(Err(Conflict::Counter { key, .. })) => {
                counts.remove(&key).and_then(|count| count.full).map_or(Ok(false), Err)
            }
            answer => Ok(answer.is_some_and(|answer| answer.is_ok())),
        }
    }

    /// The operation alone, for one that is part of a larger one. It must have no counter with a limit.
    pub(super) fn into_part(self) -> Operation {
        self.into_operation().0
    }

    fn into_operation(self) -> (Operation, BTreeMap<String, Count>) {
        let Self { read, counts, mut operation, .. } = self;
        let read = read.into_iter().map(|(key, found)| match found {
            Some(rev) => Expect::At(key, rev),
            None => Expect::Absent(key),
        });
        let moved = counts.iter().filter(|(_, count)| count.add != 0);
        let moved = moved.map(|(key, count)| Expect::Counter {
            key: key.clone(),
            add: count.add,
            at_most: count.at_most,
        });
        operation.expect = read.chain(moved).collect();
        (operation, counts)
    }
}

impl App {
    /// Transactions to decide in, until one commits:
    ///
    /// ```text
    /// for mut rows in self.transactions() {
    ///     let plan = rows.get(&key).await?.ok_or(AppError::InvalidUsagePlan)?;
    ///     ...
    ///     if rows.commit().await? {
    ///         return Ok(plan);
    ///     }
    /// }
    /// Err(AppError::ConcurrentModification)
    /// ```
    pub(super) fn transactions(&self) -> impl Iterator<Item = Transaction<'_>> {
        (0..ATTEMPTS).map(|_| self.transaction())
    }

    /// One transaction, for a part of a larger operation.
    pub(super) fn transaction(&self) -> Transaction<'_> {
        Transaction::new(&*self.store)
    }

    /// The value of a row.
    pub(super) async fn row<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, AppError> {
        self.store.get(key).await?.as_ref().map(decode).transpose()
    }

    /// The page of the rows under a prefix that ends with `/`, in the order of their keys.
    pub(super) async fn page_of_rows<T: DeserializeOwned>(
        &self,
        prefix: &str,
        paging: &Paging,
    ) -> Result<Page<T>, AppError> {
        let after = paging.after()?.map(|after| format!("{prefix}{after}"));
        let rows = self.store.scan(prefix, after.as_deref(), paging.size() + 1).await?;
        let items: Vec<(String, T)> = rows
            .iter()
            .map(|row| Ok((row.key[prefix.len()..].to_owned(), decode(row)?)))
            .collect::<Result<_, AppError>>()?;
        Ok(paging.cut(items))
    }
}
