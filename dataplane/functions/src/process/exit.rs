//! How a process ended, in the words of AWS's runtime.

use crate::error::FunctionError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exit {
    Code(i32),
    Signal(i32),
    /// It never ran; the system's words.
    NotStarted(String),
}

impl Exit {
    /// From a keeper's line.
    pub(super) fn read(word: &str, rest: &str) -> Option<Self> {
        match word {
            "exit" => rest.parse().ok().map(Self::Code),
            "signal" => rest.parse().ok().map(Self::Signal),
            "failed" => Some(Self::NotStarted(rest.to_owned())),
            _ => None,
        }
    }

    /// The error of an invocation that ended so.
    ///
    /// Source: AWS's runtime interface emulator, where a program of Go words the ends of processes.
    pub(super) fn error(&self, request: &str, command: &[String]) -> FunctionError {
        let exited = |what: &str| FunctionError::about(request, "Runtime.ExitError", what);
        match self {
            Self::Code(0) => exited("Runtime exited without providing a reason"),
            Self::Code(code) => exited(&format!("Runtime exited with error: exit status {code}")),
            Self::Signal(number) => {
                let name = SIGNALS.iter().find(|(signal, _)| signal == number);
                let name = name.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned());
                exited(&format!("Runtime exited with error: signal: {name}"))
            }
            Self::NotStarted(why) => {
                let program = command.first().map_or("", String::as_str);
                // "(os error 2)" is for programmers.
                let why = why.split(" (os error").next().unwrap_or(why).to_lowercase();
                let what = format!("fork/exec {program}: {why}");
                FunctionError::about(request, "Runtime.InvalidEntrypoint", &what)
            }
        }
    }
}

/// Go's names of signals.
const SIGNALS: &[(i32, &str)] = &[
    (1, "hangup"),
    (2, "interrupt"),
    (3, "quit"),
    (4, "illegal instruction"),
    (5, "trace/breakpoint trap"),
    (6, "aborted"),
    (7, "bus error"),
    (8, "floating point exception"),
    (9, "killed"),
    (11, "segmentation fault"),
    (13, "broken pipe"),
    (14, "alarm clock"),
    (15, "terminated"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_worded_as_aws_words_them() {
        for (line, kind, message) in [
            ("exit 0", "Runtime.ExitError", "Runtime exited without providing a reason"),
            ("exit 1", "Runtime.ExitError", "Runtime exited with error: exit status 1"),
            ("signal 9", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
            ("signal 64", "Runtime.ExitError", "Runtime exited with error: signal: 64"),
            (
                "failed No such file or directory (os error 2)",
                "Runtime.InvalidEntrypoint",
                "fork/exec ./x: no such file or directory",
            ),
        ] {
            let (word, rest) = line.split_once(' ').unwrap();
            let error = Exit::read(word, rest).unwrap().error("r", &["./x".to_owned()]);
            assert_eq!(error, FunctionError::about("r", kind, message));
        }
        assert_eq!(Exit::read("exit", "x"), None);
    }
}
