//! The keeper: a small process between the host and a function's process, so that nothing of a function outlives the host.
//!
//! The host starts its own program with a word of its own. That process takes the limits and the user upon itself and the
//! function's process, starts it, and waits for one of two things: the process ends, or the host lets go of the socket between
//! them, which it also does when it is killed. Either way whatever the process has started ends too, for orphans of a keeper's
//! family become the keeper's own children.
//!
//! On the socket, which is standard input: the keeper says `started PID`, then `exit CODE`, `signal NUMBER` or `failed WHY`, a line
//! each; a byte from the host asks for a gentle end.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, kill_process,
    kill_process_group, pidfd_open, set_child_subreaper, setrlimit, wait,
};

/// What a keeper is to start, and how. As arguments of a program: [`Order::arguments`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Most bytes of data of each process.
    pub(crate) memory: u64,
    /// The user and group to become.
    pub(crate) user: Option<(u32, u32)>,
    /// Whether it may stay who it is where that user cannot start the program.
    pub(crate) or_stay: bool,
    pub(crate) command: Vec<OsString>,
}

impl Order {
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let (uid, gid) = self.user.unwrap_or_default();
        let numbers =
            [self.memory.to_string(), uid.to_string(), gid.to_string(), self.or_stay.to_string()];
        let words = [WORD.into()].into_iter().chain(numbers.map(OsString::from));
        words.chain(self.command.iter().cloned()).collect()
    }

    fn read(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut word = || arguments.next().and_then(|word| word.into_string().ok());
        let (memory, uid, gid) =
            (word()?.parse().ok()?, word()?.parse().ok()?, word()?.parse().ok()?);
        let or_stay = word()?.parse().ok()?;
        let user = (uid != 0).then_some((uid, gid));
        Some(Self { memory, user, or_stay, command: arguments.collect() })
    }
}

/// Is a keeper, if this process was started as one.
pub fn enter(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let _own_name = arguments.next();
    if arguments.next().as_deref() != Some(OsStr::new(WORD)) {
        return None;
    }
    let order = Order::read(arguments);
    let host = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let (Some(order), Ok(mut host)) = (order, host) else { return Some(ExitCode::FAILURE) };
    let said = match keep(&order, &mut host) {
        Ok(end) => end,
        Err(error) => format!("failed {error}\n"),
    };
    // A host that is gone needs no telling.
    let _ = host.write_all(said.as_bytes());
    Some(ExitCode::SUCCESS)
}

/// Runs the program until it or the host ends, and nothing of it is left.
fn keep(order: &Order, host: &mut UnixStream) -> std::io::Result<String> {
    set_child_subreaper(Some(getpid()))?;
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Data, limit(order.memory))?;
    setrlimit(Resource::Core, limit(0))?;
    let mut said = String::new();
    let child = match start(order, order.user) {
        Err(error)
            if order.or_stay
                && order.user.is_some()
                && error.kind() == ErrorKind::PermissionDenied =>
        {
            said.push_str("stayed\n");
            start(order, None)?
        }
        started => started?,
    };
    let leader = Pid::from_child(&child);
    // Infallible: it writes to a string.
    let _ = writeln!(said, "started {}", leader.as_raw_nonzero());
    host.write_all(said.as_bytes())?;
    let status = wait_for(leader, host)?;
    end_family(leader);
    Ok(match status.and_then(|status| status.terminating_signal()) {
        Some(signal) => format!("signal {signal}\n"),
        None => {
            format!("exit {}\n", status.and_then(|status| status.exit_status()).unwrap_or_default())
        }
    })
}

fn start(order: &Order, user: Option<(u32, u32)>) -> std::io::Result<std::process::Child> {
    let [program, arguments @ ..] = order.command.as_slice() else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    if let Some((uid, gid)) = user {
        // As another user once more into the directory, to see whether it may. A home of its own it has not.
        let directory = std::env::current_dir()?;
        command.uid(uid).gid(gid).current_dir(directory).env("HOME", "/tmp");
        // Names with a slash are looked up before that.
        if Path::new(program).is_relative() && program.as_encoded_bytes().contains(&b'/') {
            std::fs::metadata(program)?;
        }
    }
    command.spawn()
}

/// Waits until the process ends, or ends it for the host. Gives its status, unless it was ended at once.
fn wait_for(leader: Pid, host: &mut UnixStream) -> std::io::Result<Option<WaitStatus>> {
    let process = pidfd_open(leader, PidfdFlags::empty())?;
    let mut deadline = None;
    loop {
        let left =
            deadline.map_or(REAP, |at: Instant| at.saturating_duration_since(Instant::now()));
        let limit = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        // Once asked to end the process gently there is nothing more to hear, but for the host's own end.
        let mut events = [PollFd::new(&process, PollFlags::IN), PollFd::new(&*host, PollFlags::IN)];
        match poll(&mut events, Some(&limit)) {
            Err(rustix::io::Errno::INTR) => continue,
            other => other?,
        };
        let heard = !events[1].revents().is_empty();
        // Orphans that ended are buried here.
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == leader {
                return Ok(Some(status));
            }
        }
        if heard {
            let gently = matches!(host.read(&mut [0; 16]), Ok(1..));
            if !gently {
                return Ok(None);
            }
            // It may be gone this moment.
            let _ = kill_process_group(leader, Signal::TERM);
            deadline.get_or_insert_with(|| Instant::now() + GRACE);
        }
        if deadline.is_some_and(|at| at <= Instant::now()) {
            return Ok(None);
        }
    }
}

/// Kills the process, its group and all their orphans, until no child is left.
fn end_family(leader: Pid) {
    let _ = kill_process_group(leader, Signal::KILL);
    // Children of children become ours when these end. To have no child at all is an error.
    while let Ok(ended) = wait(WaitOptions::NOHANG) {
        if ended.is_none() {
            for child in children() {
                let _ = kill_process(child, Signal::KILL);
            }
            let _ = wait(WaitOptions::empty());
        }
    }
}

/// The children of this process.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().to_string();
    let Ok(list) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = list.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ours = pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name before it may hold anything.
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        parent == Some(&own)
    });
    ours.filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw)).collect()
}

/// No command of ours.
const WORD: &str = "__keep";

/// How often orphans are looked after.
const REAP: Duration = Duration::from_secs(5);

/// How long a process may take to end once it was asked to.
const GRACE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_back() {
        for user in [None, Some((65534, 65534))] {
            let order = Order {
                memory: 1 << 27,
                user,
                or_stay: true,
                command: vec!["a".into(), "--b".into()],
            };
            let mut words = order.arguments().into_iter();
            assert_eq!(words.next().unwrap(), WORD);
            assert_eq!(Order::read(words), Some(order));
        }
        assert!(enter(["x".into(), "up".into()].into_iter()).is_none());
    }
}
