//! Where configuration lives: ordered rows, a gap-free log of changes, and blobs by content.
//!
//! One trait, so that a backend is a few statements and no rules. All rules sit above it, in code that turns a command
//! and the current rows into an [`Operation`]. An operation is atomic and says what it expects to find; when another
//! writer was faster it is refused whole and the caller looks again.

pub mod keys;
mod lock;
mod sqlite;

pub use lock::{DirLock, LockError};
pub use sqlite::SqliteStore;

use crate::model::ContentHash;

/// Position in the log of changes: 1 for the first, no gaps, in commit order.
pub type Rev = u64;

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it is, see [`keys`].
    pub key: String,
    /// JSON as a rule; the store does not look inside.
    pub value: Vec<u8>,
    /// The last revision of the operation that wrote it.
    pub rev: Rev,
}

/// A change of the store, applied whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// What must hold when the operation is applied.
    pub expect: Vec<Expect>,
    /// Keys whose rows go, before puts.
    pub deletes: Vec<String>,
    /// Prefixes whose rows go, before puts. A prefix ends with `/`.
    pub delete_prefixes: Vec<String>,
    /// Rows that come or change.
    pub puts: Vec<(String, Vec<u8>)>,
    /// Blobs that must be there afterwards; known ones cost nothing.
    pub blobs: Vec<Vec<u8>>,
    /// What watchers are told; at least one, unless the operation only expects.
    pub changes: Vec<Change>,
}

impl Operation {
    /// Makes another operation a part of this one: both are applied, or neither.
    pub fn extend(&mut self, other: Operation) {
        let Operation { expect, deletes, delete_prefixes, puts, blobs, changes } = other;
        self.expect.extend(expect);
        self.deletes.extend(deletes);
        self.delete_prefixes.extend(delete_prefixes);
        self.puts.extend(puts);
        self.blobs.extend(blobs);
        self.changes.extend(changes);
    }
}

/// A condition on the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// The row was last written at this revision.
    At(String, Rev),
    /// The row has this value. Where a writer chooses the values, it knows what its next operation will find, and may
    /// queue that one before the first is answered.
    Value(String, Vec<u8>),
    /// There is no such row.
    Absent(String),
    /// The counter under this key may grow by `add` without passing `at_most`; the operation applies the growth.
    Counter {
        /// Row that holds the count as decimal text.
        key: String,
        /// May be negative.
        add: i64,
        /// Inclusive.
        at_most: i64,
    },
}

/// An entry of the log of changes. It takes a revision of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What changed, in the words of the stream, see [`keys::change`].
    pub key: String,
    /// What kind of object that is.
    pub kind: ChangeKind,
    /// Digest of what it became; `None` when it is gone.
    pub digest: Option<ContentHash>,
}

/// What kind of object a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// An API's own object of the stream: it came, went, or its endpoint changed.
    Api,
    /// A stage's binding.
    Stage,
    /// A deployment came or went; nodes hear of it through stages.
    Deployment,
    /// Undeployed configuration of an API; nodes do not care.
    Draft,
    /// Settings of the account.
    Account,
    /// An API key, or what it may call.
    ApiKey,
    /// A usage plan.
    UsagePlan,
    /// What an API key has used of a plan, or may still use.
    Usage,
    /// A custom domain name, its mappings or who may reach it.
    Domain,
    /// A VPC link.
    VpcLink,
    /// A client certificate.
    ClientCertificate,
    /// An access key of the admin API.
    AccessKey,
}

impl ChangeKind {
    const ALL: [Self; 12] = [
        Self::Api,
        Self::Stage,
        Self::Deployment,
        Self::Draft,
        Self::Account,
        Self::ApiKey,
        Self::UsagePlan,
        Self::Usage,
        Self::Domain,
        Self::VpcLink,
        Self::ClientCertificate,
        Self::AccessKey,
    ];

    /// The word the store keeps.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Stage => "stage",
            Self::Deployment => "deployment",
            Self::Draft => "draft",
            Self::Account => "account",
            Self::ApiKey => "api-key",
            Self::UsagePlan => "usage-plan",
            Self::Usage => "usage",
            Self::Domain => "domain",
            Self::VpcLink => "vpc-link",
            Self::ClientCertificate => "client-certificate",
            Self::AccessKey => "access-key",
        }
    }

    /// The kind with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A change with its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its position.
    pub rev: Rev,
    /// What changed.
    pub change: Change,
}

/// Why one operation was refused; nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A row was not as expected.
    #[error("row {key} is at {found:?}")]
    Row {
        /// The row.
        key: String,
        /// Its revision now; `None` when absent.
        found: Option<Rev>,
    },
    /// A counter would pass its limit.
    #[error("counter {key} is at {found}")]
    Counter {
        /// The counter's row.
        key: String,
        /// Its value now.
        found: i64,
    },
}

/// Why the store could not do its work. None of these is the caller's mistake.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory is not ours.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database refused.
    #[error("database")]
    Database(#[from] rusqlite::Error),
    /// The transaction the operation was part of failed; nothing of it was applied.
    #[error("transaction failed: {0}")]
    Transaction(String),
    /// A file could not be made or read.
    #[error("data directory")]
    Io(#[from] std::io::Error),
    /// The database was written by a newer release.
    #[error("schema version {found} is newer than {known}, the newest this release knows")]
    NewerSchema {
        /// What the database says.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// The write queue stayed full.
    #[error("the write queue is full")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A stored value could not be understood.
    #[error("stored value {0} is damaged")]
    Damaged(String),
}

/// What backends provide.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Applies operations in order, each whole or not at all, and answers when they are durable.
    ///
    /// Each answer is the operation's last revision. The first poll of the future queues the operations where there is
    /// room, so calls polled in turn are applied in turn. Dropping the future does not undo what was queued.
    async fn commit(
        &self,
        operations: Vec<Operation>,
    ) -> Result<Vec<Result<Rev, Conflict>>, StoreError>;

    /// The row under `key`.
    async fn get(&self, key: &str) -> Result<Option<Row>, StoreError>;

    /// Rows whose keys start with `prefix` and sort after `after`, in key order, at most `max`, from one moment.
    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// Changes after revision `from`, in order, at most `max`.
    async fn changes(&self, from: Rev, max: usize) -> Result<Vec<Logged>, StoreError>;

    /// The newest revision that is durable.
    async fn head(&self) -> Result<Rev, StoreError>;

    /// The blob with this hash.
    async fn blob(&self, hash: ContentHash) -> Result<Option<Vec<u8>>, StoreError>;

    /// A hint with the newest revision. Read [`Store::changes`] for the truth.
    fn watch(&self) -> tokio::sync::watch::Receiver<Rev>;

    /// Which history revisions belong to; larger after a restore.
    fn epoch(&self) -> u64;
}
