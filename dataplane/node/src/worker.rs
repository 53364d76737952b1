//! One pinned thread: its runtime, its listeners, its connections, its pools and counters. Workers share nothing they write.

pub mod accept;
pub mod exchange;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tidegate_engine::Now;
use tidegate_engine::integration::credentials::Credentials;
use tidegate_engine::snapshot::World;
use tidegate_trust::Trust;

use crate::aside::{Aside, Helpers};
use crate::publication::Publication;
use crate::rt::mailbox::{Receiver, Sender};
use crate::rt::{self, Deadlines, Driver, Listener};
use crate::telemetry::{AccessLog, Hints, Metrics, Mismatches, Scrape};
use crate::upstream::connect::{Dialer, Resolve, Resolving};
use crate::upstream::{AddressPolicy, Upstreams};
use accept::ListenerSettings;
use exchange::Exchange;

/// What every worker of a node is given.
#[derive(Clone)]
pub struct Settings {
    /// io_uring or epoll.
    pub driver: Driver,
    /// Whom the node may call.
    pub policy: AddressPolicy,
    /// What calls to AWS services are signed with.
    pub credentials: Arc<Credentials>,
    /// How it proves whom it talks to.
    pub trust: Trust,
    /// Time limits towards callers.
    pub limits: Limits,
    /// Where access log lines go; `None` when nowhere.
    pub access_log: Option<AccessLog>,
    /// Where helpful lines on gateway-made errors go; `None` when nowhere.
    pub hints: Option<Hints>,
    /// Where answers are told of that do not fit their response models; `None` when nowhere.
    pub mismatches: Option<Mismatches>,
    /// Whether workers are bound to a core each.
    pub pin: bool,
}

/// Time limits and bounds towards callers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first byte of a request head to its last.
    pub head: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// Between two reads of a body, and between two writes of an answer.
    pub stall: Duration,
    /// How long exchanges may go on once the node drains.
    pub drain: Duration,
    /// Connections one worker holds; more wait in the kernel's queue.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            // AWS: "idle connection 310 s".
            idle: Duration::from_secs(310),
            stall: Duration::from_secs(60),
            drain: Duration::from_secs(30),
            connections: 10_000,
        }
    }
}

/// Looks a name up on another thread and calls back from there; `None` when it has no address.
pub type NameLookup = Arc<dyn Fn(&str, Box<dyn FnOnce(Option<Vec<IpAddr>>) + Send>) + Send + Sync>;

/// A message to a worker.
pub enum Message {
    /// A name was looked up.
    Resolved(u64, Option<Vec<IpAddr>>),
    /// Hand over what was counted.
    Scrape(std::sync::mpsc::Sender<Scrape>),
}

/// A worker's handle for the rest of the node.
pub struct Handle {
    mail: Sender<Message>,
    shared: Arc<Shared>,
    thread: std::thread::JoinHandle<()>,
}

/// What crosses between a worker and the rest of the node.
#[derive(Default)]
struct Shared {
    draining: AtomicBool,
    /// Connections open now.
    connections: AtomicUsize,
}

/// The state of a worker, on its thread.
pub struct Worker {
    /// Settings.
    pub settings: Settings,
    /// Its deadlines.
    pub deadlines: Rc<Deadlines>,
    /// Its connections to upstreams.
    pub upstreams: Upstreams,
    /// Who carries out what takes long.
    pub aside: Aside,
    /// What it counted.
    pub metrics: RefCell<Metrics>,
    publication: Arc<Publication>,
    current: RefCell<Option<(u64, Pinned)>>,
    shared: Arc<Shared>,
    random: Cell<[u64; 4]>,
    clock: Clock,
    #[allow(
        clippy::vec_box,
        reason = "buffers are lent out and given back by pointer, not copied"
    )]
    spare: RefCell<Vec<Box<Exchange>>>,
}

/// A world held by one worker. Clones are counted on the worker alone; the last one buries the world, so that no worker ever
/// frees one.
#[derive(Clone)]
pub struct Pinned(Rc<Held>);

struct Held {
    world: Option<Arc<World>>,
    publication: Arc<Publication>,
}

impl std::ops::Deref for Pinned {
    type Target = World;

    fn deref(&self) -> &World {
        self.0.world.as_ref().expect("only drop takes the world")
    }
}

impl Pinned {
    /// The same world for another thread.
    pub fn share(&self) -> Arc<World> {
        self.0.world.clone().expect("only drop takes the world")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(world) = self.world.take() {
            self.publication.bury(world);
        }
    }
}

/// Wall-clock time and its HTTP form, remade once a second.
struct Clock {
    date: Cell<[u8; 29]>,
    second: Cell<u64>,
}

impl Handle {
    /// Starts a worker that serves on the listening sockets. It ends when it is told to drain and has.
    ///
    /// # Errors
    /// If the thread or its mailbox cannot be made.
    pub fn start(
        index: usize,
        settings: Settings,
        listeners: Vec<(std::net::TcpListener, ListenerSettings)>,
        publication: Arc<Publication>,
        lookup: NameLookup,
        helpers: Helpers,
    ) -> io::Result<Self> {
        let (mail, receiver) = rt::mailbox::channel(1024)?;
        let shared = Arc::new(Shared::default());
        let waker = mail.clone();
        publication.on_publish(Box::new(move || waker.wake()));
        let (sender, held) = (mail.clone(), shared.clone());
        let thread =
            std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
                if settings.pin {
                    pin(index);
                }
                let driver = settings.driver;
                let ended = rt::run(
                    driver,
                    serve(
                        settings,
                        listeners,
                        publication,
                        lookup,
                        helpers,
                        held,
                        sender,
                        receiver,
                    ),
                );
                if let Err(error) | Ok(Err(error)) = ended {
                    tracing::error!(%error, worker = index, "worker cannot run");
                    std::process::exit(1);
                }
            })?;
        Ok(Self { mail, shared, thread })
    }

    /// Tells the worker to finish its exchanges and accept none.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Release);
        self.mail.wake();
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// What the worker counted; `None` when it does not answer in time.
    pub fn scrape(&self, limit: Duration) -> Option<Scrape> {
        let (reply, answer) = std::sync::mpsc::channel();
        self.mail.send(Message::Scrape(reply)).ok()?;
        answer.recv_timeout(limit).ok()
    }

    /// Whether the worker has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until the worker has ended.
    pub fn join(self) {
        // A worker's panics are caught within; if one was not, the process log has it.
        let _ = self.thread.join();
    }
}

/// Binds the thread to a core. Where that is not allowed, it runs anywhere.
fn pin(index: usize) {
    let Ok(allowed) = rustix::thread::sched_getaffinity(None) else { return };
    let cores: Vec<usize> =
        (0..rustix::thread::CpuSet::MAX_CPU).filter(|c| allowed.is_set(*c)).collect();
    let Some(core) = cores.get(index % cores.len().max(1)) else { return };
    let mut set = rustix::thread::CpuSet::new();
    set.set(*core);
    let _ = rustix::thread::sched_setaffinity(None, &set);
}

#[allow(clippy::too_many_arguments, reason = "the parts of one worker")]
async fn serve(
    settings: Settings,
    listeners: Vec<(std::net::TcpListener, ListenerSettings)>,
    publication: Arc<Publication>,
    lookup: NameLookup,
    helpers: Helpers,
    shared: Arc<Shared>,
    mail: Sender<Message>,
    receiver: Receiver<Message>,
) -> io::Result<()> {
    let deadlines = Deadlines::new()?;
    rt::spawn(deadlines.clone().sweep());
    let bell = mail.clone();
    let aside = Aside::new(helpers, Arc::new(move || bell.wake()));
    let lookups =
        Rc::new(Lookups { lookup, mail, waiting: RefCell::default(), next: Cell::new(0) });
    let dialer = Dialer::new(
        settings.policy.clone(),
        settings.trust.clone(),
        deadlines.clone(),
        Box::new(lookups.clone()),
    );
    let drain = settings.limits.drain;
    let worker = Rc::new(Worker {
        upstreams: Upstreams::new(dialer),
        aside,
        metrics: RefCell::new(Metrics::default()),
        current: RefCell::new(None),
        random: Cell::new(seed()),
        clock: Clock { date: Cell::new([b' '; 29]), second: Cell::new(u64::MAX) },
        spare: RefCell::default(),
        settings,
        deadlines,
        publication,
        shared,
    });
    let mut accepting = Vec::new();
    for (socket, of_listener) in listeners {
        let listener = Rc::new(Listener::new(socket)?);
        accepting.push(listener.clone());
        rt::spawn(accept::run(worker.clone(), listener, Rc::new(of_listener)));
    }

    let mailbox = receiver.open()?;
    let housekeeping = worker.deadlines.deadline();
    let mut last_sweep = rt::deadline::now_ms();
    let mut drain_ends = None;
    loop {
        while let Some(message) = mailbox.take() {
            match message {
                Message::Resolved(ticket, found) => lookups.give(ticket, found),
                Message::Scrape(reply) => {
                    // Whoever asked may have given up.
                    let _ = reply.send(worker.metrics.borrow().scrape(&worker));
                }
            }
        }
        worker.aside.wake();
        // An idle worker must not hold the world before the last one.
        worker.refresh();
        let now = rt::deadline::now_ms();
        if now.saturating_sub(last_sweep) > 5_000 {
            worker.upstreams.sweep();
            last_sweep = now;
        }
        if worker.is_draining() {
            let ends = *drain_ends.get_or_insert(now + drain.as_millis() as u64);
            worker.deadlines.end_idle();
            if worker.shared.connections.load(Ordering::Relaxed) == 0 || now >= ends {
                return Ok(());
            }
        }
        let pause =
            if worker.is_draining() { Duration::from_millis(50) } else { Duration::from_secs(10) };
        housekeeping.arm_wake(pause, mailbox.waker());
        mailbox.woken().await?;
    }
}

impl Worker {
    /// The world to decide by. Costs a load unless a new one was published.
    pub fn world(&self) -> Pinned {
        let generation = self.publication.generation();
        if let Some((held, world)) = &*self.current.borrow()
            && *held == generation
        {
            return world.clone();
        }
        let held =
            Held { world: Some(self.publication.load()), publication: self.publication.clone() };
        let pinned = Pinned(Rc::new(held));
        *self.current.borrow_mut() = Some((generation, pinned.clone()));
        pinned
    }

    fn refresh(&self) {
        drop(self.world());
    }

    /// Whether the worker finishes what it has and takes nothing new.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Acquire)
    }

    /// Sixteen random bytes for a request. Ids need not be secret, only different: xoshiro256++, seeded by the kernel.
    pub fn entropy(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.next().to_le_bytes());
        out[8..].copy_from_slice(&self.next().to_le_bytes());
        out
    }

    fn next(&self) -> u64 {
        let mut s = self.random.get();
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        self.random.set(s);
        out
    }

    /// The time, and the `Date` of this second.
    pub fn now(&self) -> (Now, [u8; 29]) {
        let now = SystemTime::now();
        let unix_ms =
            now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
        let second = unix_ms / 1000;
        if self.clock.second.replace(second) != second {
            let text = httpdate::fmt_http_date(now);
            if let Ok(date) = text.as_bytes().try_into() {
                self.clock.date.set(date);
            }
        }
        (Now { unix_ms }, self.clock.date.get())
    }

    /// Buffers for an exchange: ones that rested, or new ones.
    pub fn lend(&self) -> Box<Exchange> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes buffers back.
    pub fn give_back(&self, mut exchange: Box<Exchange>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() >= MAX_SPARE || !exchange.reset() {
            return;
        }
        if spare.len() >= MAX_STRETCHES {
            exchange.stretch = Vec::new();
        }
        spare.push(exchange);
    }
}

/// Buffers of exchanges that rest with the stretch they streamed by.
const MAX_STRETCHES: usize = 16;

/// Exchanges' buffers that rest for the next request, per worker: 12 KiB each.
const MAX_SPARE: usize = 256;

fn seed() -> [u64; 4] {
    use std::hash::{BuildHasher, RandomState};
    // Each RandomState is keyed by the kernel's random numbers.
    std::array::from_fn(|i| RandomState::new().hash_one(i) | 1)
}

/// Lookups under way, by ticket.
struct Lookups {
    lookup: NameLookup,
    mail: Sender<Message>,
    waiting: RefCell<std::collections::HashMap<u64, Lookup>>,
    next: Cell<u64>,
}

#[derive(Default)]
struct Lookup {
    answer: Option<Option<Vec<IpAddr>>>,
    waker: Option<std::task::Waker>,
}

impl Lookups {
    fn give(&self, ticket: u64, found: Option<Vec<IpAddr>>) {
        let waker = self.waiting.borrow_mut().get_mut(&ticket).and_then(|lookup| {
            lookup.answer = Some(found);
            lookup.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Resolve for Rc<Lookups> {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let ticket = self.next.get();
            self.next.set(ticket + 1);
            self.waiting.borrow_mut().insert(ticket, Lookup::default());
            let mail = self.mail.clone();
            let done = move |found| {
                // A full mailbox counts as no answer; the request fails as unresolved, and the next one asks again.
                let _ = mail.send(Message::Resolved(ticket, found));
            };
            (self.lookup)(host, Box::new(done));
            std::future::poll_fn(|cx| {
                let mut waiting = self.waiting.borrow_mut();
                let Some(lookup) = waiting.get_mut(&ticket) else {
                    return std::task::Poll::Ready(None);
                };
                match lookup.answer.take() {
                    Some(answer) => {
                        waiting.remove(&ticket);
                        std::task::Poll::Ready(answer)
                    }
                    None => {
                        lookup.waker = Some(cx.waker().clone());
                        std::task::Poll::Pending
                    }
                }
            })
            .await
        })
    }
}

/// Where a listener is, for logs and for the ready line.
pub fn bind_all(
    address: SocketAddr,
    workers: usize,
) -> io::Result<(SocketAddr, Vec<std::net::TcpListener>)> {
    let first = rt::listen::bind(address)?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        sockets.push(rt::listen::bind(address)?);
    }
    Ok((address, sockets))
}
