//! Which functions there are: a TOML file, read whole before any of it is believed.

mod read;
mod user;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use read::Keys;
pub(crate) use user::RunAs;

/// A function as its file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// What it is invoked by.
    pub name: String,
    /// What its processes run.
    pub start: Start,
    /// `_HANDLER`.
    pub handler: String,
    /// Where the code is and the process starts; absolute.
    pub directory: PathBuf,
    /// Variables of the function's own.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// How long a process may take until it asks for its first invocation.
    pub init_timeout: Duration,
    /// Most memory of a process, in MiB.
    pub memory_mb: u32,
    /// Most processes at a time; each serves one invocation at a time.
    pub concurrency: usize,
    /// How long an invocation waits for a process if all are busy.
    pub queue: Duration,
    /// How long a process without work is kept.
    pub idle: Duration,
    /// Pause before an event that failed is tried again; twice as long before the last time.
    pub async_retry: Duration,
    /// Whom its processes run as.
    pub(crate) user: RunAs,
    /// Whether new code is noticed.
    pub watch: bool,
}

/// What a function's process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Program and arguments. A program with a `/` is looked up from the directory, others in `PATH`.
    Command(Vec<String>),
    /// AWS's runtime interface client for Python and the declared handler.
    Python,
    /// The same for Node.js.
    Node,
}

impl Declaration {
    /// Program and arguments as they are now: an interface client beside the code comes before one installed for all.
    pub fn command(&self) -> Vec<String> {
        let own = |path: &str| self.directory.join(path).exists().then(|| format!("./{path}"));
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match &self.start {
            Start::Command(command) => command.clone(),
            Start::Python => {
                let python = own(".venv/bin/python").unwrap_or_else(|| "python3".to_owned());
                words(&[&python, "-m", "awslambdaric", &self.handler])
            }
            Start::Node => {
                let client = own("node_modules/.bin/aws-lambda-ric");
                words(&[client.as_deref().unwrap_or("aws-lambda-ric"), &self.handler])
            }
        }
    }

    /// The runtime as AWS would call it: the machine's own, whichever that is.
    pub(crate) fn runtime(&self) -> &'static str {
        match self.start {
            Start::Command(_) => "provided.al2023",
            Start::Python => "python3.13",
            Start::Node => "nodejs22.x",
        }
    }
}

/// A file of declarations that cannot be used: one line that names file, key and what to write.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}: {problem}")]
pub struct BadDeclaration {
    file: String,
    problem: String,
}

/// Reads the file.
///
/// # Errors
/// If it cannot be read or a key of it is wrong; the first such key is told.
pub fn load(file: &Path) -> Result<Vec<Declaration>, BadDeclaration> {
    let bad = |problem| BadDeclaration { file: file.display().to_string(), problem };
    let text =
        std::fs::read_to_string(file).map_err(|error| bad(format!("cannot be read: {error}")))?;
    let folder = std::path::absolute(file).map_err(|error| bad(error.to_string()))?;
    let folder = folder.parent().unwrap_or(Path::new("/"));
    parse(&text, folder).map_err(bad)
}

/// Reads the text of a file in `folder`.
fn parse(text: &str, folder: &Path) -> Result<Vec<Declaration>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |at| 1 + text[..at.start].matches('\n').count());
        format!("line {line} is no TOML: {}", error.message().replace('\n', "; "))
    })?;
    let mut file = Keys::new("", table);
    let functions = file.table("functions")?;
    file.end(&["functions"])?;
    let declared = functions.into_iter().map(|(name, value)| {
        let path = format!("functions.{name}");
        if !is_name(&name) {
            return Err(format!("{path}: a name has 1 to 64 letters, digits, '-' and '_'"));
        }
        match value {
            toml::Value::Table(table) => function(name, Keys::new(&path, table), folder),
            _ => Err(format!("{path}: write [{path}] and below it what the function is")),
        }
    });
    declared.collect()
}

fn function(name: String, mut keys: Keys, folder: &Path) -> Result<Declaration, String> {
    let directory = folder.join(keys.text("directory")?.unwrap_or_else(|| name.clone()));
    let runtime = keys.text("runtime")?;
    let handler = keys.text("handler")?;
    let command = keys.texts("command")?;
    let start = match (command, runtime.as_deref()) {
        (Some(_), Some(_)) => {
            return Err(keys.wrong(
                "runtime",
                "leave it out where there is a command, or the command where there is a runtime",
            ));
        }
        (Some(command), None) if command.first().is_none_or(String::is_empty) => {
            return Err(keys.wrong("command", "name a program, for example [\"python3\", \"-m\", \"awslambdaric\", \"app.handler\"]"));
        }
        (Some(command), None) => Start::Command(command),
        (None, Some("bootstrap")) => Start::Command(vec!["./bootstrap".to_owned()]),
        (None, Some(runtime @ ("python" | "node"))) => {
            if !handler.as_deref().is_some_and(|handler| handler.contains('.')) {
                return Err(keys.wrong("handler", "name a file without its ending and a function in it, for example \"app.handler\""));
            }
            if runtime == "python" { Start::Python } else { Start::Node }
        }
        (None, Some(other)) => {
            return Err(keys.wrong(
                "runtime",
                &format!(
                    "'{other}' is none of python, node, bootstrap; others are started by a command"
                ),
            ));
        }
        (None, None) => {
            return Err(keys.wrong(
                "command",
                "say what to start: a runtime (python, node, bootstrap) or a command",
            ));
        }
    };
    let seconds = |number: f64| Duration::from_secs_f64(number);
    let declaration = Declaration {
        // AWS's own defaults and limits, where AWS has the setting.
        timeout: seconds(keys.number("timeout_s", 3.0, 0.1, 900.0)?),
        init_timeout: seconds(keys.number("init_timeout_s", 10.0, 0.1, 900.0)?),
        memory_mb: keys.whole("memory_mb", 128, 128, 10_240)?,
        concurrency: keys.whole("concurrency", 10, 1, 1_000)? as usize,
        queue: Duration::from_millis(keys.whole("queue_ms", 0, 0, 900_000)?.into()),
        idle: seconds(keys.number("idle_s", 300.0, 0.1, 86_400.0)?),
        async_retry: seconds(keys.number("async_retry_s", 60.0, 0.0, 3_600.0)?),
        environment: keys.environment("environment")?,
        user: {
            let named = keys.text("user")?;
            RunAs::named(named.as_deref()).map_err(|what| keys.wrong("user", &what))?
        },
        watch: keys.boolean("watch")?.unwrap_or(true),
        name,
        start,
        handler: handler.unwrap_or_default(),
        directory,
    };
    keys.end(KEYS)?;
    Ok(declaration)
}

/// Whether a function may be called so. Source: Lambda API Reference, `CreateFunction`, `FunctionName`.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

const KEYS: &[&str] = &[
    "async_retry_s",
    "command",
    "concurrency",
    "directory",
    "environment",
    "handler",
    "idle_s",
    "init_timeout_s",
    "memory_mb",
    "queue_ms",
    "runtime",
    "timeout_s",
    "user",
    "watch",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Declaration {
        parse(text, Path::new("/code")).unwrap().remove(0)
    }

    #[test]
    fn a_function_has_awss_defaults() {
        let hello = one("[functions.hello]\nruntime = \"python\"\nhandler = \"app.handler\"\n");
        assert_eq!(hello.command(), ["python3", "-m", "awslambdaric", "app.handler"]);
        assert_eq!(hello.directory, Path::new("/code/hello"));
        assert_eq!(
            (hello.timeout, hello.memory_mb, hello.concurrency),
            (Duration::from_secs(3), 128, 10)
        );
        let own = one(
            "[functions.own]\ncommand = [\"./x\", \"y\"]\ndirectory = \"/d\"\ntimeout_s = 0.5\nenvironment = { A = \"b\", N = 1, AWS_LAMBDA_EXEC_WRAPPER = \"/w\" }\n",
        );
        assert_eq!(own.command(), ["./x", "y"]);
        assert_eq!(own.directory, Path::new("/d"));
        assert_eq!(own.timeout, Duration::from_millis(500));
        assert_eq!(own.environment["N"], "1");
    }

    #[test]
    fn mistakes_name_the_key_and_what_to_write() {
        let function = |lines: &str| format!("[functions.hello]\n{lines}\n");
        for (text, want) in [
            ("[functions".to_owned(), "line 1 is no TOML: "),
            ("[function.hello]\n".to_owned(), "function: no such key; did you mean 'functions'?"),
            ("functions = 1\n".to_owned(), "functions: must be a table"),
            ("[functions]\nhello = 1\n".to_owned(), "functions.hello: write [functions.hello]"),
            ("[functions.\"a b\"]\n".to_owned(), "functions.a b: a name has 1 to 64 letters"),
            (function(""), "functions.hello.command: say what to start"),
            (function("command = []"), "functions.hello.command: name a program"),
            (function("command = \"x\""), "functions.hello.command: must be a list of texts"),
            (function("runtime = \"ruby\""), "functions.hello.runtime: 'ruby' is none of"),
            (function("runtime = \"python\""), "functions.hello.handler: name a file"),
            (
                function("runtime = \"node\"\ncommand = [\"x\"]"),
                "functions.hello.runtime: leave it out",
            ),
            (
                function("command = [\"x\"]\ncomand = 1"),
                "functions.hello.comand: no such key; did you mean 'command'?",
            ),
            (
                function("command = [\"x\"]\nzzz = 1"),
                "functions.hello.zzz: no such key; there are async_retry_s, command,",
            ),
            (
                function("command = [\"x\"]\ntimeout_s = 901"),
                "functions.hello.timeout_s: must be from 0.1 to 900",
            ),
            (
                function("command = [\"x\"]\ntimeout_s = \"3\""),
                "functions.hello.timeout_s: must be a number",
            ),
            (
                function("command = [\"x\"]\nmemory_mb = 64"),
                "functions.hello.memory_mb: must be from 128 to 10240",
            ),
            (
                function("command = [\"x\"]\nconcurrency = 1.5"),
                "functions.hello.concurrency: must be a whole number",
            ),
            (
                function("command = [\"x\"]\nenvironment = { \"A=B\" = \"\" }"),
                "functions.hello.environment.A=B: ",
            ),
            (
                function("command = [\"x\"]\nenvironment = { AWS_LAMBDA_RUNTIME_API = \"\" }"),
                "functions.hello.environment.AWS_LAMBDA_RUNTIME_API: ",
            ),
            (function("command = [\"x\"]\nuser = \"no-such-one\""), "functions.hello.user: "),
            (
                function("command = [\"x\"]\nwatch = 1"),
                "functions.hello.watch: must be true or false",
            ),
        ] {
            let error = parse(&text, Path::new("/code")).unwrap_err();
            assert!(error.starts_with(want), "{text}\n{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
