//! Writes the last good copy on a thread of its own: a slow or full disk delays nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_engine::snapshot::{BundleId, ShardDigest};

use super::format::{Head, encode_shard};
use super::{Disk, Identity};
use crate::builder::Bundles;
use crate::builder::file_of;
use crate::builder::thread::{Keep, State};

/// The writing thread.
pub struct Writer {
    shared: Arc<Shared>,
    node: Identity,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
}

/// What is not on disk yet. At most every shard once: newer contents take the place of older ones.
#[derive(Default)]
struct Pending {
    shards: BTreeMap<u8, Vec<Bytes>>,
    head: Option<Head>,
    /// Files nobody needs once the head is written.
    unused: BTreeSet<BundleId>,
    since: Option<Instant>,
    stop: bool,
}

impl Writer {
    /// Starts the thread. Changes collect for `delay` before they are written.
    pub fn start(
        disk: Disk,
        node: Identity,
        bundles: Arc<Bundles>,
        delay: Duration,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("disk".to_owned()).spawn({
            let shared = shared.clone();
            move || shared.run(&disk, &bundles, delay)
        })?;
        Ok(Self { shared, node, thread: Some(thread) })
    }

    /// What the build thread hands its changes to.
    pub fn keep(&self, bundles: Arc<Bundles>) -> Box<dyn Keep> {
        Box::new(Hand { shared: self.shared.clone(), node: self.node.clone(), bundles })
    }

    /// Writes what is left, tries once if the disk refuses, and ends the thread.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.lock().stop = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

struct Hand {
    shared: Arc<Shared>,
    node: Identity,
    bundles: Arc<Bundles>,
}

impl Keep for Hand {
    fn keep(&mut self, shards: Vec<(u8, Vec<Bytes>)>, state: &State, digests: Vec<ShardDigest>) {
        // Taken together with the shards that no longer name them.
        let unused = self.bundles.take_unused();
        let mut pending = self.shared.lock();
        pending.shards.extend(shards);
        pending.unused.extend(unused);
        if let Some(revision) = state.revision {
            let repair = state.repair || !state.refusals.is_empty();
            let Identity { node_id, labels } = self.node.clone();
            pending.head = Some(Head { revision, repair, digests, labels, node_id });
        }
        pending.since.get_or_insert_with(Instant::now);
        drop(pending);
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn run(&self, disk: &Disk, bundles: &Bundles, delay: Duration) {
        let mut failing = false;
        while let Some(work) = self.next(if failing { RETRY.max(delay) } else { delay }) {
            match write(disk, bundles, &work) {
                Ok(()) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!("the copy on disk is up to date again");
                    }
                }
                Err(cause) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(
                            directory = %disk.directory.display(), %cause,
                            "the copy on disk cannot be written; a restart would serve an older one"
                        );
                    }
                    if self.put_back(work) {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until changes are there and have collected for `delay`; `None` when all is written and it is time to end.
    fn next(&self, delay: Duration) -> Option<Pending> {
        let mut pending = self.lock();
        loop {
            let wait = match pending.since {
                None if pending.stop => return None,
                None => None,
                Some(since) => {
                    let left = delay.saturating_sub(since.elapsed());
                    if pending.stop || left.is_zero() {
                        let stop = pending.stop;
                        return Some(std::mem::replace(
                            &mut *pending,
                            Pending { stop, ..Pending::default() },
                        ));
                    }
                    Some(left)
                }
            };
            pending = match wait {
                None => self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    self.wake.wait_timeout(pending, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Keeps what could not be written for the next try, under what has come since. True when there is to be none.
    fn put_back(&self, work: Pending) -> bool {
        let mut pending = self.lock();
        for (shard, objects) in work.shards {
            pending.shards.entry(shard).or_insert(objects);
        }
        pending.head = pending.head.take().or(work.head);
        pending.unused.extend(work.unused);
        pending.since = Some(Instant::now());
        pending.stop
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes bundles, then the shards that name them, then the head that speaks of the shards; then deletes what none names.
fn write(disk: &Disk, bundles: &Bundles, work: &Pending) -> std::io::Result<()> {
    let directory = disk.bundles();
    let fresh = bundles.unwritten();
    replace_all(
        &directory,
        fresh.iter().map(|(id, bytes)| (file_of(&directory, *id), bytes.clone())),
    )?;
    for (id, _) in fresh {
        bundles.written(id);
    }
    let shards = work.shards.iter();
    let shards = shards
        .map(|(shard, objects)| (disk.shard(*shard), encode_shard(*shard, objects.clone()).into()));
    replace_all(&disk.objects(), shards)?;
    if let Some(head) = &work.head {
        replace(&disk.head(), &head.encode())?;
        flush(&disk.objects())?;
    }
    for id in work.unused.iter().filter(|id| !bundles.is_known(**id)) {
        // A file that stays is found and deleted at the next start.
        let _ = std::fs::remove_file(file_of(&directory, *id));
    }
    Ok(())
}

/// Puts files of one directory in place whole, and makes that durable. Many files are flushed in one go: one by one they
/// cost a few milliseconds each, and a first sync brings thousands.
fn replace_all(
    directory: &Path,
    files: impl Iterator<Item = (PathBuf, Bytes)>,
) -> std::io::Result<()> {
    let mut written = Vec::new();
    for (path, bytes) in files {
        let draft = draft_of(&path);
        std::fs::write(&draft, bytes)?;
        written.push((draft, path));
    }
    if written.len() > MANY {
        rustix::fs::syncfs(File::open(directory)?)?;
    } else {
        for (draft, _) in &written {
            File::open(draft)?.sync_all()?;
        }
    }
    for (draft, path) in &written {
        std::fs::rename(draft, path)?;
    }
    if written.is_empty() { Ok(()) } else { flush(directory) }
}

fn draft_of(path: &Path) -> PathBuf {
    let mut draft = path.to_owned().into_os_string();
    draft.push(DRAFT);
    draft.into()
}

/// Puts a file in place whole: a reader sees the old one or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = draft_of(path);
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

/// Makes renames in a directory durable.
pub(super) fn flush(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

/// From so many files on, the whole file system is flushed instead of each.
const MANY: usize = 32;

/// What names of half-written files end with.
pub(super) const DRAFT: &str = ".tmp";

/// How long to wait after the disk refused.
const RETRY: Duration = Duration::from_secs(1);
