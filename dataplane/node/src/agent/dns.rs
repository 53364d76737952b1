//! Addresses of upstreams: looked up by the system, off the workers, and remembered while they are used.
//!
//! A name that has an address keeps it: once it is older than its time to live it is looked up again behind the requests that go
//! on using it, and a failed refresh changes nothing. Only a name without any address makes requests wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};

use super::Timing;

/// Called once with the answer: at once, on the caller's thread, when the answer is known, else later on the agent's thread.
pub type Done = Box<dyn FnOnce(Result<Vec<IpAddr>, ResolveError>) + Send>;

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The resolver says so, or is not there.
    #[error("the name has no address")]
    NotFound,
    /// The resolver did not answer in time.
    #[error("the resolver did not answer in time")]
    Timeout,
    /// Too many names are being looked up.
    #[error("too many names are being looked up")]
    Busy,
}

/// A handle of the node's resolver. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Resolver {
    cache: Arc<Cache>,
    asks: mpsc::Sender<Box<str>>,
}

struct Cache {
    names: Mutex<HashMap<Box<str>, Name>>,
    ttl: Duration,
    error_ttl: Duration,
}

struct Name {
    answer: Result<Vec<IpAddr>, ResolveError>,
    /// When the answer is to be asked for again; `None` while it is being asked for the first time.
    until: Option<Instant>,
    /// Whether a lookup is under way.
    asking: bool,
    waiting: Vec<Done>,
    used: Instant,
}

impl Resolver {
    /// Finds the addresses of a host name. IP literals never get here: callers parse them.
    pub fn resolve(&self, host: &str, done: Done) {
        if let Some((done, answer)) = self.look(host, done, Instant::now()) {
            // Not under the lock: the callback may come back to us.
            done(answer);
        }
    }

    /// The answer if it is known; else the callback waits for it.
    fn look(
        &self,
        host: &str,
        done: Done,
        now: Instant,
    ) -> Option<(Done, Result<Vec<IpAddr>, ResolveError>)> {
        let mut names = self.cache.lock();
        if let Some(name) = names.get_mut(host) {
            name.used = now;
            let fresh = name.until.is_some_and(|until| now < until);
            if !fresh && !name.asking {
                name.asking = self.asks.try_send(host.into()).is_ok();
                if !name.asking && name.answer.is_err() {
                    return Some((done, Err(ResolveError::Busy)));
                }
            }
            // A name nobody used for long may have moved: those wait, and get the old answer only if there is no new one.
            let usable = name.answer.is_ok() && name.until.is_some_and(|until| now < until + STALE);
            if fresh || usable {
                return Some((done, name.answer.clone()));
            }
            if name.waiting.len() >= MAX_WAITING {
                return Some((done, Err(ResolveError::Busy)));
            }
            name.waiting.push(done);
            return None;
        }
        if names.len() >= MAX_NAMES {
            forget_oldest(&mut names);
        }
        if names.len() >= MAX_NAMES || self.asks.try_send(host.into()).is_err() {
            return Some((done, Err(ResolveError::Busy)));
        }
        let name = Name {
            answer: Err(ResolveError::NotFound),
            until: None,
            asking: true,
            waiting: vec![done],
            used: now,
        };
        names.insert(host.into(), name);
        None
    }
}

/// Makes room by a tenth, so that a flood of names does not sort the table for each of them.
fn forget_oldest(names: &mut HashMap<Box<str>, Name>) {
    let mut idle: Vec<Instant> =
        names.values().filter(|name| !name.asking).map(|name| name.used).collect();
    idle.sort_unstable();
    let Some(cut) = idle.get(idle.len() / 10).copied() else { return };
    names.retain(|_, name| name.asking || name.used > cut);
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Name>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an answer and calls who waited for it.
    fn settle(&self, host: &str, answer: Result<Vec<IpAddr>, ResolveError>, now: Instant) {
        let (waiting, answer) = {
            let mut names = self.lock();
            let Some(name) = names.get_mut(host) else { return };
            name.asking = false;
            // The last good answer outlives a resolver that is down.
            if answer.is_ok() || name.answer.is_err() {
                name.answer = answer;
            }
            let ttl = if name.answer.is_ok() { self.ttl } else { self.error_ttl };
            name.until = Some(now + ttl);
            (std::mem::take(&mut name.waiting), name.answer.clone())
        };
        for done in waiting {
            done(answer.clone());
        }
    }
}

/// The half that runs on the agent's thread.
pub(super) struct Lookups {
    cache: Arc<Cache>,
    asks: mpsc::Receiver<Box<str>>,
}

/// A resolver and what does its work.
pub(super) fn resolver(timing: &Timing) -> (Resolver, Lookups) {
    let (sender, asks) = mpsc::channel(QUEUE);
    let cache = Arc::new(Cache {
        names: Mutex::default(),
        ttl: timing.address_ttl,
        error_ttl: timing.address_error_ttl,
    });
    (Resolver { cache: cache.clone(), asks: sender }, Lookups { cache, asks })
}

impl Lookups {
    /// Works until the last handle is dropped.
    pub(super) async fn run(mut self) {
        let room = Arc::new(Semaphore::new(IN_FLIGHT));
        while let Some(host) = self.asks.recv().await {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let cache = self.cache.clone();
            tokio::spawn(async move {
                let answer = lookup(&host).await;
                if let Err(error) = &answer {
                    tracing::debug!(%host, %error, "upstream has no address");
                }
                cache.settle(&host, answer, Instant::now());
                drop(permit);
            });
        }
    }
}

async fn lookup(host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let found = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, 0))).await;
    let found = found.map_err(|_| ResolveError::Timeout)?.map_err(|_| ResolveError::NotFound)?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|found| found.ip()).take(MAX_ADDRESSES) {
        // The system lists an address once per socket type.
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(ResolveError::NotFound) } else { Ok(addresses) }
}

/// Lookups at once. `getaddrinfo` takes a thread each, and a resolver that is down holds each for [`LOOKUP`].
pub(super) const IN_FLIGHT: usize = 32;

/// Names that may wait for a lookup.
const QUEUE: usize = 1_024;

/// Requests that may wait for one name.
const MAX_WAITING: usize = 1_024;

/// Names remembered.
const MAX_NAMES: usize = 10_000;

/// Addresses of one name that are used.
const MAX_ADDRESSES: usize = 64;

/// How long past its time an answer is used while it is looked up again.
const STALE: Duration = Duration::from_secs(60);

/// Most one lookup may take.
const LOOKUP: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn ask(
        resolver: &Resolver,
        host: &str,
        now: Instant,
    ) -> Receiver<Result<Vec<IpAddr>, ResolveError>> {
        let (sender, answers) = channel();
        let done: Done = Box::new(move |answer| sender.send(answer).unwrap());
        if let Some((done, answer)) = resolver.look(host, done, now) {
            done(answer);
        }
        answers
    }

    #[test]
    fn answers_are_shared_refreshed_behind_and_outlive_a_resolver_that_fails() {
        let timing = Timing::default();
        let (resolver, mut lookups) = resolver(&timing);
        let start = Instant::now();
        let good: Result<Vec<IpAddr>, _> = Ok(vec!["10.0.0.1".parse().unwrap()]);
        let waiting = [ask(&resolver, "a", start), ask(&resolver, "a", start)];
        assert_eq!(&*lookups.asks.try_recv().unwrap(), "a");
        assert!(lookups.asks.try_recv().is_err(), "asked once for both");
        lookups.cache.settle("a", good.clone(), start);
        for answers in waiting {
            assert_eq!(answers.try_recv().unwrap(), good);
        }
        assert_eq!(ask(&resolver, "a", start + timing.address_ttl / 2).try_recv().unwrap(), good);
        assert!(lookups.asks.try_recv().is_err(), "fresh enough");

        let later = start + timing.address_ttl * 2;
        assert_eq!(
            ask(&resolver, "a", later).try_recv().unwrap(),
            good,
            "served while it is refreshed"
        );
        assert_eq!(&*lookups.asks.try_recv().unwrap(), "a");
        lookups.cache.settle("a", Err(ResolveError::Timeout), later);
        assert_eq!(ask(&resolver, "a", later).try_recv().unwrap(), good);
    }

    #[test]
    fn an_error_counts_for_its_time_and_no_longer() {
        let timing = Timing::default();
        let (resolver, mut lookups) = resolver(&timing);
        let start = Instant::now();
        let first = ask(&resolver, "a", start);
        lookups.asks.try_recv().unwrap();
        lookups.cache.settle("a", Err(ResolveError::NotFound), start);
        assert_eq!(first.try_recv().unwrap(), Err(ResolveError::NotFound));
        assert_eq!(ask(&resolver, "a", start).try_recv().unwrap(), Err(ResolveError::NotFound));
        let again = ask(&resolver, "a", start + timing.address_error_ttl * 2);
        assert!(again.try_recv().is_err(), "asked anew");
        lookups.asks.try_recv().unwrap();
        lookups.cache.settle("a", Ok(vec!["::1".parse().unwrap()]), start);
        assert!(again.try_recv().unwrap().is_ok());
    }

    #[test]
    fn a_flood_of_names_is_told_that_we_are_busy() {
        let (resolver, _lookups) = resolver(&Timing::default());
        let answers: Vec<_> =
            (0..QUEUE + 1).map(|n| ask(&resolver, &format!("n{n}"), Instant::now())).collect();
        assert_eq!(answers[QUEUE].try_recv().unwrap(), Err(ResolveError::Busy));
        assert!(answers[0].try_recv().is_err());
    }
}
