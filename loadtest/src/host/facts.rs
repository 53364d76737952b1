//! The facts that a reported number carries: machine, kernel, commit and command line.

use std::{fs, process::Command};

use serde::Serialize;

use super::pin;

/// Where and how a report was made.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    pub kernel: String,
    pub cpu: String,
    pub cores: usize,
    /// Short hash of the work tree we run in, with `-dirty` for uncommitted changes.
    pub commit: String,
    pub command: String,
    /// UTC, RFC 3339.
    pub time: String,
}

impl Facts {
    pub fn collect() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let cpu =
            model.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim());
        let now = time::OffsetDateTime::now_utc()
            .replace_nanosecond(0)
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        Self {
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            cpu: cpu.to_owned(),
            cores: pin::cpu_count(),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
            command: std::env::args().map(|arg| quoted(&arg)).collect::<Vec<_>>().join(" "),
            time: now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default(),
        }
    }

    /// Two lines for the head of a report.
    pub fn text(&self) -> String {
        let Self { kernel, cpu, cores, commit, command, time } = self;
        format!("{time}  commit {commit}  linux {kernel}  {cores} cores of {cpu}\n$ {command}")
    }
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude", "*"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// As a shell would need it.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}
