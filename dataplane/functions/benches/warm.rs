//! What the host costs: a no-op Python function under AWS's `awslambdaric`, warm and cold, served in turns by
//!
//! - `bare`: a thread that writes ready bytes to the runtime and has no callers: the runtime's own time;
//! - `called`: the same in a process of its own, with a caller whose calls it passes on: the least that a server with callers costs;
//! - `host`: `tidegate-functions`, with the same caller.
//!
//! ```sh
//! PYTHON=$PWD/target/venv/bin/python taskset -c 1 cargo bench -p tidegate-functions --bench warm
//! ```
//!
//! On one core the numbers are steady: on more it is chance who runs where.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const INVOCATIONS: u32 = 2000;
const EVENT: &str = r#"{"key": "value"}"#;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--serve") => return serve(&arguments.next().expect("a Python")),
        Some("--bench") => {}
        // `cargo test --benches` runs it without.
        _ => return,
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    // The functions' folders are others than this one.
    let python = match std::path::absolute(&python) {
        Ok(path) if python.contains('/') => path.display().to_string(),
        _ => python,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str| {
        let own = folder.path().join(name);
        std::fs::create_dir(&own).expect("a folder");
        let code = "def handler(event, context):\n    return event\n";
        std::fs::write(own.join("app.py"), code).expect("a file");
        own
    };
    let mut bare = Bare::start(&python, &of("bare"));
    let mut called = Called::least(&python, &of("called"));
    let mut host = Called::host(&python, &of("host"));
    println!("cold: bare {:?}, called {:?}, host {:?}", bare.cold, called.cold, host.cold);
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let costs = [bare.round(), called.round(), host.round()];
        println!("warm: bare {:?}, called {:?}, host {:?}", costs[0], costs[1], costs[2]);
        all.push(costs);
    }
    for (at, name) in ["bare", "called"].iter().enumerate() {
        let ratios = |of: fn(&Cost) -> Duration| {
            let ratio =
                |costs: &[Cost; 3]| of(&costs[2]).as_secs_f64() / of(&costs[at]).as_secs_f64();
            let mut ratios: Vec<_> = all.iter().map(ratio).collect();
            ratios.sort_by(f64::total_cmp);
            format!("{:.2} ({:.2} to {:.2})", ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1])
        };
        println!(
            "warm: host / {name}: CPU {}, time {}",
            ratios(|cost| cost.cpu),
            ratios(|cost| cost.time)
        );
    }
}

/// Is the process of `called`, until it is killed.
fn serve(python: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("ready functions=http://{}", listener.local_addr().expect("an address"));
    let mut caller = connect(listener.accept().expect("a caller").0);
    let mut bare = None;
    while read(&mut caller).is_some() {
        let bare = bare.get_or_insert_with(|| Bare::listen(python, Path::new(".")));
        bare.ask();
        let length = EVENT.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{EVENT}");
        caller.get_mut().write_all(answer.as_bytes()).expect("the caller listens");
        bare.accept();
    }
}

/// What an invocation took in a round.
#[derive(Debug)]
struct Cost {
    time: Duration,
    /// Of the runtime's process and its server, without whoever calls.
    cpu: Duration,
}

fn measure(cpu: impl Fn() -> Duration, mut invoke: impl FnMut()) -> Cost {
    let (began, used) = (Instant::now(), cpu());
    (0..INVOCATIONS).for_each(|_| invoke());
    Cost { time: began.elapsed() / INVOCATIONS, cpu: (cpu() - used) / INVOCATIONS }
}

/// Processor time of a process's threads, from `/proc`.
fn cpu_of(process: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let used = tasks.filter_map(|task| {
        let line = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(used.sum())
}

/// The process of the runtime that runs in `folder`.
fn runtime_in(folder: &Path) -> u32 {
    let all = std::fs::read_dir("/proc").expect("Linux");
    let mut pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let found = pids.find(|pid: &u32| {
        let of = |name: &str| format!("/proc/{pid}/{name}");
        let command = std::fs::read(of("cmdline")).unwrap_or_default();
        let words: Vec<_> = command.split(|b| *b == 0).collect();
        // Its keeper's second word is another.
        words.get(1) == Some(&&b"-m"[..])
            && std::fs::read_link(of("cwd")).is_ok_and(|cwd| cwd == folder)
    });
    found.expect("the runtime runs")
}

/// A message: the head, and its body by `Content-Length`.
struct Message {
    head: String,
    body: Vec<u8>,
}

fn read(from: &mut BufReader<TcpStream>) -> Option<Message> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let at = head.len();
        if from.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let line = &head[at..];
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Message { head, body })
}

fn connect(stream: TcpStream) -> BufReader<TcpStream> {
    stream.set_nodelay(true).expect("a socket's option");
    BufReader::new(stream)
}

/// The least that a runtime needs of its server.
struct Bare {
    connection: BufReader<TcpStream>,
    cold: Duration,
    runtime: Child,
}

impl Bare {
    fn start(python: &str, folder: &Path) -> Self {
        let began = Instant::now();
        let mut bare = Self::listen(python, folder);
        bare.invoke();
        bare.cold = began.elapsed();
        bare
    }

    /// Starts a runtime and waits until it asks for work.
    fn listen(python: &str, folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let runtime = Command::new(python)
            .args(["-m", "awslambdaric", "app.handler"])
            .current_dir(folder)
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().expect("an address").to_string())
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdout(Stdio::null())
            .spawn()
            .expect("python runs");
        let (stream, _) = listener.accept().expect("the runtime connects");
        let mut bare = Self { connection: connect(stream), cold: Duration::ZERO, runtime };
        bare.next();
        bare
    }

    fn next(&mut self) {
        let message = read(&mut self.connection).expect("the runtime asks for work");
        assert!(
            message.head.starts_with("GET /2018-06-01/runtime/invocation/next"),
            "{}",
            message.head
        );
    }

    /// From the runtime's asking for work to its next.
    fn invoke(&mut self) {
        self.ask();
        self.accept();
    }

    /// Gives it the event and takes its answer.
    fn ask(&mut self) {
        let length = EVENT.len();
        let event = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:hello\r\nLambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\nContent-Length: {length}\r\n\r\n{EVENT}"
        );
        self.connection.get_mut().write_all(event.as_bytes()).expect("the runtime listens");
        let answer = read(&mut self.connection).expect("the runtime answers");
        assert_eq!(answer.body, EVENT.as_bytes());
    }

    /// Thanks for the answer and waits until it asks for more.
    fn accept(&mut self) {
        let accepted = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}";
        self.connection.get_mut().write_all(accepted).expect("the runtime listens");
        self.next();
    }

    fn round(&mut self) -> Cost {
        let runtime = self.runtime.id();
        // This process is the server.
        measure(|| cpu_of(runtime) + cpu_of(std::process::id()), || self.invoke())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.runtime.kill();
        let _ = self.runtime.wait();
    }
}

/// A server that has a caller.
struct Called {
    connection: BufReader<TcpStream>,
    cold: Duration,
    process: Child,
    runtime: u32,
}

impl Called {
    fn least(python: &str, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        Self::start(command.args(["--serve", python]), folder)
    }

    fn host(python: &str, folder: &Path) -> Self {
        let text = format!(
            "[functions.hello]\ncommand = [{python:?}, \"-m\", \"awslambdaric\", \"app.handler\"]\ndirectory = \".\"\nwatch = false\n"
        );
        std::fs::write(folder.join("functions.toml"), text).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate-functions"));
        Self::start(command.args(["functions.toml", "--listen", "127.0.0.1:0"]), folder)
    }

    fn start(command: &mut Command, folder: &Path) -> Self {
        let started = command.current_dir(folder).stdout(Stdio::piped()).spawn();
        let mut process = started.expect("the server runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it was asked for"))
            .read_line(&mut line)
            .expect("a line");
        let address = line.trim().strip_prefix("ready functions=http://").expect("it is ready");
        let connection = connect(TcpStream::connect(address).expect("it listens"));
        let mut called = Self { connection, cold: Duration::ZERO, process, runtime: 0 };
        let began = Instant::now();
        called.invoke();
        called.cold = began.elapsed();
        called.runtime = runtime_in(folder);
        called
    }

    fn invoke(&mut self) {
        let length = EVENT.len();
        let call = format!(
            "POST /2015-03-31/functions/hello/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n{EVENT}"
        );
        self.connection.get_mut().write_all(call.as_bytes()).expect("the host listens");
        let answer = read(&mut self.connection).expect("the host answers");
        assert!(
            answer.head.starts_with("HTTP/1.1 200") && answer.body == EVENT.as_bytes(),
            "{}",
            answer.head
        );
    }

    fn round(&mut self) -> Cost {
        let (server, runtime) = (self.process.id(), self.runtime);
        measure(|| cpu_of(server) + cpu_of(runtime), || self.invoke())
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
