//! The keys that changed lately, by revision.

use std::collections::{BTreeSet, VecDeque};

/// A bounded log: what it no longer holds it does not answer for.
#[derive(Debug)]
pub struct Log {
    entries: VecDeque<(u64, String)>,
    /// Everything after this sequence is in `entries`.
    floor: u64,
}

impl Log {
    /// A log that answers for everything after `floor`.
    pub fn new(floor: u64) -> Self {
        Self { entries: VecDeque::new(), floor }
    }

    /// Adds keys that changed at a sequence not below any before.
    pub(super) fn extend(&mut self, sequence: u64, keys: impl IntoIterator<Item = String>) {
        self.entries.extend(keys.into_iter().map(|key| (sequence, key)));
        while self.entries.len() > MAX {
            if let Some((dropped, _)) = self.entries.pop_front() {
                self.floor = dropped;
            }
        }
    }

    /// Whether a cursor is inside the log.
    pub fn covers(&self, cursor: u64) -> bool {
        cursor >= self.floor
    }

    /// The keys that changed after `cursor`, each once; `None` when the cursor is older than the log.
    pub fn since(&self, cursor: u64) -> Option<BTreeSet<String>> {
        if !self.covers(cursor) {
            return None;
        }
        let from = self.entries.partition_point(|(sequence, _)| *sequence <= cursor);
        Some(self.entries.range(from..).map(|(_, key)| key.clone()).collect())
    }
}

/// Entries kept: some 10 MB.
const MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gets_each_later_key_once_and_an_old_one_is_turned_away() {
        let mut log = Log::new(3);
        log.extend(4, ["api/a".to_owned(), "api/b".to_owned()]);
        log.extend(6, ["api/a".to_owned()]);
        assert_eq!(log.since(2), None);
        assert_eq!(log.since(3).unwrap().len(), 2);
        assert_eq!(log.since(4).unwrap(), BTreeSet::from(["api/a".to_owned()]));
        assert!(log.since(6).unwrap().is_empty());
        log.extend(7, (0..MAX).map(|n| format!("api/{n}")));
        assert_eq!(log.since(5), None, "entries of sequence 6 had to go");
        assert_eq!(log.since(6).unwrap().len(), MAX);
    }
}
