//! The median of a few paired measurements, with a 95% interval that assumes no distribution.

use serde::Serialize;

/// A median, and the order statistics that enclose the true one with at least 95% probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    pub median: f64,
    /// `None` below 6 values: no such interval exists.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let upper = *sorted.get(count / 2)?;
        let median =
            if count % 2 == 1 { upper } else { f64::midpoint(sorted[count / 2 - 1], upper) };
        let interval = rank(count).map(|rank| (sorted[rank], sorted[count - 1 - rank]));
        Some(Self { median, interval })
    }

    /// `0.93 [0.91, 0.95]`
    pub fn text(&self) -> String {
        match self.interval {
            Some((low, high)) => format!("{:.3} [{low:.3}, {high:.3}]", self.median),
            None => format!("{:.3} [no interval below 6 pairs]", self.median),
        }
    }
}

/// How many of the smallest values lie outside: the sign test's interval.
///
/// The number of values below the true median is binomial with p = 1/2, so the interval from the value of rank r
/// (counted from 0) to its mirror misses with probability 2 P(X <= r).
fn rank(count: usize) -> Option<usize> {
    let mut term = 0.5f64.powi(i32::try_from(count).ok()?);
    let mut below = 0.0;
    let mut found = None;
    for rank in 0..count / 2 {
        below += term;
        if 2.0 * below > 0.05 {
            break;
        }
        found = Some(rank);
        term *= (count - rank) as f64 / (rank + 1) as f64;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_match_the_sign_test_table() {
        // Critical values of the two-sided sign test at 5%: any table of nonparametric statistics.
        for (count, want) in [
            (5, None),
            (6, Some(0)),
            (8, Some(0)),
            (9, Some(1)),
            (12, Some(2)),
            (15, Some(3)),
            (20, Some(5)),
        ] {
            assert_eq!(rank(count), want, "{count} values");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[3.0, 1.0]), Some(Estimate { median: 2.0, interval: None }));
        let values = [7.0, 1.0, 6.0, 2.0, 5.0, 3.0, 4.0];
        let estimate = Estimate::of(&values).unwrap();
        assert_eq!(estimate, Estimate { median: 4.0, interval: Some((1.0, 7.0)) });
        assert_eq!(estimate.text(), "4.000 [1.000, 7.000]");
    }
}
