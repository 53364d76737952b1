//! How children come to die with `up`, even when it is killed.
//!
//! The kernel kills a process whose parent ends if the process asked for it. So `up` starts itself with a word of its own, asks,
//! and becomes the child's program: the wish outlives the change of program.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

/// A command that becomes `program` and dies with this thread, in a process group of its own: Ctrl-C at a terminal reaches
/// `up` alone, which drains its children in order.
pub(super) fn bound_to_us(program: &Path, arguments: &[OsString]) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(WORD).arg(getpid().as_raw_nonzero().to_string());
    command.arg(program).args(arguments).process_group(0);
    Ok(command)
}

/// Becomes the child's program if this process was started by [`bound_to_us`]; comes back with a code if that fails.
pub(in crate::cli) fn enter(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let _own_name = arguments.next();
    if arguments.next().as_deref() != Some(OsStr::new(WORD)) {
        return None;
    }
    let parent =
        arguments.next().and_then(|pid| pid.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let (Some(parent), Some(program)) = (parent, arguments.next()) else {
        return Some(ExitCode::FAILURE);
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        eprintln!("tidegate: a child cannot be bound to its parent: {error}");
        return Some(ExitCode::FAILURE);
    }
    // A parent that ended before the wish was made will not end again.
    if getppid() != Some(parent) {
        return Some(ExitCode::FAILURE);
    }
    let error = Command::new(&program).args(arguments).exec();
    eprintln!("tidegate: {} cannot be started: {error}", Path::new(&program).display());
    Some(ExitCode::FAILURE)
}

/// No command of ours.
const WORD: &str = "__become";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_are_not_ours() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert!(enter(words(&["tidegate", "up"]).into_iter()).is_none());
        assert!(enter(words(&["tidegate"]).into_iter()).is_none());
        assert!(enter(words(&["tidegate", WORD, "x"]).into_iter()).is_some());
    }
}
