//! What the machine tells and allows: processes, pinning, limits, facts.

pub mod cores;
pub mod facts;
pub mod limits;
pub mod pin;
pub mod process;
pub mod stop;

use std::time::Duration;

use rustix::time::Timespec;

/// A duration as the kernel takes it.
pub fn timespec(duration: Duration) -> Timespec {
    // Load runs are hours at most: seconds fit.
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}

/// CPU time this thread has used so far.
pub fn thread_cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs() as u32)
}
