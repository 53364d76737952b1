//! Invocations of type `Event`: accepted at once, worked off later, tried again when the function fails.
//!
//! Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation": two more attempts, one
//! minute and two minutes later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::error::CallError;
use crate::function::Function;
use crate::host::Host;
use crate::invocation::{Piece, Request};

/// Events that wait or are being worked off. They are in memory only: a host that stops loses them, and says how many.
#[derive(Debug)]
pub struct Queue {
    /// In KiB.
    room: Arc<Semaphore>,
    events: Arc<AtomicUsize>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM_KIB)), events: Arc::default() }
    }
}

impl Queue {
    /// Takes an event in.
    ///
    /// # Errors
    /// If there is no room for it.
    pub(crate) fn push(
        &self,
        host: &Arc<Host>,
        function: &Arc<Function>,
        request: Request,
    ) -> Result<(), CallError> {
        // Each costs something, however small it is.
        let size = u32::try_from(LEAST_KIB + request.event.len() / 1024).unwrap_or(u32::MAX);
        let room =
            self.room.clone().try_acquire_many_owned(size).map_err(|_| CallError::QueueFull)?;
        self.events.fetch_add(1, Ordering::Relaxed);
        let (host, events) = (host.clone(), self.events.clone());
        let name = function.declaration().name.clone();
        tokio::spawn(async move {
            work_off(&host, &name, request).await;
            events.fetch_sub(1, Ordering::Relaxed);
            drop(room);
        });
        Ok(())
    }

    /// Events that are not worked off yet.
    pub fn len(&self) -> usize {
        self.events.load(Ordering::Relaxed)
    }

    /// Whether there is no such event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

async fn work_off(host: &Arc<Host>, name: &str, request: Request) {
    for attempt in 1..=ATTEMPTS {
        // Each time the function as it is then.
        let Some(function) = host.function(name) else { break };
        let request = Request {
            id: request.id.clone(),
            event: request.event.clone(),
            arn: request.arn.clone(),
            trace: request.trace.clone(),
            client_context: request.client_context.clone(),
        };
        let Ok(mut pieces) = function.invoke_patiently(request).await else { break };
        let mut failed = false;
        while let Some(piece) = pieces.recv().await {
            if let Piece::End(ending) = piece {
                failed = ending.error.is_some();
            }
        }
        if !failed {
            return;
        }
        if attempt < ATTEMPTS {
            tokio::time::sleep(function.declaration().async_retry * attempt).await;
        }
    }
    tracing::warn!("function {name}: the event {} is given up", request.id);
}

/// One and two more. Source: as above.
const ATTEMPTS: u32 = 3;

/// What all events together may hold.
const ROOM_KIB: usize = 64 * 1024;

/// What an event costs beside its bytes.
const LEAST_KIB: usize = 16;
