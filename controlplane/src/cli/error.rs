//! Why a command failed, with what to do about it.

use std::path::PathBuf;

use tonic::{Code, Status};

/// Why a command failed. Each text is for the terminal.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// Not an address.
    #[error("{0:?} is no address of a control plane; write for example http://127.0.0.1:4701")]
    Address(String),
    /// Nobody there.
    #[error(
        "no control plane answers at {control}; is `tidegate up` running? Start it, or name another with --control URL"
    )]
    Unreachable {
        /// As given.
        control: String,
    },
    /// The control plane said no.
    #[error("{message} ({name})")]
    Refused {
        /// AWS's name of the error, or gRPC's of the status.
        name: String,
        /// What it said.
        message: String,
    },
    /// No such API.
    #[error("no API has the id or the name {0:?}; `tidegate apis` lists them")]
    UnknownApi(String),
    /// Several such APIs.
    #[error("several APIs are named {name:?}: {ids}; give an id")]
    Ambiguous {
        /// As given.
        name: String,
        /// Theirs.
        ids: String,
    },
    /// A file that is not there, as a rule.
    #[error("{path} cannot be read")]
    File {
        /// As given.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// An argument makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A template is none, or failed; with the place in its file.
    #[error("{0}")]
    Template(String),
    /// Start-up or a child of `up` failed; a whole sentence.
    #[error("{0}")]
    Up(String),
    /// The system refused something that never fails.
    #[error("{what}")]
    System {
        /// What.
        what: &'static str,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

impl CliError {
    /// What a failed call means.
    pub(super) fn of(control: &str, status: &Status) -> Self {
        let name = status.metadata().get(crate::grpc::management::ERROR);
        match name.and_then(|name| name.to_str().ok()) {
            Some(name) => {
                Self::Refused { name: name.to_owned(), message: status.message().to_owned() }
            }
            // Only a control plane names its errors; without a name nobody may have been there.
            None if matches!(status.code(), Code::Unavailable | Code::Unknown) => {
                Self::Unreachable { control: control.to_owned() }
            }
            None => Self::Refused {
                name: format!("{:?}", status.code()),
                message: status.message().to_owned(),
            },
        }
    }
}

/// An error with its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
