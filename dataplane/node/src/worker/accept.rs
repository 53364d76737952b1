//! Takes connections from a listener, as many as the worker has room for.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_engine::Listener as ListenerFacts;

use super::Worker;
use crate::http::h1;
use crate::rt::{self, Expiry, Listener, Stream};

/// Connections taken before other tasks get a turn.
const BATCH: usize = 32;

/// Accepts until the worker drains.
pub async fn run(worker: Rc<Worker>, listener: Rc<Listener>, facts: Rc<ListenerFacts>) {
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
                Ok(Some((stream, peer))) => start(&worker, stream, peer, &facts),
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

fn start(worker: &Rc<Worker>, stream: Stream, peer: SocketAddr, facts: &Rc<ListenerFacts>) {
    worker.shared.connections.fetch_add(1, Ordering::Relaxed);
    let open = Open(worker.clone());
    let facts = facts.clone();
    rt::spawn(idle(open, stream, peer, facts));
}

/// Counts a connection for as long as it lives, whatever ends it.
pub(crate) struct Open(pub(crate) Rc<Worker>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection between requests: a slot and one poll. Readiness lends it buffers and a task's worth of state.
async fn idle(open: Open, stream: Stream, peer: SocketAddr, facts: Rc<ListenerFacts>) {
    let deadline = open.0.deadlines.deadline();
    while !open.0.is_draining() {
        deadline.arm(open.0.settings.limits.idle, Expiry::Idle(stream.fd()));
        if stream.readable().await.is_err() || deadline.disarm() {
            return;
        }
        let next = Box::pin(h1::serve::active(&open.0, &stream, &deadline, peer, &facts)).await;
        if next == h1::serve::Next::Close {
            return;
        }
    }
}

/// What an idle connection costs, checked where it would grow. The budget of the design is 256 bytes.
#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, D, F: Future>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = size_of_future(idle);
        assert!(size <= 256, "an idle connection takes {size} bytes");
    }
}
