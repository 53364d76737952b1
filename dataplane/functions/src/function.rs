//! One function: its processes, who gets which, and how many there may be.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::declaration::Declaration;
use crate::error::{CallError, FunctionError};
use crate::invocation::{Ending, Piece, Request};
use crate::process::{Process, Served, Surroundings};
use crate::runtime_api::printable;

/// A declared function, with the code that it had when it was made. New code is a new function.
#[derive(Debug)]
pub struct Function {
    declaration: Declaration,
    surroundings: Surroundings,
    /// One for each process that may work at a time.
    slots: Arc<Semaphore>,
    /// One for each invocation that may wait for a slot.
    places: Semaphore,
    /// Processes without work; the last one worked last.
    idle: Mutex<Vec<Process>>,
    /// Set when another one has taken its place.
    retired: AtomicBool,
}

impl Function {
    pub(crate) fn new(declaration: Declaration, surroundings: Surroundings) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(declaration.concurrency)),
            places: Semaphore::new(PLACES),
            declaration,
            surroundings,
            idle: Mutex::default(),
            retired: AtomicBool::new(false),
        })
    }

    /// What it was declared as.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// Invokes it. What it answers comes piece by piece; whether anybody takes the pieces is nothing to the function.
    ///
    /// # Errors
    /// If all processes that it may have are busy, and stay so for as long as it was declared to wait.
    pub(crate) async fn invoke(
        self: &Arc<Self>,
        request: Request,
    ) -> Result<mpsc::Receiver<Piece>, CallError> {
        let slot = match self.slots.clone().try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => {
                let _place = self.places.try_acquire().map_err(|_| CallError::Busy)?;
                let slot = tokio::time::timeout(
                    self.declaration.queue,
                    self.slots.clone().acquire_owned(),
                )
                .await;
                slot.map_err(|_| CallError::Busy)?.map_err(|_| CallError::Busy)?
            }
        };
        Ok(self.run_in(slot, request))
    }

    /// Invokes it as soon as it has a process to spare.
    pub(crate) async fn invoke_patiently(
        self: &Arc<Self>,
        request: Request,
    ) -> Result<mpsc::Receiver<Piece>, CallError> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| CallError::Busy)?;
        Ok(self.run_in(slot, request))
    }

    fn run_in(
        self: &Arc<Self>,
        slot: OwnedSemaphorePermit,
        request: Request,
    ) -> mpsc::Receiver<Piece> {
        let (out, pieces) = mpsc::channel(PIECES);
        let function = self.clone();
        tokio::spawn(async move {
            let began = Instant::now();
            let request = Arc::new(request);
            let (outcome, tail) = function.run(&request, &out, slot).await;
            if let Err(error) = &outcome {
                function.tell(&request.id, error);
            }
            tracing::debug!(
                "function {}: {} took {:?}",
                function.declaration.name,
                request.id,
                began.elapsed()
            );
            let ending = Ending { error: outcome.err(), tail };
            // The caller may have left.
            let _ = out.send(Piece::End(ending)).await;
        });
        pieces
    }

    /// Serves an invocation with a process that waits, or a new one. The slot is free once the process is.
    async fn run(
        &self,
        request: &Arc<Request>,
        out: &mpsc::Sender<Piece>,
        slot: OwnedSemaphorePermit,
    ) -> (Result<(), FunctionError>, Vec<u8>) {
        let mut fresh = false;
        loop {
            let process = match self.take() {
                Some(process) => Ok(process),
                None => {
                    fresh = true;
                    Process::start(&self.declaration, &self.surroundings, request).await
                }
            };
            let mut process = match process {
                Ok(process) => process,
                Err(error) => return (Err(error), Vec::new()),
            };
            match process.serve(&self.declaration, request, out).await {
                Some(Served { outcome, usable, tail }) => {
                    if usable {
                        self.give_back(process);
                    }
                    drop(slot);
                    return (outcome, tail);
                }
                None if fresh => {
                    let what = "Runtime exited before it took the invocation";
                    let error = FunctionError::about(&request.id, "Runtime.ExitError", what);
                    return (Err(error), process.tail());
                }
                // It ended, or hung, while it had no work; the caller need not know.
                None => tracing::warn!(
                    "function {}: a process that had no work ended, or did not come back for more; another one takes its place",
                    self.declaration.name
                ),
            }
        }
    }

    /// The process that worked last and is ready, else the one that has just answered.
    fn take(&self) -> Option<Process> {
        let mut idle = self.idle();
        let at = idle.iter().rposition(Process::is_waiting);
        let at = at.or_else(|| idle.len().checked_sub(1))?;
        Some(idle.remove(at))
    }

    fn give_back(&self, mut process: Process) {
        process.idle_since = Instant::now();
        let mut idle = self.idle();
        // Read under the lock under which it is acted upon.
        if self.retired.load(Ordering::Relaxed) {
            drop(idle);
            tokio::spawn(process.retire());
        } else {
            idle.push(process);
        }
    }

    /// Lets go of its processes, those that work when they are done.
    pub(crate) fn retire(&self) -> Vec<tokio::task::JoinHandle<()>> {
        let mut idle = self.idle();
        self.retired.store(true, Ordering::Relaxed);
        idle.drain(..).map(|process| tokio::spawn(process.retire())).collect()
    }

    /// Lets go of processes that had no work for long, and of those that ended.
    pub(crate) fn shrink(&self, now: Instant) {
        let mut idle = self.idle();
        let old = |process: &mut Process| {
            process.has_ended()
                || now.saturating_duration_since(process.idle_since) >= self.declaration.idle
        };
        for process in idle.extract_if(.., old) {
            tokio::spawn(process.retire());
        }
    }

    /// Processes that wait for work, and invocations that are being served.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let busy = self.declaration.concurrency - self.slots.available_permits();
        (self.idle().len(), busy)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One line for an invocation that failed.
    fn tell(&self, request: &str, error: &FunctionError) {
        let body: serde_json::Value = serde_json::from_slice(&error.body).unwrap_or_default();
        let said = |key: &str| body.get(key).and_then(serde_json::Value::as_str).map(printable);
        let kind = said("errorType").unwrap_or_else(|| printable(&error.kind));
        let message = said("errorMessage").unwrap_or_default();
        // The host's own errors name the request already.
        let about = format!("RequestId: {request} Error: ");
        let message = message.strip_prefix(&about).unwrap_or(&message);
        tracing::warn!("function {}: {request} failed: {kind}: {message}", self.declaration.name);
    }
}

/// Invocations that wait for a process at most: each holds its event.
const PLACES: usize = 1000;

/// Parts of an answer on their way to the caller.
const PIECES: usize = 4;
