//! Spawning, with fairness and isolation.
//!
//! monoio puts a task that wakes itself while it is polled in front of every other task, so that one such task starves the worker.
//! A spawned future here gets a waker that notes such a wake-up and lets it take effect behind the next turn of the ring.
//! A panic ends the task that panicked and nothing else.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use super::mailbox::{Mailbox, Sender, channel};

/// Starts a task on the calling worker.
///
/// # Panics
/// If the calling thread runs no worker.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    monoio::spawn(Fair { future, gate: Arc::default(), waker: None });
}

/// Starts a task that never wakes itself while it is polled, because all it ever waits for comes through the ring: connections.
/// Saves an atomic count for every wait. A panic ends the task that panicked and nothing else.
///
/// # Panics
/// If the calling thread runs no worker.
pub fn spawn_direct(future: impl Future<Output = ()> + 'static) {
    monoio::spawn(Guarded { future });
}

struct Guarded<F> {
    future: F,
}

impl<F: Future<Output = ()>> Future for Guarded<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the field is pinned with the whole and never moved out.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        catch_unwind(AssertUnwindSafe(|| future.poll(cx))).unwrap_or_else(|_| panicked())
    }
}

fn panicked() -> Poll<()> {
    tracing::error!("a task panicked; its connection is closed");
    Poll::Ready(())
}

#[derive(Default)]
struct Gate {
    /// The task's own waker; the same for its whole life.
    task: OnceLock<Waker>,
    state: AtomicU8,
}

const IDLE: u8 = 0;
const POLLING: u8 = 1;
const WOKEN_WHILE_POLLING: u8 = 2;

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Wakers do not leave their worker, so plain loads and stores are enough.
        if self.state.load(Relaxed) == IDLE {
            if let Some(task) = self.task.get() {
                task.wake_by_ref();
            }
        } else {
            self.state.store(WOKEN_WHILE_POLLING, Relaxed);
        }
    }
}

struct Fair<F> {
    future: F,
    gate: Arc<Gate>,
    /// The gate as a waker, made once.
    waker: Option<Waker>,
}

impl<F: Future<Output = ()>> Future for Fair<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `future` is never moved out; the other fields are never pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let waker = this.waker.get_or_insert_with(|| {
            let _ = this.gate.task.set(cx.waker().clone());
            Waker::from(this.gate.clone())
        });
        this.gate.state.store(POLLING, Relaxed);
        // SAFETY: as above: `this` is pinned, and so is its field.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        let polled =
            catch_unwind(AssertUnwindSafe(|| future.poll(&mut Context::from_waker(waker))));
        let woken = this.gate.state.swap(IDLE, Relaxed) == WOKEN_WHILE_POLLING;
        match polled {
            Ok(Poll::Pending) => {
                if woken {
                    defer(cx.waker().clone());
                }
                Poll::Pending
            }
            Ok(Poll::Ready(())) => Poll::Ready(()),
            Err(_) => panicked(),
        }
    }
}

struct Deferred {
    waiting: RefCell<Vec<Waker>>,
    turn: Sender<()>,
}

thread_local! {
    static DEFERRED: RefCell<Option<Rc<Deferred>>> = const { RefCell::new(None) };
}

/// Wakes a task behind the next turn of the ring.
fn defer(waker: Waker) {
    let deferred = DEFERRED.with_borrow_mut(|held| held.get_or_insert_with(start).clone());
    deferred.waiting.borrow_mut().push(waker);
    if deferred.waiting.borrow().len() == 1 {
        deferred.turn.wake();
    }
}

/// Starts the task that waits for the ring and then wakes who waits: its own wait goes through the kernel, behind all I/O that
/// is ready.
fn start() -> Rc<Deferred> {
    let (turn, receiver) = channel(1).expect("a worker has descriptors left for one event");
    let deferred = Rc::new(Deferred { waiting: RefCell::default(), turn });
    let held = deferred.clone();
    monoio::spawn(async move {
        let Ok(mailbox): Result<Mailbox<()>, _> = receiver.open() else { return };
        while mailbox.woken().await.is_ok() {
            for waker in held.waiting.take() {
                waker.wake();
            }
        }
    });
    deferred
}

/// Forgets the calling thread's deferral task; a worker calls this when its runtime ends, so that the next one starts anew.
pub fn reset() {
    DEFERRED.with_borrow_mut(|held| *held = None);
}
