//! The build thread: runs a [`Builder`], publishes what it makes, and frees old worlds. It yields to the workers' cores.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_engine::snapshot::{Revision, ShardDigest};
use tokio::sync::oneshot;

use super::{Backwards, Batch, Builder, Outcome, Refusal};
use crate::publication::Publication;

/// Takes what must outlive the process: the shards that a batch changed, and the revision they lead to.
pub trait Keep: Send {
    /// Must not block; the disk is slower than the stream.
    fn keep(
        &mut self,
        shards: Vec<(u8, Vec<bytes::Bytes>)>,
        state: &State,
        digests: Vec<ShardDigest>,
    );
}

/// What the build thread knows, for people.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The revision that serves; `None` before the first complete one.
    pub revision: Option<Revision>,
    /// What is refused now.
    pub refusals: Vec<Refusal>,
    /// How often each reason has refused an object since the start.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Whether the node may hold less than its revision says, and wants digests compared.
    pub repair: bool,
}

/// What a build thread starts with.
#[derive(Debug)]
pub struct First {
    /// Its objects.
    pub batch: Batch,
    /// Whether it may be less than its revision says.
    pub repair: bool,
}

/// Reads what the build thread knows, and does not keep the thread alive.
#[derive(Clone)]
pub struct StateHandle(Arc<Mutex<State>>);

impl StateHandle {
    /// What the thread knows.
    pub fn get(&self) -> State {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

enum Job {
    Apply(Batch, oneshot::Sender<Result<Outcome, Backwards>>),
    Digests(oneshot::Sender<Vec<ShardDigest>>),
}

/// A handle of the build thread. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct Build {
    jobs: SyncSender<Job>,
    state: Arc<Mutex<State>>,
}

/// The build thread took too long to start on earlier jobs, or is gone.
#[derive(Debug, thiserror::Error)]
#[error("the build thread does not take jobs")]
pub struct Stuck;

impl Build {
    /// Starts the thread with what `first` holds, applied before anything else.
    pub fn start(
        builder: Builder,
        publication: Arc<Publication>,
        first: Option<First>,
        keep: Option<Box<dyn Keep>>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (jobs, queue) = sync_channel(JOBS);
        let state = Arc::new(Mutex::new(State::default()));
        let mut worker = Worker {
            builder,
            publication,
            keep,
            state: state.clone(),
            complete: false,
            swept: false,
        };
        let thread = std::thread::Builder::new().name("build".to_owned()).spawn(move || {
            // Linking may use a whole core for seconds; requests come first.
            if let Err(cause) = rustix::process::nice(NICE) {
                tracing::debug!(%cause, "the build thread keeps its priority");
            }
            if let Some(first) = first {
                worker.start_with(first);
            }
            worker.run(&queue);
        })?;
        Ok((Self { jobs, state }, thread))
    }

    /// Applies a batch.
    pub fn apply(
        &self,
        batch: Batch,
    ) -> Result<oneshot::Receiver<Result<Outcome, Backwards>>, Stuck> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Apply(batch, reply))?;
        Ok(answer)
    }

    /// Digests of what is held after all batches before.
    pub fn digests(&self) -> Result<oneshot::Receiver<Vec<ShardDigest>>, Stuck> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Digests(reply))?;
        Ok(answer)
    }

    /// What the thread knows.
    pub fn state(&self) -> State {
        self.state_handle().get()
    }

    /// Reads what the thread knows for as long as anyone likes.
    pub fn state_handle(&self) -> StateHandle {
        StateHandle(self.state.clone())
    }

    fn send(&self, job: Job) -> Result<(), Stuck> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Stuck,
        })
    }
}

struct Worker {
    builder: Builder,
    publication: Arc<Publication>,
    keep: Option<Box<dyn Keep>>,
    state: Arc<Mutex<State>>,
    /// Whether a complete revision was reached; before, there is nothing to serve by.
    complete: bool,
    /// Whether bundles of earlier lives were looked through.
    swept: bool,
}

impl Worker {
    fn run(&mut self, queue: &Receiver<Job>) {
        loop {
            let job = if self.publication.collect() > 0 {
                match queue.recv_timeout(COLLECT_EVERY) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                let Ok(job) = queue.recv() else { return };
                job
            };
            match job {
                // Who asked may be gone; what was done stays done.
                Job::Apply(batch, reply) => drop(reply.send(self.streamed(batch))),
                Job::Digests(reply) => drop(reply.send(self.builder.digests())),
            }
        }
    }

    /// Serves what was there before the control plane was asked.
    fn start_with(&mut self, first: First) {
        self.state().repair = first.repair;
        // It came from the disk.
        let keep = self.keep.take();
        match self.apply(first.batch) {
            // Another version of the node may take what this one, or an earlier one, refused: it is to be sent again.
            Ok(outcome) => self.state().repair |= !outcome.refusals.is_empty(),
            Err(cause) => tracing::error!(%cause, "the first objects were refused"),
        }
        self.builder.take_dirty();
        self.keep = keep;
    }

    /// Applies what the control plane sent.
    fn streamed(&mut self, batch: Batch) -> Result<Outcome, Backwards> {
        let complete = !batch.more;
        let outcome = self.apply(batch)?;
        if complete {
            // The control plane has compared whatever it was asked to.
            if std::mem::take(&mut self.state().repair) {
                self.persist(true);
            }
            if !std::mem::replace(&mut self.swept, true) {
                self.builder.sweep_bundles();
            }
        }
        Ok(outcome)
    }

    fn apply(&mut self, batch: Batch) -> Result<Outcome, Backwards> {
        let more = batch.more;
        let applied = self.builder.apply(batch)?;
        self.complete |= !more;
        let first = self.complete && self.publication.generation() == 0;
        let revision = applied.outcome.revision;
        {
            // Published under the lock: whoever reads the state never sees a revision before it serves, nor after.
            let mut state = self.state();
            state.revision = self.complete.then_some(revision);
            state.refusals.clone_from(&applied.outcome.refusals);
            state.rejected.clone_from(self.builder.rejected());
            // A node that has not got everything yet would answer for APIs it does not know.
            if self.complete && (first || applied.world.is_some()) {
                self.publication.publish(self.builder.world().clone());
            }
        }
        tracing::debug!(epoch = revision.epoch, sequence = revision.sequence, "snapshot applied");
        self.persist(applied.world.is_some());
        Ok(applied.outcome)
    }

    fn persist(&mut self, changed: bool) {
        let Some(keep) = &mut self.keep else { return };
        let shards = self.builder.take_dirty();
        if changed || !shards.is_empty() {
            // Not `self.state()`: `keep` is borrowed.
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
            keep.keep(shards, &state, self.builder.digests());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Batches that may wait. The agent has one under way at a time; the rest is room for digests and first objects.
const JOBS: usize = 16;

/// How often to look whether workers have let go of old worlds.
const COLLECT_EVERY: Duration = Duration::from_millis(100);

/// Lower than the workers', not the lowest: a change must be served within 100 ms on a busy node.
const NICE: i32 = 10;
