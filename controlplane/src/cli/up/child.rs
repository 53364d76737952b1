//! One child: its start, its lines, its end.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::super::error::CliError;
use super::{humane, parent};

/// A running child. Dropping it kills it.
pub(super) struct Child {
    /// As messages call it.
    name: &'static str,
    process: tokio::process::Child,
    ready: Option<oneshot::Receiver<Ready>>,
    /// The last thing it complained of, for when it ends.
    complaint: Arc<Mutex<Option<String>>>,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

/// What a child says when it serves: `ready name=value ...`.
#[derive(Debug, Default)]
pub(super) struct Ready {
    values: HashMap<String, String>,
}

impl Ready {
    fn parse(line: &str) -> Option<Self> {
        let pairs = line.strip_prefix("ready ")?.split_whitespace();
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        let values = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { values })
    }

    /// The URL under this name.
    pub(super) fn address(&self, name: &str) -> Result<String, CliError> {
        let missing = || CliError::Up(format!("a child did not say its {name} address"));
        self.values.get(name).cloned().ok_or_else(missing)
    }
}

impl Child {
    /// Starts the program that stands beside our own. Lines that begin with `hint: ` go to `hints` without that word; other lines
    /// go to standard error. `variables` are added to its environment.
    pub(super) fn start(
        name: &'static str,
        program: &str,
        arguments: &[OsString],
        variables: &[(&str, &str)],
        hints: Option<mpsc::Sender<String>>,
    ) -> Result<Self, CliError> {
        let path = beside_us(program)?;
        let failed = |cause| CliError::Up(format!("{} cannot be started: {cause}", path.display()));
        let mut command = parent::bound_to_us(&path, arguments).map_err(failed)?;
        for variable in super::settings::VARIABLES {
            command.env_remove(variable);
        }
        // The terminal is for what concerns its user; who looks for more asks for it.
        if std::env::var_os(LOG).is_none() {
            command.env(LOG, "warn");
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let mut process = command.kill_on_drop(true).spawn().map_err(failed)?;

        let complaint = Arc::new(Mutex::new(None));
        let (tell, ready) = oneshot::channel();
        let mut readers = Vec::new();
        if let Some(out) = process.stdout.take() {
            readers.push(tokio::spawn(announcements(out, tell)));
        }
        if let Some(err) = process.stderr.take() {
            let prefix = format!("{program}: ");
            readers.push(tokio::spawn(complaints(err, prefix, complaint.clone(), hints)));
        }
        Ok(Self { name, process, ready: Some(ready), complaint, readers })
    }

    /// Waits until it serves.
    pub(super) async fn ready(&mut self, limit: Duration) -> Result<Ready, CliError> {
        let ready = self.ready.take();
        let waiting = async {
            match ready {
                Some(ready) => ready.await.ok(),
                None => None,
            }
        };
        match tokio::time::timeout(limit, waiting).await {
            Ok(Some(ready)) => Ok(ready),
            Ok(None) => Err(CliError::Up(self.ended().await)),
            Err(_) => Err(CliError::Up(format!(
                "{} did not start within {}; its messages stand above",
                self.name,
                humane(limit)
            ))),
        }
    }

    /// Waits until it ends and says why, as far as it said so.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.process.wait().await;
        for reader in self.readers.drain(..) {
            // Its last words are still in the pipe.
            let _ = tokio::time::timeout(LAST_WORDS, reader).await;
        }
        let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).take();
        complaint.unwrap_or_else(|| format!("{} ended: {}", self.name, words(status)))
    }

    /// Asks it to drain and waits, for at most `limit`; then it is killed.
    pub(super) async fn stop(&mut self, limit: Duration) {
        let pid = self.process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            // It may have ended by itself meanwhile.
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(limit, self.process.wait()).await.is_err() {
            eprintln!(
                "tidegate: {} did not drain within {}; it is killed",
                self.name,
                humane(limit)
            );
            let _ = self.process.kill().await;
        }
    }
}

/// The path of the program that stands beside our own.
pub(in crate::cli) fn beside_us(program: &str) -> Result<PathBuf, CliError> {
    let own = std::env::current_exe();
    let own = own.map_err(|cause| CliError::System { what: "this program has no path", cause })?;
    let path = own.with_file_name(program);
    if path.is_file() {
        return Ok(path);
    }
    Err(CliError::Up(format!(
        "{} is missing; install it beside {} (in a source tree: cargo build --bins)",
        path.display(),
        own.display()
    )))
}

fn words(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Reads standard output: the line that says where it serves, and whatever else.
async fn announcements(out: impl AsyncRead + Unpin, tell: oneshot::Sender<Ready>) {
    let mut tell = Some(tell);
    let mut lines = BufReader::new(out).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match (Ready::parse(&line), tell.take()) {
            // Nobody listens any more: the start was given up.
            (Some(ready), Some(tell)) => drop(tell.send(ready)),
            (_, waiting) => {
                tell = waiting;
                eprintln!("{line}");
            }
        }
    }
}

/// Reads standard error. The reason a program gives before it ends begins with its name; it is kept and told once.
async fn complaints(
    err: impl AsyncRead + Unpin,
    prefix: String,
    complaint: Arc<Mutex<Option<String>>>,
    hints: Option<mpsc::Sender<String>>,
) {
    let mut lines = BufReader::new(err).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(reason) = line.strip_prefix(&prefix) {
            let mut kept = complaint.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(earlier) = kept.replace(reason.to_owned()) {
                eprintln!("{earlier}");
            }
        } else if let (Some(hint), Some(hints)) = (line.strip_prefix("hint: "), &hints) {
            // Reading goes on whatever becomes of hints: a full pipe would stop the child.
            let _ = hints.try_send(hint.to_owned());
        } else {
            eprintln!("{line}");
        }
    }
}

/// What children report.
const LOG: &str = "TIDEGATE_LOG";

/// What is in a pipe is read in no time.
const LAST_WORDS: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let ready =
            Ready::parse("ready http=http://127.0.0.1:1 node-admin=http://127.0.0.1:2").unwrap();
        assert_eq!(ready.address("http").unwrap(), "http://127.0.0.1:1");
        assert!(ready.address("https").is_err());
        assert!(Ready::parse("already http=x").is_none());
    }

    #[tokio::test]
    async fn hints_and_reasons_are_taken_out() {
        let (hints, mut hinted) = mpsc::channel(1);
        let complaint = Arc::new(Mutex::new(None));
        let text = "hint: one\nhint: too many\nx: no port\n";
        complaints(text.as_bytes(), "x: ".to_owned(), complaint.clone(), Some(hints)).await;
        assert_eq!(hinted.recv().await.as_deref(), Some("one"));
        assert_eq!(hinted.recv().await, None);
        assert_eq!(complaint.lock().unwrap().as_deref(), Some("no port"));
    }
}
