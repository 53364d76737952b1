//! Instructions per iteration, as callgrind counts them.

use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cases::Case;

/// Instructions that one iteration of a case takes, with what it goes [beyond](Case::beyond).
///
/// The difference of two runs of different length: start, preparation and end of the process cancel out.
pub fn per_iteration(case: &Case) -> anyhow::Result<f64> {
    let (short, long) = (case.batch, 3 * case.batch);
    let more = collected(case, long)?.checked_sub(collected(case, short)?);
    let more = more.context("the longer run took fewer instructions")?;
    Ok(more as f64 / (long - short) as f64)
}

/// Instructions of a process that runs a case.
fn collected(case: &Case, iterations: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", case.name, "--iterations", &iterations.to_string()])
        .output()
        .context("cannot start valgrind (apt-get install valgrind)")?;
    let said = String::from_utf8_lossy(&output.stderr);
    // It counts on where it does not know an instruction, and the program dies of it.
    if said.contains("unhandled instruction") {
        bail!(
            "this valgrind does not know an instruction of case {}: build for the default target-cpu\n{said}",
            case.name
        );
    }
    ensure!(
        output.status.success(),
        "case {} under valgrind: {}\n{said}",
        case.name,
        output.status
    );
    total(&said).with_context(|| format!("valgrind reported no count:\n{said}"))
}

/// Reads `==123== Collected : 456`.
fn total(said: &str) -> Option<u64> {
    let (_, count) = said.lines().find_map(|line| line.split_once("Collected : "))?;
    count.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_among_what_valgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 160311\n==7== \n==7== I   refs:      160,311\n";
        assert_eq!(total(said), Some(160_311));
        assert_eq!(total("valgrind: failed to start"), None);
    }
}
