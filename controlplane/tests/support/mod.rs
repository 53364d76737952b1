//! A control plane in this process, on a free port and a store in a temporary directory, and a client for it.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

pub mod sign;
pub mod upstream;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tidegate_control::app::{App, CompiledBundle, Compiler, Diagnostic, Settings};
use tidegate_control::compile::EngineCompiler;
use tidegate_control::model::{ApiSettings, Snapshot};
use tidegate_control::rest::{Limits, Rest, Server};
use tidegate_control::store::SqliteStore;
use tidegate_control::vault::Vault;
use tidegate_engine::integration::guard::AddressPolicy;

/// The real compiler, but a method whose `operationName` is `refuse` is refused, so that diagnostics can be seen.
pub struct Refusing;

impl Compiler for Refusing {
    fn compile(&self, snapshot: &Snapshot) -> Result<CompiledBundle, Vec<Diagnostic>> {
        for resource in &snapshot.resources {
            for (verb, method) in &resource.resource_methods {
                if method.operation_name.as_deref() == Some("refuse") {
                    return Err(vec![Diagnostic {
                        resource: Some(resource.path.clone()),
                        method: Some(verb.to_string()),
                        message: "refused".to_owned(),
                    }]);
                }
            }
        }
        tidegate_control::compile::compile(snapshot)
    }

    fn check_settings(&self, settings: &ApiSettings) -> Result<(), String> {
        EngineCompiler.check_settings(settings)
    }
}

/// Operations on the store of `directory`.
pub fn app(directory: &Path) -> App {
    let store = SqliteStore::open(directory).expect("the directory is ours");
    let vault = Vault::open(directory, None).expect("the directory is ours");
    // As the process does when it serves loopback.
    let test_calls = AddressPolicy::default().with_loopback();
    let settings = Settings { test_calls, ..Settings::default() };
    App::new(Arc::new(store), Arc::new(Refusing), Arc::new(vault), settings)
}

/// A running control plane; dropping it stops it.
pub struct Control {
    pub address: SocketAddr,
    pub app: Arc<App>,
    runtime: tokio::runtime::Runtime,
    stop: tokio::sync::watch::Sender<bool>,
    _directory: tempfile::TempDir,
}

impl Control {
    pub fn start() -> Self {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let app = Arc::new(app(directory.path()));
        let rest = Arc::new(Rest::new(app.clone(), None));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = runtime.block_on(Server::bind(any, rest, limits)).unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        runtime.spawn(server.run(stopped));
        Self { address, app, runtime, stop, _directory: directory }
    }

    /// Sends one request on its own connection.
    pub fn send(&self, method: &str, target: &str, body: &str) -> Answer {
        self.send_with(method, target, "", body)
    }

    /// The same with further lines of the head.
    pub fn send_with(&self, method: &str, target: &str, lines: &str, body: &str) -> Answer {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}"
        );
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        self.raw(format!("{head}{length}\r\n{body}").as_bytes())
    }

    /// Sends bytes and reads the answer until the connection ends.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(bytes).unwrap();
        let mut text = Vec::new();
        // A refused body may end in a reset after the answer was read.
        let _ = stream.read_to_end(&mut text);
        Answer::parse(&text)
    }

    pub fn stop(&self) {
        self.stop.send(true).unwrap();
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as JSON, `null` when empty.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&self.body).expect(&self.body)
        }
    }
}
