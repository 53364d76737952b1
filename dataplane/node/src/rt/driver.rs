//! Starts a worker's runtime: io_uring with the flags that measured best, epoll where the kernel or a container refuses it.

use std::cell::Cell;
use std::future::Future;
use std::io;

/// What drives a worker's I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// io_uring.
    Uring,
    /// epoll, through monoio's legacy driver.
    Epoll,
}

impl Driver {
    /// For logs, metrics and the health page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uring => "io_uring",
            Self::Epoll => "epoll",
        }
    }
}

/// What the operator asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriverChoice {
    /// io_uring if it works here, else epoll.
    #[default]
    Auto,
    /// io_uring or nothing.
    Uring,
    /// epoll.
    Epoll,
}

impl std::str::FromStr for DriverChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "io_uring" | "uring" => Ok(Self::Uring),
            "epoll" => Ok(Self::Epoll),
            _ => Err(format!("'{text}' is none of auto, io_uring and epoll")),
        }
    }
}

/// Finds the driver to use. The second value says why io_uring was passed over, if it was.
///
/// # Errors
/// If io_uring was asked for by name and does not work; the error says what refused it.
pub fn choose(choice: DriverChoice) -> io::Result<(Driver, Option<String>)> {
    if choice == DriverChoice::Epoll {
        return Ok((Driver::Epoll, None));
    }
    match probe() {
        Ok(()) => Ok((Driver::Uring, None)),
        Err(error) if choice == DriverChoice::Uring => Err(error),
        Err(error) => Ok((Driver::Epoll, Some(refusal(&error)))),
    }
}

/// One sentence for a person, with the fix.
fn refusal(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "io_uring is refused here (a container's seccomp profile or \
            kernel.io_uring_disabled); serving with epoll. To allow it, permit the io_uring_setup, io_uring_enter and \
            io_uring_register system calls."
            .into(),
        Some(libc::ENOSYS) => "this kernel has no io_uring; serving with epoll. Linux 5.11 or newer has it.".into(),
        Some(libc::ENOMEM) => "io_uring got no locked memory; serving with epoll. Raise the memlock limit (ulimit -l).".into(),
        _ => format!("io_uring does not work here ({error}); serving with epoll."),
    }
}

/// Tries a ring with one operation through it.
fn probe() -> io::Result<()> {
    let mut ring = io_uring::IoUring::new(8)?;
    let entry = io_uring::opcode::Nop::new().build();
    // SAFETY: a no-op refers to no memory.
    unsafe { ring.submission().push(&entry) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    Ok(())
}

/// Entries of a ring. monoio 0.2.4 loses a cancel when the queue is full; 4,096 leaves room for every deadline of one turn.
const ENTRIES: u32 = 4096;

thread_local! {
    static CURRENT: Cell<Driver> = const { Cell::new(Driver::Uring) };
}

/// The driver of the calling worker.
pub fn current() -> Driver {
    CURRENT.get()
}

/// Runs a future on this thread until it ends. Tasks it spawned are dropped with the runtime.
///
/// # Errors
/// If the driver cannot be started.
pub fn run<F: Future>(driver: Driver, future: F) -> io::Result<F::Output> {
    CURRENT.set(driver);
    match driver {
        Driver::Uring => {
            let build = |flags: bool| {
                let mut ring = io_uring::IoUring::builder();
                if flags {
                    // Measured on two cores: 11.8 us CPU per proxied request with these, 15.7 without. DEFER_TASKRUN measured
                    // the same and starves the ring: monoio submits without GETEVENTS while tasks are runnable.
                    ring.setup_single_issuer().setup_coop_taskrun();
                }
                monoio::RuntimeBuilder::<monoio::IoUringDriver>::new()
                    .with_entries(ENTRIES)
                    .uring_builder(ring)
                    .build()
            };
            // Kernels before 6.0 do not know the flags.
            let mut runtime = build(true).or_else(|_| build(false))?;
            Ok(runtime.block_on(future))
        }
        Driver::Epoll => {
            let mut runtime = monoio::RuntimeBuilder::<monoio::LegacyDriver>::new()
                .with_entries(ENTRIES)
                .build()?;
            Ok(runtime.block_on(future))
        }
    }
}
