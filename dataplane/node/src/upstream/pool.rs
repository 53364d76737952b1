//! Connections to upstreams, kept open between requests; a pool for each upstream, owned by one worker.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tidegate_engine::CallError;
use tidegate_engine::snapshot::{Upstream, UpstreamId};

use super::connect::{Dialer, Transport};
use crate::rt::deadline::{Deadline, now_ms};

/// How long a connection may rest. Shorter than what common servers allow, so that we close first.
const REST: Duration = Duration::from_secs(50);

/// Connections that rest per upstream and worker. More are closed when they come back.
const MAX_RESTING: usize = 256;

/// Servers keep idle connections open for at least so long.
const LIKELY_OPEN_MS: u64 = 1_000;

/// How long a resolved name is used without asking again.
const ADDRESS_TTL_MS: u64 = 5_000;

/// All pools of a worker.
pub struct Upstreams {
    pools: RefCell<FxHashMap<UpstreamId, Rc<Pool>>>,
    dialer: Dialer,
    open: Cell<u64>,
}

#[derive(Default)]
struct Pool {
    resting: RefCell<Vec<Resting>>,
    addresses: RefCell<Option<(u64, Rc<[IpAddr]>)>>,
    /// Which address the next connection tries first.
    turn: Cell<usize>,
}

struct Resting {
    connection: Connection,
    since: u64,
}

/// A connection to an upstream, at a message boundary whenever it rests.
pub struct Connection {
    /// The transport.
    pub transport: Transport,
    /// Its time limit.
    pub deadline: Deadline,
    /// Whether it has served a request before: then the upstream may have closed it just now, and a request that got no byte of
    /// an answer may be sent again elsewhere.
    pub reused: bool,
    pool: Option<Rc<Pool>>,
}

impl Connection {
    /// A connection that has served nothing yet.
    pub fn new(transport: Transport, deadline: Deadline) -> Self {
        Self { transport, deadline, reused: false, pool: None }
    }
}

/// What a request needs of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The request can be sent again if the connection turns out to be closed.
    Any,
    /// It cannot: one that was looked at just now.
    Checked,
    /// A new one.
    New,
}

impl Upstreams {
    /// Empty pools.
    pub fn new(dialer: Dialer) -> Self {
        Self { pools: RefCell::default(), dialer, open: Cell::new(0) }
    }

    /// Connections resting now.
    pub fn resting(&self) -> usize {
        self.pools.borrow().values().map(|pool| pool.resting.borrow().len()).sum()
    }

    /// Connections opened so far.
    pub fn opened(&self) -> u64 {
        self.open.get()
    }

    /// A connection to send a request on; `limit` bounds resolving and connecting.
    ///
    /// # Errors
    /// As [`Dialer::dial`].
    pub async fn acquire(
        &self,
        upstream: &Upstream,
        want: Want,
        limit: Duration,
    ) -> Result<Connection, CallError> {
        let pool = self.pool(upstream.id);
        if want != Want::New
            && let Some(mut connection) = pool.take(want)
        {
            connection.pool = Some(pool);
            return Ok(connection);
        }
        let addresses = self.addresses(&pool, upstream).await?;
        self.open.set(self.open.get() + 1);
        let first = pool.turn.get();
        pool.turn.set(first.wrapping_add(1));
        let mut connection = self.dialer.dial(upstream, &addresses, first, limit).await?;
        connection.pool = Some(pool);
        Ok(connection)
    }

    /// Takes back a connection whose last message was read to its end.
    pub fn release(&self, mut connection: Connection) {
        connection.reused = true;
        connection.deadline.disarm();
        // One that was never acquired here belongs to no pool.
        let Some(pool) = connection.pool.take() else { return };
        let mut resting = pool.resting.borrow_mut();
        if resting.len() < MAX_RESTING {
            resting.push(Resting { connection, since: now_ms() });
        }
    }

    /// Closes what has rested too long; forgets upstreams with nothing left. Called now and then.
    pub fn sweep(&self) {
        let now = now_ms();
        self.pools.borrow_mut().retain(|_, pool| {
            let mut resting = pool.resting.borrow_mut();
            resting.retain(|r| now.saturating_sub(r.since) < REST.as_millis() as u64);
            // Whoever waits for an address or a connection holds the pool too.
            !resting.is_empty() || Rc::strong_count(pool) > 1
        });
    }

    fn pool(&self, id: UpstreamId) -> Rc<Pool> {
        self.pools.borrow_mut().entry(id).or_default().clone()
    }

    async fn addresses(&self, pool: &Pool, upstream: &Upstream) -> Result<Rc<[IpAddr]>, CallError> {
        let now = now_ms();
        if let Some((at, held)) = &*pool.addresses.borrow()
            && now.saturating_sub(*at) < ADDRESS_TTL_MS
        {
            return Ok(held.clone());
        }
        let found: Rc<[IpAddr]> = self.dialer.resolve(&upstream.host).await?.into();
        *pool.addresses.borrow_mut() = Some((now, found.clone()));
        Ok(found)
    }
}

impl Pool {
    /// The connection that rested last, if the upstream has not closed it meanwhile.
    fn take(&self, want: Want) -> Option<Connection> {
        let now = now_ms();
        let mut resting = self.resting.borrow_mut();
        while let Some(found) = resting.pop() {
            let rested = now.saturating_sub(found.since);
            if rested >= REST.as_millis() as u64 {
                continue;
            }
            // Whether the other side has closed it costs a system call to know. A request that can be sent again does without, unless
            // the connection rested so long that it probably was.
            let trusted = want == Want::Any && rested < LIKELY_OPEN_MS;
            if trusted || !found.connection.transport.has_news() {
                return Some(found.connection);
            }
        }
        None
    }
}
