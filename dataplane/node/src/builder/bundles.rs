//! Where bundles are: in memory until they are written, then in files named by their hash.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tidegate_engine::snapshot::BundleId;

/// The bundles a node has. Shared by the agent, which brings them, the build thread, which reads them, and the disk thread,
/// which writes them and deletes those nobody uses.
pub struct Bundles {
    directory: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Not written yet, or never to be.
    memory: HashMap<BundleId, Bytes>,
    files: HashSet<BundleId>,
    /// Files nobody uses; deleted once the disk no longer names them either.
    unused: BTreeSet<BundleId>,
}

impl Bundles {
    /// Bundles that live in memory.
    pub fn in_memory() -> Self {
        Self { directory: None, inner: Mutex::default() }
    }

    /// Bundles in a directory, of which `files` are there.
    pub fn in_directory(directory: PathBuf, files: impl IntoIterator<Item = BundleId>) -> Self {
        let inner = Inner { files: files.into_iter().collect(), ..Inner::default() };
        Self { directory: Some(directory), inner: Mutex::new(inner) }
    }

    /// Whether a bundle is there, as far as is known without reading it.
    pub fn has(&self, id: BundleId) -> bool {
        let mut inner = self.lock();
        // Someone is about to use it: it must not be deleted meanwhile.
        inner.unused.remove(&id);
        inner.memory.contains_key(&id) || inner.files.contains(&id)
    }

    /// Adds a bundle. The caller has checked that `bytes` are those `id` names.
    pub fn put(&self, id: BundleId, bytes: Bytes) {
        let mut inner = self.lock();
        inner.unused.remove(&id);
        if !inner.files.contains(&id) {
            inner.memory.insert(id, bytes);
        }
    }

    /// The bytes of a bundle. Those of a file are checked; a damaged file counts as lost.
    pub fn get(&self, id: BundleId) -> Option<Bytes> {
        let directory = {
            let inner = self.lock();
            if let Some(bytes) = inner.memory.get(&id) {
                return Some(bytes.clone());
            }
            inner.files.contains(&id).then_some(())?;
            self.directory.as_deref()?
        };
        let path = file(directory, id);
        let problem = match std::fs::read(&path) {
            Ok(bytes) if BundleId::of(&bytes) == id => return Some(bytes.into()),
            Ok(_) => "its bytes do not match its name".to_owned(),
            Err(cause) => cause.to_string(),
        };
        tracing::warn!(file = %path.display(), %problem, "bundle discarded; it is fetched again");
        self.lock().files.remove(&id);
        None
    }

    /// Says that nobody uses a bundle any more.
    pub fn release(&self, id: BundleId) {
        let mut inner = self.lock();
        inner.memory.remove(&id);
        if inner.files.contains(&id) {
            inner.unused.insert(id);
        }
    }

    /// Bundles that are to be written.
    pub(crate) fn unwritten(&self) -> Vec<(BundleId, Bytes)> {
        self.lock().memory.iter().map(|(id, bytes)| (*id, bytes.clone())).collect()
    }

    /// Notes that a bundle is on disk.
    pub(crate) fn written(&self, id: BundleId) {
        let mut inner = self.lock();
        inner.files.insert(id);
        if inner.memory.remove(&id).is_none() {
            // Released while it was being written.
            inner.unused.insert(id);
        }
    }

    /// Whether a bundle is held or being used, without counting as a use.
    pub(crate) fn is_known(&self, id: BundleId) -> bool {
        let inner = self.lock();
        inner.memory.contains_key(&id) || inner.files.contains(&id)
    }

    /// Every bundle there is.
    pub(crate) fn all(&self) -> Vec<BundleId> {
        let inner = self.lock();
        inner.files.iter().chain(inner.memory.keys()).copied().collect()
    }

    /// Takes the files to delete: from now on they are not there.
    pub(crate) fn take_unused(&self) -> Vec<BundleId> {
        let mut inner = self.lock();
        let unused: Vec<_> = std::mem::take(&mut inner.unused).into_iter().collect();
        for id in &unused {
            inner.files.remove(id);
        }
        unused
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file of a bundle.
pub(crate) fn file(directory: &Path, id: BundleId) -> PathBuf {
    directory.join(id.to_string())
}
