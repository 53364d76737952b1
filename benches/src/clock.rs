//! Nanoseconds per iteration: shown, never gated, because they depend on the machine and on what else it does.

use std::time::{Duration, Instant};

use crate::cases::{Case, Work, find};

/// Times of one case, nanoseconds per iteration: half of the rounds were between the quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// A quarter of the rounds was quicker.
    pub lower: f64,
    /// Half of the rounds were quicker.
    pub median: f64,
    /// A quarter of the rounds was slower.
    pub upper: f64,
}

/// Measures a case in rounds. What it goes [beyond](Case::beyond) is measured in turn with it and taken off.
pub fn time(case: &Case) -> anyhow::Result<Times> {
    let mut work = case.prepare()?;
    let mut base = case.beyond.map(|name| find(name)?.prepare()).transpose()?;
    let iterations = iterations(&mut work);
    let rounds = (0..ROUNDS).map(|_| {
        let before = base.as_mut().map_or(0.0, |base| nanoseconds(base, iterations));
        nanoseconds(&mut work, iterations) - before
    });
    Ok(Times::of(rounds.collect()))
}

impl Times {
    fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |place: usize| rounds.get(place).copied().unwrap_or_default();
        let quarter = rounds.len() / 4;
        Self {
            lower: at(quarter),
            median: at(rounds.len() / 2),
            upper: at(rounds.len() - 1 - quarter),
        }
    }
}

/// How many iterations take about [`ROUND`].
fn iterations(work: &mut Work) -> u64 {
    let mut iterations = 1;
    loop {
        let began = Instant::now();
        work(iterations);
        if began.elapsed() >= ROUND {
            return iterations;
        }
        iterations *= 2;
    }
}

fn nanoseconds(work: &mut Work, iterations: u64) -> f64 {
    let began = Instant::now();
    work(iterations);
    began.elapsed().as_nanos() as f64 / iterations as f64
}

/// Many, so that the quartiles say something, and odd, so that there is a median.
const ROUNDS: usize = 31;

/// Long beside the clock's resolution, short beside a time slice, so that most rounds are undisturbed.
const ROUND: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_round_moves_nothing() {
        let times = Times::of(vec![3.0, 1.0, 900.0, 2.0, 4.0]);
        assert_eq!(times, Times { lower: 2.0, median: 3.0, upper: 4.0 });
    }
}
