//! Connections to upstreams, kept open between requests; a pool for each upstream, owned by one worker.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tidegate_engine::CallError;
use tidegate_engine::snapshot::{Target, Upstream, UpstreamId};

use super::connect::{Dialer, Transport};
use super::targets::{Member, PATIENCE, Targets};
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
    /// Of upstreams behind VPC links.
    targets: RefCell<FxHashMap<UpstreamId, Rc<Targets>>>,
    dialer: Dialer,
    open: Cell<u64>,
}

/// Connections to one place.
#[derive(Default)]
pub(super) struct Pool {
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
    /// The target of a VPC link that it leads to, if it was opened just now.
    target: Option<Rc<Member>>,
}

impl Connection {
    /// A connection that has served nothing yet.
    pub fn new(transport: Transport, deadline: Deadline) -> Self {
        Self { transport, deadline, reused: false, pool: None, target: None }
    }

    /// Whether a request that got no byte of an answer here may find one elsewhere: the other side may have closed a connection that
    /// rested, and of several targets one may have gone just now. That one is then left out.
    pub fn broke(&self) -> bool {
        if let Some(target) = &self.target {
            target.failed(0, now_ms());
        }
        self.reused || self.target.is_some()
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
        let (pools, targets) = Default::default();
        Self { pools, targets, dialer, open: Cell::new(0) }
    }

    /// Connections resting now.
    pub fn resting(&self) -> usize {
        let plain: usize = self.pools.borrow().values().map(|pool| pool.resting()).sum();
        let targets = self.targets.borrow();
        let behind = targets.values().flat_map(|targets| targets.members());
        plain + behind.map(|member| member.pool.resting()).sum::<usize>()
    }

    /// Connections opened so far.
    pub fn opened(&self) -> u64 {
        self.open.get()
    }

    /// A connection to send a request on; `limit` bounds resolving and connecting. `targets` are those of the upstream's VPC link, if
    /// it is behind one.
    ///
    /// # Errors
    /// As [`Dialer::dial`].
    pub async fn acquire(
        &self,
        upstream: &Upstream,
        targets: Option<&Arc<[Target]>>,
        want: Want,
        limit: Duration,
    ) -> Result<Connection, CallError> {
        if let Some(targets) = targets {
            // Boxed: requests that go straight to their upstream should not carry its state.
            return Box::pin(self.acquire_target(upstream, targets, want, limit)).await;
        }
        let pool = self.pool(upstream.id);
        if want != Want::New
            && let Some(connection) = pool.clone().take(want)
        {
            return Ok(connection);
        }
        self.connect(upstream, None, pool, limit).await
    }

    /// A connection to the target whose turn it is or, if that accepts none, to the next.
    async fn acquire_target(
        &self,
        upstream: &Upstream,
        listed: &Arc<[Target]>,
        want: Want,
        limit: Duration,
    ) -> Result<Connection, CallError> {
        let began = Instant::now();
        let targets = self.targets(upstream.id, listed);
        let mut failure = CallError::Network;
        let mut others = targets.len();
        for member in targets.order(now_ms()) {
            others -= 1;
            if want != Want::New
                && let Some(connection) = member.pool.clone().take(want)
            {
                return Ok(connection);
            }
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(CallError::Timeout);
            }
            let patience = if others > 0 { left.min(PATIENCE) } else { left };
            let trial = member.tried(now_ms());
            let pool = member.pool.clone();
            match self.connect(upstream, Some(&member.target), pool, patience).await {
                Ok(mut connection) => {
                    member.connected();
                    connection.target = Some(member.clone());
                    return Ok(connection);
                }
                Err(error) => failure = error,
            }
            if let Some(time) = member.failed(trial, now_ms()) {
                let link = upstream.vpc_link.as_deref().unwrap_or_default();
                tracing::warn!(
                    link, target = %member.target, error = %failure, ?time,
                    "target accepts no connection and is left out"
                );
            }
        }
        Err(failure)
    }

    /// Opens a connection of a pool.
    async fn connect(
        &self,
        upstream: &Upstream,
        target: Option<&Target>,
        pool: Rc<Pool>,
        limit: Duration,
    ) -> Result<Connection, CallError> {
        let (host, port) = match target {
            Some(target) => (&*target.host, target.port),
            None => (&*upstream.host, upstream.port),
        };
        let addresses = self.addresses(&pool, host, target.is_some()).await?;
        self.open.set(self.open.get() + 1);
        let first = pool.turn.get();
        pool.turn.set(first.wrapping_add(1));
        let mut connection = self.dialer.dial(upstream, port, &addresses, first, limit).await?;
        connection.pool = Some(pool);
        Ok(connection)
    }

    /// Takes back a connection whose last message was read to its end.
    pub fn release(&self, mut connection: Connection) {
        connection.reused = true;
        connection.target = None;
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
        // Whoever waits for an address or a connection holds the pool too.
        let is_used = |pool: &Rc<Pool>| pool.sweep(now) || Rc::strong_count(pool) > 1;
        self.pools.borrow_mut().retain(|_, pool| is_used(pool));
        self.targets.borrow_mut().retain(|_, targets| {
            // Each of them, so that all are swept.
            let used = targets.members().filter(|m| is_used(&m.pool) || m.is_ejected(now)).count();
            used > 0 || Rc::strong_count(targets) > 1
        });
    }

    /// The targets behind an upstream.
    fn targets(&self, id: UpstreamId, listed: &Arc<[Target]>) -> Rc<Targets> {
        let mut all = self.targets.borrow_mut();
        let held = all.entry(id).or_insert_with(|| Rc::new(Targets::new(listed)));
        if !held.lists(listed) {
            *held = Rc::new(held.changed(listed));
        }
        held.clone()
    }

    fn pool(&self, id: UpstreamId) -> Rc<Pool> {
        self.pools.borrow_mut().entry(id).or_default().clone()
    }

    async fn addresses(
        &self,
        pool: &Pool,
        host: &str,
        by_link: bool,
    ) -> Result<Rc<[IpAddr]>, CallError> {
        let now = now_ms();
        if let Some((at, held)) = &*pool.addresses.borrow()
            && now.saturating_sub(*at) < ADDRESS_TTL_MS
        {
            return Ok(held.clone());
        }
        let found: Rc<[IpAddr]> = self.dialer.resolve(host, by_link).await?.into();
        *pool.addresses.borrow_mut() = Some((now, found.clone()));
        Ok(found)
    }
}

impl Pool {
    /// Closes all that rest.
    pub(super) fn clear(&self) {
        self.resting.borrow_mut().clear();
    }

    fn resting(&self) -> usize {
        self.resting.borrow().len()
    }

    /// Closes what has rested too long. Whether anything is left.
    fn sweep(&self, now: u64) -> bool {
        let mut resting = self.resting.borrow_mut();
        resting.retain(|r| now.saturating_sub(r.since) < REST.as_millis() as u64);
        !resting.is_empty()
    }

    /// The connection that rested last, if the upstream has not closed it meanwhile.
    fn take(self: Rc<Self>, want: Want) -> Option<Connection> {
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
                let mut connection = found.connection;
                drop(resting);
                connection.pool = Some(self);
                return Some(connection);
            }
        }
        None
    }
}
