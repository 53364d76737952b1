//! Pinning threads and processes to cores.

use std::{io, thread};

use rustix::{
    process::Pid,
    thread::{CpuSet, sched_setaffinity},
};

/// Pins the calling thread; threads and processes it starts inherit this.
pub fn current_thread(cpu: usize) -> io::Result<()> {
    set(None, cpu)
}

/// Pins every thread that the process has now.
pub fn process(pid: u32, cpu: usize) -> io::Result<()> {
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let name = task?.file_name();
        let thread = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        match set(thread, cpu) {
            // The thread ended meanwhile.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Runs `start` on a short-lived thread pinned to `cpu`, so that a child process is born there.
pub fn born_on<T: Send>(cpu: usize, start: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let born = scope.spawn(|| current_thread(cpu).map(|()| start()));
        born.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn set(thread: Option<Pid>, cpu: usize) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from).max(cpu_count());
    if cpu >= cores {
        let hint = format!("cannot pin to core {cpu}: this machine has cores 0 to {}", cores - 1);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, hint));
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(thread, &set)?)
}

/// Cores of the machine, whatever this thread is pinned to.
pub fn cpu_count() -> usize {
    let listed = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    listed.lines().filter(|line| line.starts_with("processor")).count().max(1)
}
