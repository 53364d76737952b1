//! How busy single cores are, to tell a saturated proxy from a shared machine.

use std::{fs, io, time::Duration};

use super::process::Usage;

/// Time that a core was busy since boot, time taken by the hypervisor included.
pub fn busy(core: usize) -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks = busy_ticks(&stat, core)
        .ok_or_else(|| io::Error::other(format!("/proc/stat has no cpu{core}")))?;
    Ok(Duration::from_nanos(ticks * (1_000_000_000 / rustix::param::clock_ticks_per_second())))
}

/// Busy time of a core, and what the given processes used.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    busy: Duration,
    own: Duration,
}

impl Sample {
    pub fn take(core: usize, pids: &[u32]) -> io::Result<Self> {
        Ok(Self { busy: busy(core)?, own: Usage::of_all(pids)?.cpu() })
    }

    /// Share of the core that other processes had since an earlier sample, 0 to 1.
    pub fn others_since(self, earlier: Self, elapsed: Duration) -> f64 {
        let own = self.own.saturating_sub(earlier.own);
        let others = self.busy.saturating_sub(earlier.busy).saturating_sub(own);
        (others.as_secs_f64() / elapsed.as_secs_f64().max(1e-9)).min(1.0)
    }
}

/// proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user.
fn busy_ticks(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core}");
    let mut words = stat
        .lines()
        .map(str::split_whitespace)
        .find_map(|mut words| (words.next()? == name).then_some(words))?;
    let fields: Vec<u64> = words.by_ref().take(8).map_while(|word| word.parse().ok()).collect();
    Some(fields.iter().sum::<u64>() - fields.get(3)? - fields.get(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_all_but_idle_and_iowait() {
        let stat = "cpu 0 0 0 0\ncpu0 1 2 3 400 50 6 7 8 9 10\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy_ticks(stat, 0), Some(27));
        assert_eq!(busy_ticks(stat, 2), None);
    }

    #[test]
    fn others_have_what_is_left() {
        let sample = |busy, own| Sample {
            busy: Duration::from_millis(busy),
            own: Duration::from_millis(own),
        };
        let others = sample(900, 600).others_since(sample(100, 100), Duration::from_secs(1));
        assert!((others - 0.3).abs() < 1e-9);
    }
}
