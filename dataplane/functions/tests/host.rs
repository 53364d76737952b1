//! The host with real processes, without any runtime of AWS: this test program itself is the function, and `sh` where nothing is to be
//! answered.

#![allow(clippy::unwrap_used, reason = "a test ends where what it needs is missing")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// No test but what functions run, if a host has started it: does with each event what the event says.
#[test]
fn function() {
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    let runtime = "/2018-06-01/runtime/invocation";
    loop {
        let next = call(&api, "GET", &format!("{runtime}/next"), "", b"");
        let id = next.header("lambda-runtime-aws-request-id").to_owned();
        let event: Value = serde_json::from_slice(&next.body).unwrap();
        let answer = match event["do"].as_str() {
            Some("exit") => std::process::exit(7),
            Some("sleep") => {
                std::thread::sleep(Duration::from_millis(event["ms"].as_u64().unwrap()));
                event
            }
            Some("variables") => json!(std::env::vars().collect::<Vec<_>>()),
            Some("limits") => json!(std::fs::read_to_string("/proc/self/limits").unwrap()),
            Some("big") => json!("x".repeat(7 << 20)),
            _ => json!(std::process::id()),
        };
        call(&api, "POST", &format!("{runtime}/{id}/response"), "", answer.to_string().as_bytes());
    }
}

/// An answer to a call.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let named =
            |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(named).unwrap_or_else(|| panic!("{name}: {}", self.head));
        line.split_once(':').unwrap().1.trim()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?}", self.body))
    }
}

/// Calls on a connection of its own. `headers` are whole lines.
fn call(address: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// A host that is killed when the test is over.
struct Host {
    process: Child,
    address: String,
    log: BufReader<ChildStderr>,
    folder: tempfile::TempDir,
}

impl Host {
    /// With functions `it`, which is this program, and those of `more`.
    fn start(settings: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let command = format!("[{program:?}, \"--exact\", \"function\"]");
        let own = format!(
            "[functions.it]\ncommand = {command}\ndirectory = \".\"\nwatch = false\n{settings}\n{more}"
        );
        std::fs::write(folder.path().join("functions.toml"), own).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tidegate-functions"))
            .arg(folder.path().join("functions.toml"))
            .args(["--listen", "127.0.0.1:0"])
            .env("SECRET_OF_THE_HOST", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("ready functions=http://").expect("ready").to_owned();
        let log = BufReader::new(process.stderr.take().unwrap());
        Self { process, address, log, folder }
    }

    fn invoke(&self, name: &str, event: &Value) -> Answer {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        call(&self.address, "POST", &path, "", event.to_string().as_bytes())
    }

    /// Invocations of `it` that run.
    fn busy(&self) -> u64 {
        let health = call(&self.address, "GET", "/_tidegate/health", "", b"").json();
        health["functions"]["it"]["busy"].as_u64().unwrap()
    }

    fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn eventually(what: &str, check: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !check() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many processes have this folder for theirs.
fn processes_in(folder: &Path) -> usize {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .count()
}

#[test]
fn a_process_serves_many_and_has_what_lambda_gives_it() {
    let host = Host::start("environment = { COLOUR = \"blue\" }", "");
    let first = host.invoke("it", &json!({}));
    assert_eq!((first.status, first.header("x-amz-executed-version")), (200, "$LATEST"));
    assert_eq!(host.invoke("it", &json!({})).json(), first.json());
    let variables = host.invoke("it", &json!({"do": "variables"})).json();
    let value = |name: &str| {
        let named = |pair: &&Value| pair[0] == name;
        variables.as_array().unwrap().iter().find(named).map(|pair| pair[1].as_str().unwrap())
    };
    assert_eq!(value("AWS_LAMBDA_FUNCTION_NAME"), Some("it"));
    assert_eq!(value("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), Some("128"));
    assert_eq!(value("COLOUR"), Some("blue"));
    assert_eq!(value("SECRET_OF_THE_HOST"), None);
    let limits = host.invoke("it", &json!({"do": "limits"})).json();
    let limit = |name: &str| {
        let line = limits.as_str().unwrap().lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max data size"), (128 << 20).to_string());
    assert_eq!(limit("Max core file size"), "0");
}

#[test]
fn the_next_invocation_after_a_crash_has_a_new_process() {
    let host = Host::start("", "");
    let first = host.invoke("it", &json!({})).json();
    let crashed = host.invoke("it", &json!({"do": "exit"}));
    assert_eq!((crashed.status, crashed.header("x-amz-function-error")), (200, "Unhandled"));
    assert_eq!(crashed.json()["errorType"], "Runtime.ExitError");
    let again = host.invoke("it", &json!({})).json();
    assert!(again.is_u64() && again != first, "{again} {first}");
    let big = host.invoke("it", &json!({"do": "big"})).json();
    assert_eq!(big["errorType"], "Function.ResponseSizeTooLarge");
    assert_eq!(host.invoke("it", &json!({})).json(), again, "a refused answer costs no process");
}

#[test]
fn what_takes_too_long_ends_with_all_that_it_started() {
    let never = "[functions.never]\ncommand = [\"sh\", \"-c\", \"trap '' TERM; (trap '' TERM; sleep 100) & sleep 100\"]\ndirectory = \".\"\ninit_timeout_s = 0.3\nwatch = false";
    let host = Host::start("timeout_s = 0.3", never);
    let said = host.invoke("never", &json!({})).json();
    assert_eq!(said["errorType"], "Sandbox.Timedout");
    eventually("its children are gone", || processes_in(host.folder.path()) == 0);
    let said = host.invoke("it", &json!({"do": "sleep", "ms": 60_000})).json();
    assert!(
        said["errorMessage"].as_str().unwrap().ends_with("Task timed out after 0.30 seconds"),
        "{said}"
    );
    eventually("it is gone", || processes_in(host.folder.path()) == 0);
}

#[test]
fn who_comes_when_all_are_busy_is_refused() {
    let host = Host::start("concurrency = 2", "");
    let event = json!({"do": "sleep", "ms": 500});
    std::thread::scope(|scope| {
        let calls = [(); 2].map(|()| scope.spawn(|| host.invoke("it", &event).json()));
        eventually("both run", || host.busy() == 2);
        let refused = host.invoke("it", &event);
        let kind = refused.header("x-amzn-errortype");
        assert_eq!((refused.status, kind), (429, "TooManyRequestsException"));
        for call in calls {
            assert_eq!(call.join().unwrap(), event);
        }
    });
}

#[test]
fn calls_that_no_function_gets_to_see() {
    let host = Host::start("", "");
    let path = "/2015-03-31/functions/it/invocations";
    let large = vec![b' '; (6 << 20) + 1];
    for (path, headers, body, status, kind) in [
        (
            "/2015-03-31/functions/none/invocations",
            "",
            &b"{}"[..],
            404,
            "ResourceNotFoundException",
        ),
        (path, "", b"{", 400, "InvalidRequestContentException"),
        (path, "", &large, 413, "RequestTooLargeException"),
        (path, "X-Amz-Invocation-Type: Now\r\n", b"{}", 400, "ValidationException"),
        (path, "Origin: http://elsewhere.example\r\n", b"{}", 403, "AccessDeniedException"),
        ("/2015-03-31/layers", "", b"", 404, "UnknownOperationException"),
    ] {
        let said = call(&host.address, "POST", path, headers, body);
        assert_eq!(
            (said.status, said.header("x-amzn-errortype")),
            (status, kind),
            "{path} {headers}"
        );
    }
    assert_eq!(processes_in(host.folder.path()), 0, "nobody started a process");
}

#[test]
fn a_host_that_is_told_to_stop_finishes_what_runs() {
    let mut host = Host::start("", "");
    host.invoke("it", &json!({}));
    let event = json!({"do": "sleep", "ms": 300});
    std::thread::scope(|scope| {
        let running = scope.spawn(|| host.invoke("it", &event));
        eventually("it runs", || host.busy() == 1);
        host.terminate();
        assert_eq!(running.join().unwrap().json(), event);
    });
    assert!(host.process.wait().unwrap().success());
    assert_eq!(processes_in(host.folder.path()), 0);
    let mut log = String::new();
    host.log.read_to_string(&mut log).unwrap();
    assert!(!log.contains("failed"), "{log}");
}
