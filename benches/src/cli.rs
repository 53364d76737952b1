//! The command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use tidegate_load::host::facts::Facts;

use crate::budgets::{Budgets, Counts};
use crate::cases::{ALL, Case, find};
use crate::{callgrind, clock};

/// Small cases per hot step: instructions and time per iteration.
#[derive(Debug, Parser)]
#[command(name = "tidegate-benches", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the cases
    List,
    /// Runs a case and prints nothing: for callgrind, perf and the like
    Run {
        /// Which
        case: String,
        /// How often
        #[arg(long)]
        iterations: u64,
    },
    /// Prints wall-clock nanoseconds per iteration: median and quartiles of several rounds
    Time {
        /// Which; all when none is named
        cases: Vec<String>,
    },
    /// Counts instructions per iteration under callgrind and fails where there are more than the budgets allow
    Counts {
        /// Which; all when none is named
        cases: Vec<String>,
        /// The budgets
        #[arg(long, default_value = "benches/budgets.toml")]
        budgets: PathBuf,
        /// Take the counts over as budgets
        #[arg(long)]
        write: bool,
    },
}

/// Runs the command that the process was started with.
pub fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::List => list(),
        Command::Run { case, iterations } => find(&case)?.prepare()?(iterations),
        Command::Time { cases } => time(&chosen(&cases)?)?,
        Command::Counts { cases, budgets, write } => counts(&chosen(&cases)?, budgets, write)?,
    }
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Case>> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    names.iter().map(|name| find(name)).collect()
}

fn list() {
    for case in &ALL {
        println!("{:<24} {}", case.name, case.does);
    }
}

fn time(cases: &[&Case]) -> anyhow::Result<()> {
    println!("{}\n", Facts::collect().text());
    println!("{:<24} {:>12} {:>12} {:>12}", "ns per iteration", "median", "lower", "upper");
    for case in cases {
        let clock::Times { lower, median, upper } = clock::time(case)?;
        println!("{:<24} {median:>12.1} {lower:>12.1} {upper:>12.1}", case.name);
    }
    Ok(())
}

fn counts(cases: &[&'static Case], path: PathBuf, write: bool) -> anyhow::Result<()> {
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut budgets = Budgets::parse(&text).with_context(|| path.display().to_string())?;
    let counts = measured(cases)?;
    if write {
        budgets.renew(&counts);
    }
    let verdict = budgets.judge(&counts);
    print!("{}", verdict.table);
    // Bounds that hold whatever the budgets are stop a renewal too.
    if !verdict.broken.is_empty() {
        bail!("{}", verdict.broken.join("; "));
    }
    if write {
        fs::write(&path, budgets.text()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Counts each case once, also those that others are counted beyond.
fn measured(cases: &[&'static Case]) -> anyhow::Result<Counts> {
    let mut whole = BTreeMap::new();
    let mut count = |case: &'static Case| -> anyhow::Result<f64> {
        if let Some(known) = whole.get(case.name) {
            return Ok(*known);
        }
        let count = callgrind::per_iteration(case)?;
        whole.insert(case.name, count);
        Ok(count)
    };
    cases
        .iter()
        .map(|case| {
            let base = case.beyond.map(|name| count(find(name)?)).transpose()?;
            Ok((case.name, count(case)? - base.unwrap_or_default()))
        })
        .collect()
}
