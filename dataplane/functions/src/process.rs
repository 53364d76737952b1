//! A process of a function: its start, the invocations it serves, its end.

mod environment;
mod exit;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};

use crate::declaration::{Declaration, RunAs};
use crate::error::FunctionError;
use crate::invocation::{Piece, Request};
use crate::keeper::Order;
use crate::log::{Log, Voice};
use crate::runtime_api::{Invocation, Phase, Reply, Session};
use exit::Exit;

/// What all processes of a host have in common.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The program that keeps processes: `tidegate-functions`.
    pub keeper: PathBuf,
    /// Part of ARNs.
    pub region: String,
    /// Twelve digits; part of ARNs.
    pub account: String,
    /// Where their output goes.
    pub log: Log,
}

/// A process. Dropping it kills it, with all that it has started.
#[derive(Debug)]
pub(crate) struct Process {
    phase: watch::Receiver<Phase>,
    invocations: mpsc::Sender<Invocation>,
    exit: watch::Receiver<Option<Exit>>,
    /// The keeper ends when this does.
    leash: OwnedWriteHalf,
    server: tokio::task::JoinHandle<()>,
    voice: Arc<Voice>,
    /// Since when it has no work.
    pub(crate) idle_since: Instant,
}

/// How an invocation went that the process has taken.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) outcome: Result<(), FunctionError>,
    /// Whether the process may serve another one.
    pub(crate) usable: bool,
    /// The end of what it printed.
    pub(crate) tail: Vec<u8>,
}

impl Process {
    /// Starts a process and waits until it asks for its first invocation. `request` is what it is started for; errors name it.
    pub(crate) async fn start(
        declaration: &Declaration,
        surroundings: &Surroundings,
        request: &Request,
    ) -> Result<Self, FunctionError> {
        let about = |kind: &str, what: &str| FunctionError::about(&request.id, kind, what);
        if !declaration.directory.is_dir() {
            let what = format!("chdir {}: no such directory", declaration.directory.display());
            return Err(about("Runtime.InvalidWorkingDir", &what));
        }
        let voice = Arc::new(Voice::new(&declaration.name, surroundings.log.clone()));
        let (session, invocations) = Session::new(voice.clone());
        let phase = session.phase();
        let system = |error: std::io::Error| about("Runtime.Unknown", &error.to_string());
        let (address, server) = session.serve().await.map_err(system)?;
        let spawned = spawn(declaration, surroundings, address, &voice);
        let (leash, exit) = spawned.inspect_err(|_| server.abort()).map_err(system)?;
        let idle_since = Instant::now();
        let mut process = Self { phase, invocations, exit, leash, server, voice, idle_since };
        process.started(declaration, &request.id).await?;
        Ok(process)
    }

    async fn started(
        &mut self,
        declaration: &Declaration,
        request: &str,
    ) -> Result<(), FunctionError> {
        let ready = |phase: &Phase| matches!(phase, Phase::Waiting | Phase::Failed(_));
        tokio::select! {
            biased;
            phase = self.phase.wait_for(ready) => match phase.as_deref() {
                Ok(Phase::Failed(error)) => Err(error.clone()),
                _ => Ok(()),
            },
            exit = exited(&mut self.exit) => Err(exit.error(request, &declaration.command())),
            () = tokio::time::sleep(declaration.init_timeout) => {
                Err(timed_out(request, declaration.init_timeout))
            }
        }
    }

    /// Whether it could take an invocation this moment, as far as one knows.
    pub(crate) fn is_waiting(&self) -> bool {
        *self.phase.borrow() == Phase::Waiting && self.exit.borrow().is_none()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// Gives the process an invocation and passes on what it answers. Nothing, if it ended before it took the invocation, or
    /// did not come back from its last one within the function's time: then another process may have it.
    pub(crate) async fn serve(
        &mut self,
        declaration: &Declaration,
        request: &Arc<Request>,
        out: &mpsc::Sender<Piece>,
    ) -> Option<Served> {
        let (taken, took) = oneshot::channel();
        let (reply, mut replies) = mpsc::channel(REPLIES);
        let timeout = declaration.timeout;
        let invocation = Invocation { request: request.clone(), timeout, taken, reply };
        let took = async {
            self.invocations.send(invocation).await.ok()?;
            took.await.ok()
        };
        tokio::select! {
            biased;
            took = took => took?,
            _ = exited(&mut self.exit) => return None,
            () = tokio::time::sleep(timeout) => return None,
        }
        let answer = async {
            loop {
                match replies.recv().await {
                    // A caller that left does not stop the function.
                    Some(Reply::Chunk(bytes)) => drop(out.send(Piece::Chunk(bytes)).await),
                    Some(Reply::End(outcome)) => return Some(outcome),
                    None => return None,
                }
            }
        };
        let (outcome, usable) = tokio::select! {
            biased;
            outcome = answer => match outcome {
                Some(outcome) => (outcome, true),
                // Its connection broke: most often because it is ending.
                None => match tokio::time::timeout(LAST_BREATH, exited(&mut self.exit)).await {
                    Ok(exit) => (Err(exit.error(&request.id, &declaration.command())), false),
                    Err(_) => (Err(truncated(&request.id)), false),
                },
            },
            exit = exited(&mut self.exit) => (Err(exit.error(&request.id, &declaration.command())), false),
            () = tokio::time::sleep(timeout) => (Err(timed_out(&request.id, timeout)), false),
        };
        Some(Served { outcome, usable, tail: self.voice.tail() })
    }

    /// The end of what it printed for the last invocation.
    pub(crate) fn tail(&self) -> Vec<u8> {
        self.voice.tail()
    }

    /// Lets it end by itself, for a moment; then it is killed.
    pub(crate) async fn retire(mut self) {
        // A keeper that is gone has nothing to end.
        let _ = self.leash.try_write(b"t");
        let _ = tokio::time::timeout(RETIRE, exited(&mut self.exit)).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn exited(exit: &mut watch::Receiver<Option<Exit>>) -> Exit {
    match exit.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(exit)) => exit.clone(),
        _ => Exit::Signal(9),
    }
}

fn timed_out(request: &str, limit: Duration) -> FunctionError {
    let what = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
    FunctionError::about(request, "Sandbox.Timedout", &what)
}

fn truncated(request: &str) -> FunctionError {
    FunctionError::about(
        request,
        "Runtime.TruncatedResponse",
        "The runtime's answer ended before its end",
    )
}

/// Starts a keeper for the function's command. Gives what it lives by, and how the function's process ends.
fn spawn(
    declaration: &Declaration,
    surroundings: &Surroundings,
    address: SocketAddr,
    voice: &Arc<Voice>,
) -> std::io::Result<(OwnedWriteHalf, watch::Receiver<Option<Exit>>)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (user, or_stay) = match declaration.user {
        RunAs::Host => (None, false),
        RunAs::User { uid, gid } => (Some((uid, gid)), false),
        RunAs::Unprivileged { uid, gid } => (Some((uid, gid)), true),
    };
    let order = Order {
        memory: u64::from(declaration.memory_mb) << 20,
        user,
        or_stay,
        command: declaration.command().into_iter().map(Into::into).collect(),
    };
    let mut keeper = tokio::process::Command::new(&surroundings.keeper)
        .args(order.arguments())
        .env_clear()
        .envs(environment::of(declaration, surroundings, address))
        .current_dir(&declaration.directory)
        // Ctrl-C at a terminal is for the host.
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(out) = keeper.stdout.take() {
        tokio::spawn(voice.clone().follow(out));
    }
    if let Some(err) = keeper.stderr.take() {
        tokio::spawn(voice.clone().follow(err));
    }
    let (said, leash) = UnixStream::from_std(ours)?.into_split();
    let (tell, exit) = watch::channel(None);
    let name = declaration.name.clone();
    tokio::spawn(async move {
        let end = listen(said, &name).await;
        tell.send_replace(Some(end));
        // Buries it.
        let _ = keeper.wait().await;
    });
    Ok((leash, exit))
}

/// Listens to a keeper until the function's process has ended.
async fn listen(said: OwnedReadHalf, name: &str) -> Exit {
    let mut lines = BufReader::new(said).lines();
    let mut leader = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "started" => leader = rest.parse().ok().and_then(Pid::from_raw),
            "stayed" => STAYED.call_once(|| tracing::warn!(
                "function {name}: runs as root, for 'nobody' has no access to its directory or program; give access, or say user = \"root\""
            )),
            _ => match Exit::read(word, rest) {
                Some(exit) => return exit,
                None => tracing::error!("function {name}: its keeper said '{line}'"),
            },
        }
    }
    // The keeper itself was killed, and what it kept is without one.
    if let Some(leader) = leader {
        let _ = kill_process_group(leader, Signal::KILL);
    }
    Exit::Signal(9)
}

/// One line for all functions and processes is enough.
static STAYED: std::sync::Once = std::sync::Once::new();

/// Parts of an answer on their way.
const REPLIES: usize = 4;

/// How long a process that hung up may take to end.
const LAST_BREATH: Duration = Duration::from_millis(250);

/// How long to wait for a process that was asked to end; its keeper gives it less.
const RETIRE: Duration = Duration::from_secs(2);
