//! When requests are meant to be sent. Pure: instants in, instants out.

use std::time::{Duration, Instant};

/// The three instants of a run: sending starts, measuring starts, both end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: Instant,
    pub from: Instant,
    pub to: Instant,
}

impl Window {
    /// Whether something at `at` is measured.
    pub fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    pub fn measured(&self) -> Duration {
        self.to - self.from
    }
}

/// Evenly spaced arrivals of one thread among `threads`, which interleave to the full rate.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    start: Instant,
    interval_ns: f64,
    offset_ns: f64,
    next: u64,
}

impl Schedule {
    pub fn new(start: Instant, per_second: f64, thread: usize, threads: usize) -> Self {
        let whole = 1e9 / per_second;
        Self {
            start,
            interval_ns: whole * threads as f64,
            offset_ns: whole * thread as f64,
            next: 0,
        }
    }

    /// The intended send time of the next request. Computed from its number, so errors don't add up.
    pub fn due(&self) -> Instant {
        self.start
            + Duration::from_nanos((self.offset_ns + self.interval_ns * self.next as f64) as u64)
    }

    pub fn advance(&mut self) {
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_interleave_to_the_rate() {
        let start = Instant::now();
        let mut due = Vec::new();
        for thread in 0..3 {
            let mut schedule = Schedule::new(start, 1000.0, thread, 3);
            while schedule.due() < start + Duration::from_secs(1) {
                due.push(schedule.due() - start);
                schedule.advance();
            }
        }
        due.sort();
        assert_eq!(due.len(), 1000);
        assert!(due.iter().enumerate().all(|(at, due)| *due == Duration::from_millis(at as u64)));
    }

    #[test]
    fn no_drift() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, 3.0, 0, 1);
        (0..3_000_000).for_each(|_| schedule.advance());
        assert_eq!(schedule.due() - start, Duration::from_secs(1_000_000));
    }

    #[test]
    fn window_edges() {
        let start = Instant::now();
        let (from, to) = (start + Duration::from_secs(1), start + Duration::from_secs(3));
        let window = Window { start, from, to };
        assert!(!window.holds(start) && window.holds(from) && !window.holds(to));
        assert_eq!(window.measured(), Duration::from_secs(2));
    }
}
