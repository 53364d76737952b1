//! How long to wait before a reconnect: full jitter, so that a fleet that lost its control plane does not return at once.

use std::time::Duration;

use rand::Rng;

/// Waits that are drawn from zero to a bound, which doubles up to a cap.
#[derive(Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    bound: Duration,
}

impl Backoff {
    /// The first wait is drawn from zero to `base`, none from more than `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, bound: base.min(cap) }
    }

    /// The next wait.
    pub fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let wait = self.bound.mul_f64(rng.random::<f64>());
        self.bound = (self.bound * 2).min(self.cap);
        wait
    }

    /// Starts over, after a connection that was worth something.
    pub fn reset(&mut self) {
        self.bound = self.base.min(self.cap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_to_the_cap_and_starts_over() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 5 * second);
        let mut rng = rand::rng();
        for bound in [1, 2, 4, 5, 5] {
            assert_eq!(backoff.bound, bound * second);
            assert!(backoff.next(&mut rng) <= bound * second);
        }
        backoff.reset();
        assert_eq!(backoff.bound, second);
    }
}
