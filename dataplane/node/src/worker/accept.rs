//! Takes connections from a listener, as many as the worker has room for.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_engine::Listener as ListenerFacts;

use super::Worker;
use crate::http::{h1, h2};
use crate::rt::{self, Expiry, Listener, Stream};

/// Connections taken before other tasks get a turn.
const BATCH: usize = 32;

/// What a worker knows of a listener.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// What the engine may know of it.
    pub facts: ListenerFacts,
    /// Whether HTTP/2 with prior knowledge is understood there.
    pub h2c: bool,
}

/// Accepts until the worker drains.
pub async fn run(worker: Rc<Worker>, listener: Rc<Listener>, settings: Rc<ListenerSettings>) {
    let pause = worker.deadlines.deadline();
    while !worker.is_draining() {
        // Draining wakes nobody here, so the wait is bounded.
        if wait(&listener, &pause).await.is_err() {
            return;
        }
        for _ in 0..BATCH {
            if worker.shared.connections.load(Ordering::Relaxed)
                >= worker.settings.limits.connections
            {
                pause.sleep(Duration::from_millis(20)).await;
                break;
            }
            match listener.accept() {
                Ok(Some((stream, peer))) => start(&worker, stream, peer, &settings),
                Ok(None) => break,
                Err(error) => {
                    // Out of descriptors, most likely: what waits stays in the kernel's queue.
                    tracing::warn!(%error, "accept failed");
                    pause.sleep(Duration::from_millis(100)).await;
                    break;
                }
            }
        }
    }
}

/// Waits for a connection, or a second: whichever is first. A wait for readiness may be dropped.
async fn wait(listener: &Listener, pause: &rt::Deadline) -> std::io::Result<()> {
    let mut ready = std::pin::pin!(listener.readable());
    let mut tick = std::pin::pin!(pause.sleep(Duration::from_secs(1)));
    std::future::poll_fn(|cx| {
        if let std::task::Poll::Ready(done) = ready.as_mut().poll(cx) {
            return std::task::Poll::Ready(done);
        }
        tick.as_mut().poll(cx).map(|()| Ok(()))
    })
    .await
}

fn start(worker: &Rc<Worker>, stream: Stream, peer: SocketAddr, settings: &Rc<ListenerSettings>) {
    worker.shared.connections.fetch_add(1, Ordering::Relaxed);
    let open = Open(worker.clone());
    rt::task::spawn_direct(idle(open, stream, peer, settings.clone()));
}

/// Counts a connection for as long as it lives, whatever ends it.
pub(crate) struct Open(pub(crate) Rc<Worker>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an idle connection reads into: a request's head fits, nearly always, and 5,000 of them are 5 MB.
const SIP_BYTES: usize = 1024;

/// A connection between requests: a slot, a small buffer and one read. What arrives borrows the buffers of an exchange and a task's
/// worth of state, and gives them back with the answer. Measured against a poll before each read and against keeping the
/// exchange for a while: this costs the least per request, and nothing ever has to be cancelled.
async fn idle(open: Open, stream: Stream, peer: SocketAddr, settings: Rc<ListenerSettings>) {
    let deadline = open.0.deadlines.deadline();
    let mut sip = Vec::with_capacity(SIP_BYTES);
    let mut begun = !settings.h2c;
    while !open.0.is_draining() {
        deadline.arm(open.0.settings.limits.idle, Expiry::Idle(stream.fd()));
        sip.clear();
        let (read, back) = stream.read(sip).await;
        sip = back;
        deadline.disarm();
        if !matches!(read, Ok(1..)) {
            return;
        }
        while !begun {
            match h1::is_h2_preface(&sip) {
                Some(true) => {
                    // Its streams wake each other, so it is a task of the other kind.
                    return rt::spawn(h2::serve::connection(open, stream, peer, settings, sip));
                }
                Some(false) => begun = true,
                None => {
                    deadline.arm(open.0.settings.limits.head, Expiry::Shutdown(stream.fd()));
                    let (read, back) = stream.read(sip).await;
                    sip = back;
                    if deadline.disarm() || !matches!(read, Ok(1..)) {
                        return;
                    }
                }
            }
        }
        let served = h1::serve::active(&open.0, &stream, &deadline, peer, &settings.facts, &sip);
        if Box::pin(served).await == h1::serve::Next::Close {
            return;
        }
    }
}

/// What an idle connection costs beside its sip, checked where it would grow.
#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, D, F: Future>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = size_of_future(idle);
        assert!(size <= 352, "an idle connection takes {size} bytes");
    }
}
