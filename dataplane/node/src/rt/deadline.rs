//! Time limits of one worker: an array of deadlines, swept by one timer descriptor.
//!
//! Setting a limit is one store; nothing is queued, moved or cancelled in the ring, however often a request changes its limits.
//! A limit that passes shuts a socket down, so that whoever waits on it comes back with what has arrived; nothing is cancelled.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, RawFd};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use rustix::net::Shutdown;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

use super::readiness::Pollable;
use super::stream::shutdown;

/// All deadlines of a worker.
pub struct Deadlines {
    slots: RefCell<Slots>,
    timer: Pollable,
    /// When the timer fires next; `NEVER` when it is off.
    armed: Cell<u64>,
}

#[derive(Default)]
struct Slots {
    /// Milliseconds of the monotonic clock; `NEVER` when nothing is to happen. Apart from the actions, so that a sweep is one
    /// pass over a dense array.
    due: Vec<u64>,
    actions: Vec<Action>,
    free: Vec<u32>,
}

const NEVER: u64 = u64::MAX;

#[derive(Default)]
struct Action {
    what: Option<Expiry>,
    fired: bool,
    waker: Option<Waker>,
}

/// What happens when a limit passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Both directions of this socket end.
    Shutdown(RawFd),
    /// The same for a connection that has nothing under way, so that it may end early: [`Deadlines::end_idle`].
    Idle(RawFd),
    /// Reading from this socket ends; writing goes on.
    ShutdownRead(RawFd),
    /// Whoever sleeps on the deadline is woken.
    Wake,
}

/// One place for a limit, held by a connection for its life.
pub struct Deadline {
    all: Rc<Deadlines>,
    slot: u32,
}

/// The monotonic clock in milliseconds, as coarse as the kernel's tick: it costs a few nanoseconds.
pub fn now_ms() -> u64 {
    millis(ClockId::MonotonicCoarse)
}

fn millis(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

impl Deadlines {
    /// An empty set.
    ///
    /// # Errors
    /// If the kernel gives no timer.
    pub fn new() -> io::Result<Rc<Self>> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = Pollable::new(timerfd_create(TimerfdClockId::Monotonic, flags)?)?;
        Ok(Rc::new(Self { slots: RefCell::default(), timer, armed: Cell::new(NEVER) }))
    }

    /// Sweeps for as long as the worker lives; run it as a task.
    pub async fn sweep(self: Rc<Self>) {
        let mut drain = [0; 8];
        loop {
            if self.timer.readable().await.is_err() {
                return;
            }
            // The count of expirations does not matter.
            let _ = rustix::io::read(self.timer.as_fd(), &mut drain);
            self.armed.set(NEVER);
            // The coarse clock may lag behind the timer; the exact one does not.
            let next = self.fire(millis(ClockId::Monotonic));
            if next != NEVER {
                self.arm_timer(next);
            }
        }
    }

    /// Carries out what is due and returns when to look again.
    fn fire(&self, now: u64) -> u64 {
        let mut next = NEVER;
        let mut woken = Vec::new();
        let mut held = self.slots.borrow_mut();
        let slots = &mut *held;
        for (due, action) in slots.due.iter_mut().zip(&mut slots.actions) {
            if *due > now {
                next = next.min(*due);
                continue;
            }
            *due = NEVER;
            action.fired = true;
            match action.what.take() {
                Some(Expiry::Shutdown(fd) | Expiry::Idle(fd)) => shutdown(fd, Shutdown::Both),
                Some(Expiry::ShutdownRead(fd)) => shutdown(fd, Shutdown::Read),
                Some(Expiry::Wake) => woken.extend(action.waker.take()),
                None => {}
            }
        }
        drop(held);
        woken.into_iter().for_each(Waker::wake);
        next
    }

    /// Ends every connection that has nothing under way.
    pub fn end_idle(&self) {
        {
            let mut held = self.slots.borrow_mut();
            let slots = &mut *held;
            for (due, action) in slots.due.iter_mut().zip(&slots.actions) {
                if matches!(action.what, Some(Expiry::Idle(_))) {
                    *due = 0;
                }
            }
        }
        self.fire(now_ms());
    }

    fn arm_timer(&self, due: u64) {
        self.armed.set(due);
        let at = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec {
                tv_sec: (due / 1000) as i64,
                tv_nsec: (due % 1000) as i64 * 1_000_000 + 1,
            },
        };
        // An armed timer descriptor cannot refuse a valid time.
        let _ = timerfd_settime(self.timer.as_fd(), TimerfdTimerFlags::ABSTIME, &at);
    }

    /// A place for one limit.
    pub fn deadline(self: &Rc<Self>) -> Deadline {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.free.pop().unwrap_or_else(|| {
            slots.due.push(NEVER);
            slots.actions.push(Action::default());
            slots.due.len() as u32 - 1
        });
        Deadline { all: self.clone(), slot }
    }
}

impl Deadline {
    /// Sets the limit, in place of any before. It passes at most a few milliseconds late.
    pub fn arm(&self, after: Duration, what: Expiry) {
        let due = now_ms().saturating_add(after.as_millis() as u64);
        {
            let mut slots = self.all.slots.borrow_mut();
            slots.due[self.slot as usize] = due;
            let action = &mut slots.actions[self.slot as usize];
            action.what = Some(what);
            action.fired = false;
        }
        // The sweep looks at every limit when it runs, so only an earlier one needs the timer.
        if due < self.all.armed.get() {
            self.all.arm_timer(due);
        }
    }

    /// Takes the limit back. Returns whether it had passed.
    pub fn disarm(&self) -> bool {
        let mut slots = self.all.slots.borrow_mut();
        slots.due[self.slot as usize] = NEVER;
        let action = &mut slots.actions[self.slot as usize];
        action.what = None;
        std::mem::take(&mut action.fired)
    }

    /// Whether the limit has passed since it was set.
    pub fn has_fired(&self) -> bool {
        self.all.slots.borrow().actions[self.slot as usize].fired
    }

    /// Calls `waker` after a while, in place of any limit before.
    pub fn arm_wake(&self, after: Duration, waker: Waker) {
        self.arm(after, Expiry::Wake);
        self.all.slots.borrow_mut().actions[self.slot as usize].waker = Some(waker);
    }

    /// Waits for a while. May be dropped.
    pub async fn sleep(&self, pause: Duration) {
        let mut armed = false;
        poll_fn(|cx| {
            if !armed {
                armed = true;
                self.arm_wake(pause, cx.waker().clone());
                return Poll::Pending;
            }
            if self.disarm_if_fired() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn disarm_if_fired(&self) -> bool {
        self.has_fired() && self.disarm()
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let mut slots = self.all.slots.borrow_mut();
        slots.due[self.slot as usize] = NEVER;
        slots.actions[self.slot as usize] = Action::default();
        slots.free.push(self.slot);
    }
}
