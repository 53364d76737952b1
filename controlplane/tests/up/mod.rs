//! `tidegate up` as a process of this test, on free ports, and what it takes to look at it.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What differs between starts.
#[derive(Default)]
pub struct Options<'o> {
    /// Document to import and deploy to `prod`.
    pub import: Option<&'o Path>,
    /// Further flags; they win over those of every start.
    pub more: &'o [&'o str],
}

/// A running `tidegate up`; dropping it kills it.
pub struct Up {
    process: Child,
    ready: HashMap<String, String>,
    stderr: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Up {
    /// Starts and waits until it serves.
    pub fn start(directory: &tempfile::TempDir, options: &Options<'_>) -> Self {
        let mut up = Self::spawn(directory, options);
        let mut lines = BufReader::new(up.process.stdout.take().unwrap()).lines();
        let line = match lines.next() {
            Some(line) => line.unwrap(),
            None => panic!("up ended: {}", up.settled_stderr()),
        };
        let pairs = line.strip_prefix("ready ").expect("the ready line").split(' ');
        up.ready = pairs
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, url)| (name.to_owned(), url.to_owned()))
            .collect();
        up
    }

    /// Starts where that must fail, with code 1, and gives what it said.
    pub fn fail(directory: &tempfile::TempDir, options: &Options<'_>) -> String {
        let mut up = Self::spawn(directory, options);
        assert_eq!(up.wait().code(), Some(1), "{}", up.stderr());
        up.settled_stderr()
    }

    fn spawn(directory: &tempfile::TempDir, options: &Options<'_>) -> Self {
        let node = Path::new(env!("CARGO_BIN_EXE_tidegate")).with_file_name("tidegate-node");
        assert!(
            node.is_file(),
            "{} is missing: run cargo build --workspace --bins first",
            node.display()
        );
        let mut command = program();
        command.arg("up").arg("--data-dir").arg(directory.path().join("data"));
        for flag in ["--admin", "--grpc", "--http", "--node-admin"] {
            if !options.more.contains(&flag) {
                command.args([flag, "127.0.0.1:0"]);
            }
        }
        command.args(["--workers", "1"]).args(options.more);
        if let Some(file) = options.import {
            command.arg("--import").arg(file).args(["--stage", "prod"]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (lines, kept) =
            (BufReader::new(process.stderr.take().unwrap()).lines(), stderr.clone());
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { process, ready: HashMap::new(), stderr, reader: Some(reader) }
    }

    /// What it said on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// All it said, once it has ended: the reader may be a moment behind.
    pub fn settled_stderr(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.stderr()
    }

    /// Where something listens, as `host:port`.
    pub fn address(&self, name: &str) -> SocketAddr {
        self.ready[name].trim_start_matches("http://").parse().unwrap()
    }

    /// Calls the gateway.
    pub fn get(&self, host: &str, path: &str) -> (u16, String) {
        get(self.address("gateway"), host, path)
    }

    /// Runs a command against its control plane.
    pub fn tidegate(&self, arguments: &[&str]) -> Ran {
        let mut command = program();
        command.args(arguments).env("TIDEGATE_CONTROL", &self.ready["grpc"]);
        Ran::of(&mut command)
    }

    /// Sends a signal and waits for the end.
    pub fn stop(mut self, signal: Signal) -> ExitStatus {
        kill(self.process.id(), signal);
        self.wait()
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_for("the end of up", || {
            ended = self.process.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Its children's ids.
    pub fn children(&self) -> Vec<u32> {
        let parent = self.process.id().to_string();
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|pid| stat(*pid).is_some_and(|stat| stat[1] == parent)).collect()
    }

    /// The child that runs this program.
    pub fn child_named(&self, program: &str) -> u32 {
        let runs = |pid: &u32| -> Option<bool> {
            let path: PathBuf = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            Some(path.file_name()? == program)
        };
        self.children().into_iter().find(|pid| runs(pid) == Some(true)).expect("the child runs")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a command said.
pub struct Ran {
    pub success: bool,
    stdout: String,
    pub stderr: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            success: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Its words, if it did what it should.
    pub fn text(self) -> String {
        assert!(self.success, "{}", self.stderr);
        self.stdout
    }

    /// Its words as JSON, if it did what it should.
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.text()).unwrap()
    }
}

/// The program, with none of this process's settings.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TIDEGATE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command without a control plane.
pub fn tidegate(arguments: &[&str]) -> Ran {
    Ran::of(program().args(arguments))
}

/// One request on its own connection; status 0 when nobody answers.
pub fn get(address: SocketAddr, host: &str, path: &str) -> (u16, String) {
    let Ok(mut stream) = TcpStream::connect(address) else { return (0, String::new()) };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status, body.unwrap_or_default())
}

/// An origin that answers everything with `body` for as long as the test lives; its URL.
pub fn origin(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    if line == "\r\n" {
                        let length = body.len();
                        let answer =
                            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                        if (&stream).write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                    line.clear();
                }
            });
        }
    });
    url
}

/// An OpenAPI document: `GET` of each path goes to the origin, and `/health` is answered by the gateway.
pub fn document(title: &str, origin: &str, paths: &[&str]) -> String {
    let mut all = serde_json::Map::new();
    for path in paths {
        let integration = serde_json::json!({ "type": "http_proxy", "httpMethod": "GET", "uri": format!("{origin}{path}") });
        let get =
            serde_json::json!({ "responses": {}, "x-amazon-apigateway-integration": integration });
        all.insert((*path).to_owned(), serde_json::json!({ "get": get }));
    }
    let health = serde_json::json!({
        "responses": { "200": { "description": "ok" } },
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
            "responses": { "default": { "statusCode": "200" } },
        },
    });
    all.insert("/health".to_owned(), serde_json::json!({ "get": health }));
    serde_json::json!({ "openapi": "3.0.1", "info": { "title": title, "version": "1" }, "paths": all }).to_string()
}

/// Waits for a condition.
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal.
pub fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// Whether a process runs; one that only waits to be collected does not. Its first thread may wait for that while others
/// still end, and until then the process holds its files and locks.
pub fn is_alive(pid: u32) -> bool {
    let threads = || std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    stat(pid).is_some_and(|stat| stat[0] != "Z" || threads() > 1)
}

/// State, parent and so on of a process. Source: proc_pid_stat(5).
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
