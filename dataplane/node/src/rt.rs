//! The one place that names the runtime: rings, sockets, deadlines, tasks, mailboxes.
//!
//! Everything above it could run on another runtime. The rules it keeps, all from monoio 0.2.4's source:
//! - Nothing drops, selects over or cancels a bare read: it may lose bytes the kernel already delivered, and monoio drops a cancel
//!   when its queue is full. Reads end by themselves or by a deadline that shuts the socket down.
//! - Polls for readiness may be dropped: they carry no bytes.
//! - No monoio timer and no `yield_now`: deadlines are one array swept by one timerfd, and the runtime's own yield puts a task in
//!   front of all others.
//! - A task that wakes itself while it is polled is put behind an I/O turn ([`spawn`]).
//!
//! | module | holds |
//! |---|---|
//! | [`mod@driver`] | io_uring with its flags, epoll where it is refused |
//! | [`stream`] | completion reads and writes on a socket |
//! | [`readiness`] | poll-style reads and writes, for protocols written that way |
//! | [`listen`] | accepting |
//! | [`deadline`] | time limits |
//! | [`mod@task`] | spawning |
//! | [`mailbox`] | messages from other threads |

pub mod deadline;
pub mod driver;
pub mod listen;
pub mod mailbox;
pub mod readiness;
pub mod stream;
pub mod task;

pub use deadline::{Deadline, Deadlines, Expiry};
pub use driver::{Driver, DriverChoice, run};
pub use listen::Listener;
pub use mailbox::{Mailbox, Sender};
pub use readiness::{PollStream, Pollable};
pub use stream::Stream;
pub use task::spawn;
