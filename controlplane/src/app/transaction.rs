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
use crate::store::{Change, ChangeKind, Expect, Operation, Rev, Store};

/// Rows read and to be written, committed as one operation.
pub(super) struct Transaction<'s> {
    store: &'s dyn Store,
    /// What was found under each key that was read; `None` when nothing was.
    read: BTreeMap<String, Option<Rev>>,
    operation: Operation,
}

impl<'s> Transaction<'s> {
    fn new(store: &'s dyn Store) -> Self {
        Self { store, read: BTreeMap::new(), operation: Operation::default() }
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

    /// False when another writer was faster. What changes nothing commits nothing.
    pub(super) async fn commit(self) -> Result<bool, AppError> {
        let Self { store, read, mut operation } = self;
        if operation.changes.is_empty() {
            return Ok(true);
        }
        operation.expect = read
            .into_iter()
            .map(|(key, found)| match found {
                Some(rev) => Expect::At(key, rev),
                None => Expect::Absent(key),
            })
            .collect();
        Ok(store.commit(vec![operation]).await?.iter().all(Result::is_ok))
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
        (0..ATTEMPTS).map(|_| Transaction::new(&*self.store))
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
