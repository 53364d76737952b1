//! Limits of open files and the kernel's timer slack.

use std::{io, num::NonZeroU64};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one and answers it.
pub fn raise_open_files() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Like [`raise_open_files`], and refuses when `needed` more would not fit.
pub fn need_open_files(needed: u64) -> io::Result<()> {
    // Logs, epolls, listeners and what a comparison keeps open beside connections.
    const SPARE: u64 = 128;
    let limit = raise_open_files()?;
    if limit < needed + SPARE {
        let hint = format!(
            "{needed} connections need {} open files, the hard limit is {limit}",
            needed + SPARE
        );
        return Err(io::Error::other(format!(
            "{hint}: run `ulimit -Hn {}` as root, or ask for fewer",
            needed + SPARE
        )));
    }
    Ok(())
}

/// Lets this thread's timers fire on time: the default slack of 50 us would delay every paced send.
pub fn exact_timers() {
    // Refused only by seccomp; then sends are late by the slack, which the report's latencies include.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
}
