//! Messages to a worker from other threads: a bounded queue and an event descriptor the worker waits on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Wake, Waker};

use crossbeam_queue::ArrayQueue;
use rustix::event::{EventfdFlags, eventfd};

use super::readiness::Pollable;

/// The worker's end.
pub struct Mailbox<T> {
    shared: Arc<Shared<T>>,
    poll: Pollable,
}

/// The other threads' end.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    queue: ArrayQueue<T>,
    event: OwnedFd,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T> Sender<T> {
    /// Sends a message and wakes the worker.
    ///
    /// # Errors
    /// Gives the message back when the queue is full.
    pub fn send(&self, message: T) -> Result<(), T> {
        let sent = self.shared.queue.push(message);
        self.wake();
        sent
    }

    /// Wakes the worker without a message.
    pub fn wake(&self) {
        // A counter that is full wakes as well.
        let _ = rustix::io::write(&self.shared.event, &1u64.to_ne_bytes());
    }
}

/// Makes a mailbox without its worker, who turns the receiving half into a [`Mailbox`] on its own thread.
///
/// # Errors
/// If the kernel gives no event descriptor.
pub fn channel<T>(capacity: usize) -> io::Result<(Sender<T>, Receiver<T>)> {
    let event = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let shared = Arc::new(Shared { queue: ArrayQueue::new(capacity), event });
    Ok((Sender { shared: shared.clone() }, Receiver { shared }))
}

/// The receiving half on its way to a worker.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Receiver<T> {
    /// Registers with the calling worker's runtime.
    ///
    /// # Errors
    /// If the driver cannot register the event descriptor.
    pub fn open(self) -> io::Result<Mailbox<T>> {
        let poll = Pollable::new(self.shared.event.try_clone()?)?;
        Ok(Mailbox { shared: self.shared, poll })
    }
}

impl<T> Mailbox<T> {
    /// Waits to be woken. Messages may be there or not. May be dropped.
    ///
    /// # Errors
    /// As poll(2).
    pub async fn woken(&self) -> io::Result<()> {
        self.poll.readable().await?;
        let mut count = [0; 8];
        let _ = rustix::io::read(self.poll.as_fd(), &mut count);
        Ok(())
    }

    /// Wakes the mailbox's own worker.
    pub fn waker(&self) -> Waker
    where
        T: Send + 'static,
    {
        Waker::from(Arc::new(Bell(self.shared.clone())))
    }

    /// Takes the next message.
    pub fn take(&self) -> Option<T> {
        self.shared.queue.pop()
    }
}

struct Bell<T>(Arc<Shared<T>>);

impl<T: Send> Wake for Bell<T> {
    fn wake(self: Arc<Self>) {
        let _ = rustix::io::write(&self.0.event, &1u64.to_ne_bytes());
    }
}
