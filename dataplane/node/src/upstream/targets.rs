//! The targets of a VPC link as one worker sees them: whose turn it is, and which ones are left out for a while.
//!
//! Health is passive: a target that cannot be connected to is ejected for a second, and for twice as long each time it fails again
//! when its time is over. Then one request tries it. Where all are ejected, they are tried all the same.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tidegate_engine::snapshot::Target;

use super::pool::Pool;

/// First and longest time that a target is left out.
const EJECTED: (u64, u64) = (1_000, 30_000);

/// How long one target may take to accept a connection while there are others to try. A SYN is repeated after a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// All targets behind one upstream.
pub(super) struct Targets {
    /// What the members were made from.
    listed: Arc<[Target]>,
    members: Vec<Rc<Member>>,
    turn: Cell<usize>,
}

/// One target.
pub(super) struct Member {
    pub(super) target: Target,
    pub(super) pool: Rc<Pool>,
    /// Failures since the last connection.
    failures: Cell<u32>,
    /// When it may be tried again, on the clock of deadlines.
    until: Cell<u64>,
}

impl Targets {
    pub(super) fn new(listed: &Arc<[Target]>) -> Self {
        let empty = Self { listed: listed.clone(), members: Vec::new(), turn: Cell::default() };
        empty.with_members(&[])
    }

    /// Whether it is made from this very list.
    pub(super) fn lists(&self, listed: &Arc<[Target]>) -> bool {
        Arc::ptr_eq(&self.listed, listed)
    }

    /// The same for a changed list: what stays in it keeps its connections and its health.
    pub(super) fn changed(&self, listed: &Arc<[Target]>) -> Self {
        let next =
            Self { listed: listed.clone(), members: Vec::new(), turn: Cell::new(self.turn.get()) };
        next.with_members(&self.members)
    }

    fn with_members(mut self, known: &[Rc<Member>]) -> Self {
        self.members = self
            .listed
            .iter()
            .map(|target| {
                let held = known.iter().find(|member| member.target == *target);
                held.cloned().unwrap_or_else(|| Rc::new(Member::new(target.clone())))
            })
            .collect();
        self
    }

    /// The members in the order a request tries them: from the one whose turn it is, and last those that are ejected.
    pub(super) fn order(&self, now: u64) -> impl Iterator<Item = &Rc<Member>> {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let count = self.members.len();
        // Noted once: a member that is ejected on the way is not tried again.
        let ejected = self
            .members
            .iter()
            .rev()
            .fold(0_u64, |mask, member| (mask << 1) | u64::from(member.is_ejected(now)));
        let from = move |wanted: u64| {
            let turns = (0..count).map(move |at| turn.wrapping_add(at) % count);
            turns.filter(move |at| (ejected >> at) & 1 == wanted).map(|at| &self.members[at])
        };
        from(0).chain(from(1))
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Rc<Member>> {
        self.members.iter()
    }
}

impl Member {
    fn new(target: Target) -> Self {
        Self { target, pool: Rc::default(), failures: Cell::new(0), until: Cell::new(0) }
    }

    /// Whether it is left out.
    pub(super) fn is_ejected(&self, now: u64) -> bool {
        self.failures.get() > 0 && now < self.until.get()
    }

    /// A connection to it is tried. One that has failed is tried by one request at a time. What is returned tells
    /// [`Member::failed`] which trial it was.
    pub(super) fn tried(&self, now: u64) -> u32 {
        let failures = self.failures.get();
        if failures > 0 {
            self.until.set(now + back_off(failures));
        }
        failures
    }

    /// It accepted a connection.
    pub(super) fn connected(&self) {
        self.failures.set(0);
    }

    /// It did not. Many requests may have tried it at once; that is one failure. Returns for how long it is left out, the first time.
    pub(super) fn failed(&self, trial: u32, now: u64) -> Option<Duration> {
        if self.failures.get() != trial {
            return None;
        }
        self.failures.set(trial.saturating_add(1));
        let time = back_off(self.failures.get());
        self.until.set(now + time);
        self.pool.clear();
        Some(Duration::from_millis(time))
    }
}

/// Milliseconds to leave a target out after so many failures in a row.
fn back_off(failures: u32) -> u64 {
    let (first, longest) = EJECTED;
    (first << failures.saturating_sub(1).min(16)).min(longest)
}

// `order` keeps a bit for each.
const _: () = assert!(tidegate_engine::snapshot::MAX_TARGETS <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(names: &[&str]) -> Arc<[Target]> {
        names.iter().map(|name| Target::parse(&format!("{name}:80")).unwrap()).collect()
    }

    fn order(of: &Targets, now: u64) -> String {
        of.order(now).map(|member| &*member.target.host).collect()
    }

    fn member<'t>(of: &'t Targets, name: &str) -> &'t Rc<Member> {
        of.members().find(|member| &*member.target.host == name).unwrap()
    }

    #[test]
    fn targets_take_turns_and_ejected_ones_come_last() {
        let all = Targets::new(&targets(&["a", "b", "c"]));
        assert_eq!([order(&all, 0), order(&all, 0), order(&all, 0)], ["abc", "bca", "cab"]);
        let b = member(&all, "b");
        assert_eq!(b.failed(b.tried(0), 0), Some(Duration::from_secs(1)));
        assert_eq!([order(&all, 999), order(&all, 999)], ["acb", "cab"]);
        assert_eq!(order(&all, 1_000), "cab", "its time is over");
        assert_eq!(order(&all, 1_000), "abc");
        b.tried(1_000);
        assert_eq!(
            order(&all, 1_001),
            "cab",
            "somebody tries it; the others wait for what comes of it"
        );
        b.connected();
        assert_eq!(order(&all, 1_001), "cab");
        assert_eq!(order(&all, 1_001), "abc");
    }

    #[test]
    fn the_back_off_doubles_to_half_a_minute_and_ends_with_a_connection() {
        let all = Targets::new(&targets(&["a"]));
        let a = member(&all, "a");
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            let trial = a.tried(0);
            assert_eq!(a.failed(trial, 0), Some(Duration::from_secs(seconds)));
            assert_eq!(a.failed(trial, 0), None, "the same failure seen by another request");
        }
        a.connected();
        assert_eq!(a.failed(a.tried(0), 0), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_stays_in_a_changed_list_keeps_its_health() {
        let all = Targets::new(&targets(&["a", "b"]));
        member(&all, "a").failed(0, 0);
        let listed = targets(&["c", "a"]);
        let next = all.changed(&listed);
        assert!(next.lists(&listed) && !all.lists(&listed));
        assert!(member(&next, "a").is_ejected(0) && !member(&next, "c").is_ejected(0));
        assert_eq!(order(&Targets::new(&targets(&[])), 0), "");
    }
}
