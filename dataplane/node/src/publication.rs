//! Hands worlds to workers: one is current, workers learn of the next by one word, and old ones are never freed by them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tidegate_engine::snapshot::World;

/// Called after each publish, from the publishing thread, to wake one worker. It must not block.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// The current world of a node.
///
/// A worker compares [`generation`](Self::generation) once a request, takes the world with [`load`](Self::load) only when
/// the number has changed, and hands the one it had to [`bury`](Self::bury).
pub struct Publication {
    world: ArcSwap<World>,
    generation: AtomicU64,
    wakers: Mutex<Vec<Waker>>,
    /// Worlds that were current once. Each is held until nobody else holds it, so that the last reference, whose drop
    /// frees the memory, is always this one. There are at most as many as requests in flight pin, and no more than swaps.
    retired: Mutex<Vec<Arc<World>>>,
    published: Condvar,
}

impl Publication {
    /// A publication whose world is empty and does not count: the generation is 0 until the first publish.
    pub fn new() -> Self {
        Self {
            world: ArcSwap::from_pointee(World::empty("", "")),
            generation: AtomicU64::new(0),
            wakers: Mutex::default(),
            retired: Mutex::default(),
            published: Condvar::new(),
        }
    }

    /// How many worlds were published; 0 while there is nothing to serve by. Costs a load.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The current world. It is at least as new as the generation read before.
    pub fn load(&self) -> Arc<World> {
        self.world.load_full()
    }

    /// Gives back a world. Costs one count: memory is freed by [`collect`](Self::collect), on the build thread.
    pub fn bury(&self, world: Arc<World>) {
        drop(world);
    }

    /// Registers a worker's waker.
    pub fn on_publish(&self, waker: Waker) {
        lock(&self.wakers).push(waker);
    }

    /// Makes a world current and wakes every worker. Only the build thread publishes.
    pub fn publish(&self, world: impl Into<Arc<World>>) {
        let before = self.world.swap(world.into());
        {
            // Under the lock that `wait` sleeps by, or a wake-up could fall between its look and its sleep.
            let mut retired = lock(&self.retired);
            retired.push(before);
            self.generation.fetch_add(1, Ordering::Release);
        }
        self.published.notify_all();
        for wake in lock(&self.wakers).iter() {
            wake();
        }
    }

    /// Frees the worlds that nobody uses any more, and says how many are still used. For the build thread.
    pub fn collect(&self) -> usize {
        let (freed, left) = {
            let mut retired = lock(&self.retired);
            // A world that is not current cannot be had again, so a count of one never rises.
            let freed: Vec<_> =
                retired.extract_if(.., |world| Arc::strong_count(world) == 1).collect();
            (freed, retired.len())
        };
        drop(freed);
        left
    }

    /// Blocks until the generation is at least `wanted`; false when `limit` passes first. For start-up and tests.
    pub fn wait(&self, wanted: u64, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut guard = lock(&self.retired);
        while self.generation() < wanted {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            guard =
                self.published.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Default for Publication {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication")
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

/// What the lock guards stays whole whatever panics: pushes and removals of single values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tidegate_engine::snapshot::Revision;

    use super::*;

    fn world(sequence: u64) -> World {
        World::empty("1", "r").edit().finish(Revision { epoch: 1, sequence })
    }

    #[test]
    fn workers_are_woken_and_see_the_newest_world() {
        let publication = Arc::new(Publication::new());
        let woken = Arc::new(AtomicU64::new(0));
        for _ in 0..2 {
            let woken = woken.clone();
            publication.on_publish(Box::new(move || {
                woken.fetch_add(1, Ordering::Relaxed);
            }));
        }
        assert_eq!(publication.generation(), 0);
        assert!(!publication.wait(1, Duration::from_millis(1)));
        let waiter = std::thread::spawn({
            let publication = publication.clone();
            move || publication.wait(2, Duration::from_secs(10))
        });
        publication.publish(world(1));
        publication.publish(world(2));
        assert!(waiter.join().unwrap());
        assert_eq!(publication.load().revision.sequence, 2);
        assert_eq!((publication.generation(), woken.load(Ordering::Relaxed)), (2, 4));
    }

    #[test]
    fn a_world_is_freed_only_by_collecting() {
        let publication = Publication::new();
        publication.publish(world(1));
        let held = publication.load();
        let seen = Arc::downgrade(&held);
        publication.publish(world(2));
        assert_eq!(publication.collect(), 1, "a worker still has it");
        publication.bury(held);
        assert!(seen.upgrade().is_some(), "burying frees nothing");
        assert_eq!(publication.collect(), 0);
        assert!(seen.upgrade().is_none());
    }
}
