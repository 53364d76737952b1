//! CPU time, context switches and memory of a process, from /proc.

use std::{fs, io, time::Duration};

use serde::Serialize;

/// What a process had used up when it was read. Threads are included, child processes are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub user: Duration,
    pub system: Duration,
    /// Waits and preemptions of the threads alive now.
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
}

/// Memory of a process now, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    pub anonymous: u64,
    pub resident: u64,
}

impl Usage {
    pub fn of(pid: u32) -> io::Result<Self> {
        let (user, system) =
            cpu_ticks(&read(pid, "stat")?).ok_or_else(|| unreadable(pid, "stat"))?;
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
        let mut usage = Self {
            user: Duration::from_nanos(user * tick),
            system: Duration::from_nanos(system * tick),
            ..Self::default()
        };
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            // A thread that ended meanwhile takes its count along.
            let Ok(status) = fs::read_to_string(task?.path().join("status")) else { continue };
            usage.voluntary_switches += field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
            usage.involuntary_switches +=
                field(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
        }
        Ok(usage)
    }

    /// Sum over several processes.
    pub fn of_all(pids: &[u32]) -> io::Result<Self> {
        pids.iter().try_fold(Self::default(), |sum, pid| Ok(sum.plus(Self::of(*pid)?)))
    }

    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }

    fn plus(self, other: Self) -> Self {
        Self {
            user: self.user + other.user,
            system: self.system + other.system,
            voluntary_switches: self.voluntary_switches + other.voluntary_switches,
            involuntary_switches: self.involuntary_switches + other.involuntary_switches,
        }
    }

    pub fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            voluntary_switches: self.voluntary_switches.saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(earlier.involuntary_switches),
        }
    }
}

impl Memory {
    pub fn of(pid: u32) -> io::Result<Self> {
        let status = read(pid, "status")?;
        let kib = |name| field(&status, name).ok_or_else(|| unreadable(pid, "status"));
        Ok(Self { anonymous: kib("RssAnon:")? * 1024, resident: kib("VmRSS:")? * 1024 })
    }

    pub fn of_all(pids: &[u32]) -> io::Result<Self> {
        pids.iter().try_fold(Self::default(), |sum, pid| {
            let one = Self::of(*pid)?;
            Ok(Self {
                anonymous: sum.anonymous + one.anonymous,
                resident: sum.resident + one.resident,
            })
        })
    }
}

/// The process and all its descendants, as a server with worker processes needs them counted.
pub fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> =
        all().into_iter().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(parents.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child));
        next += 1;
    }
    found
}

/// Name of the executable as the kernel keeps it: at most 15 characters.
pub fn name(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

fn all() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn parent(pid: u32) -> Option<u32> {
    after_name(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()
}

fn read(pid: u32, file: &str) -> io::Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).map_err(|error| {
        io::Error::new(error.kind(), format!("{path}: {error}; is process {pid} still running?"))
    })
}

fn unreadable(pid: u32, file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("/proc/{pid}/{file} says nothing about usage: has process {pid} ended?"),
    )
}

/// The fields after the name, which may itself hold spaces and parentheses.
fn after_name(stat: &str) -> Option<&str> {
    stat.rfind(')').and_then(|at| stat.get(at + 2..))
}

/// utime and stime: fields 14 and 15 of proc_pid_stat(5), counted from 1 with the name as the second.
fn cpu_ticks(stat: &str) -> Option<(u64, u64)> {
    let mut fields = after_name(stat)?.split(' ').skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_an_awkward_name() {
        let stat = "12 (a) b (c)) S 1 12 12 0 -1 4194560 100 0 0 0 77 33 0 0 20 0 1 0 100";
        assert_eq!(cpu_ticks(stat), Some((77, 33)));
    }

    #[test]
    fn this_process() {
        let pid = std::process::id();
        assert!(Memory::of(pid).unwrap().resident > 0);
        assert!(Usage::of(pid).unwrap().voluntary_switches > 0);
        assert_eq!(tree(pid)[0], pid);
    }
}
