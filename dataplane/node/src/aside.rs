//! Work that takes long, beside the workers: templates, large bodies and compression that would keep everybody waiting.
//!
//! As many threads as there are workers, with little priority: they take what workers leave of the cores, so that a request which
//! is made to take long slows nothing but itself and those like it. What waits here is bounded by the connections that wait for it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tidegate_engine::Abandoned;

use crate::rt::Deadlines;

/// Steps that a worker takes itself: about a millisecond of a template, or a body of some 300 KB.
pub const PATIENCE: u64 = 20_000;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, as all workers see them. They end with the last worker.
#[derive(Clone)]
pub struct Helpers {
    jobs: Sender<Job>,
}

impl Helpers {
    /// Starts the threads.
    ///
    /// # Errors
    /// If one cannot be made.
    pub fn start(threads: usize) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for index in 0..threads {
            let queue = queue.clone();
            std::thread::Builder::new().name(format!("aside-{index}")).spawn(move || {
                // Without it they compete with the workers as equals.
                let _ = rustix::process::setpriority_process(None, NICE);
                serve(&queue);
            })?;
        }
        Ok(Self { jobs })
    }
}

/// A tenth of a worker's share of a core that both want.
const NICE: i32 = 10;

fn serve(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a request panicked; its connection is closed");
        }
    }
}

/// One worker's way to the threads.
pub struct Aside {
    helpers: Helpers,
    /// Wakes the worker, which then [wakes](Self::wake) those whose work is done.
    bell: Arc<dyn Fn() + Send + Sync>,
    waiting: RefCell<HashMap<u64, Waiting>>,
    next: Cell<u64>,
}

/// Somebody who waits.
struct Waiting {
    done: Arc<AtomicBool>,
    waker: Waker,
}

impl Aside {
    /// A way for the worker that `bell` wakes.
    pub fn new(helpers: Helpers, bell: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { helpers, bell, waiting: RefCell::default(), next: Cell::new(0) }
    }

    /// Wakes those whose work is done, and nobody else: there may be thousands. The worker calls it whenever it is woken.
    pub fn wake(&self) {
        for held in self.waiting.borrow().values() {
            if held.done.load(Ordering::Acquire) {
                held.waker.wake_by_ref();
            }
        }
    }

    /// Has work done and waits for it; nothing comes of work that panics. `is_gone` is asked now and then whether anybody still wants
    /// it: if not when its turn comes, the work is told.
    pub async fn ask<T: Send + 'static>(
        &self,
        deadlines: &Rc<Deadlines>,
        is_gone: impl Fn() -> bool,
        work: impl FnOnce(Result<(), Abandoned>) -> T + Send + 'static,
    ) -> Option<T> {
        const LOOK: Duration = Duration::from_millis(100);
        let (send, outcome) = channel();
        let (wanted, done) = (Arc::new(()), Arc::new(AtomicBool::new(false)));
        let still = Arc::downgrade(&wanted);
        let rings = Rings { done: done.clone(), bell: self.bell.clone() };
        let mut wanted = Some(wanted);
        let job = move || {
            // It rings when the channel is closed, also when the work panics: what is declared later goes earlier.
            let _rings = rings;
            let send = send;
            let _ = send.send(work(still.upgrade().map(drop).ok_or(Abandoned)));
        };
        self.helpers.jobs.send(Box::new(job)).ok()?;
        let place = Place { aside: self, number: self.next.get() };
        self.next.set(place.number + 1);
        let deadline = deadlines.deadline();
        let mut looks = false;
        poll_fn(|cx| match outcome.try_recv() {
            Ok(done) => Poll::Ready(Some(done)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                if wanted.is_some() && (!looks || deadline.has_fired()) {
                    if looks && is_gone() {
                        wanted = None;
                    } else {
                        looks = true;
                        deadline.arm_wake(LOOK, cx.waker().clone());
                    }
                }
                let waiting = Waiting { done: done.clone(), waker: cx.waker().clone() };
                self.waiting.borrow_mut().insert(place.number, waiting);
                Poll::Pending
            }
        })
        .await
    }
}

/// A place among those who wait, given up when it goes.
struct Place<'a> {
    aside: &'a Aside,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.aside.waiting.borrow_mut().remove(&self.number);
    }
}

/// Says that work is done, and rings, when it goes.
struct Rings {
    done: Arc<AtomicBool>,
    bell: Arc<dyn Fn() + Send + Sync>,
}

impl Drop for Rings {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
        (self.bell)();
    }
}
