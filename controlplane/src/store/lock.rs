//! One process per data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Why a data directory is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "data directory {directory} is in use by process {pid}; stop it or choose another with --data-dir"
    )]
    Held {
        /// The directory, as given.
        directory: PathBuf,
        /// Who has it, as far as it said so.
        pid: String,
    },
    /// The lock file could not be made.
    #[error("data directory {directory} cannot be used")]
    Unusable {
        /// The directory, as given.
        directory: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

/// A data directory that is ours until this value is dropped or the process ends.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes `directory`, making it if need be. Never waits.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        let unusable = |cause| LockError::Unusable { directory: directory.to_owned(), cause };
        std::fs::create_dir_all(directory).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(FILE))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Only for the message: whoever holds the lock may not have written its number yet.
                let _ = file.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() {
                    "unknown".to_owned()
                } else {
                    pid.trim().to_owned()
                };
                return Err(LockError::Held { directory: directory.to_owned(), pid });
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

/// Name of the lock file; it stays behind, only the lock on it counts.
const FILE: &str = "control.lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirLock::take(directory.path()).unwrap();
        let told = DirLock::take(directory.path()).unwrap_err().to_string();
        assert!(told.contains(&std::process::id().to_string()), "{told}");
        assert!(told.contains(&directory.path().display().to_string()), "{told}");
        drop(first);
        DirLock::take(directory.path()).unwrap();
    }
}
