//! The origin's event loop: one thread, one epoll, its own listener.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::{
    routes::Site,
    session::{Next, Session},
};
use crate::host::timespec;

/// How often a stopped flag is noticed when nothing happens.
const TICK: Duration = Duration::from_millis(50);
const LISTENER: u64 = u64::MAX;

/// One thread's share of the origin.
#[derive(Debug)]
pub struct Server {
    epoll: OwnedFd,
    listener: TcpListener,
    site: Arc<Site>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Ends of `/delay`. An entry of a connection that has gone is harmless: polling is idempotent.
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    session: Session,
    interest: EventFlags,
}

impl Server {
    pub fn new(listener: TcpListener, site: Arc<Site>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let (connections, free, timers) = (Vec::new(), Vec::new(), BinaryHeap::new());
        Ok(Self { epoll, listener, site, connections, free, timers, buffer: vec![0; 64 * 1024] })
    }

    /// Serves until `stop` is set.
    pub fn serve(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(1024);
        while !stop.load(Ordering::Relaxed) {
            events.clear();
            let timeout = match self.timers.peek() {
                Some(Reverse((at, _))) => at.saturating_duration_since(Instant::now()).min(TICK),
                None => TICK,
            };
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                Some(&timespec(timeout)),
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept(),
                    token => self.ready(token as usize, event.flags),
                }
            }
            self.fire_timers();
        }
        Ok(())
    }

    fn accept(&mut self) {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    // Out of descriptors: the connections we have go on, and the listener stays ready.
                    eprintln!("warning: upstream cannot accept: {error}; raise `ulimit -n`");
                    std::thread::sleep(Duration::from_millis(10));
                    return;
                }
            };
            let token = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = EventFlags::IN | EventFlags::RDHUP;
            let added = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true))
                .and_then(|()| {
                    Ok(epoll::add(
                        &self.epoll,
                        &stream,
                        EventData::new_u64(token as u64),
                        interest,
                    )?)
                });
            match added {
                Ok(()) => {
                    self.connections[token] =
                        Some(Connection { stream, session: Session::default(), interest });
                }
                Err(_) => self.free.push(token),
            }
        }
    }

    fn ready(&mut self, token: usize, flags: EventFlags) {
        let Some(connection) = self.connections.get_mut(token).and_then(Option::as_mut) else {
            return;
        };
        let gone = flags.intersects(EventFlags::ERR | EventFlags::HUP)
            || flags.contains(EventFlags::RDHUP) && !flags.contains(EventFlags::IN);
        if gone
            || connection
                .drive(flags.contains(EventFlags::IN), &mut self.buffer, &self.site)
                .is_err()
        {
            return self.remove(token);
        }
        self.settle(token);
    }

    /// Registers what the connection waits for now.
    fn settle(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token).and_then(Option::as_mut) else {
            return;
        };
        if let Some(at) = connection.session.deadline() {
            self.timers.push(Reverse((at, token)));
        }
        // A peer that closed its side still gets what is being sent; with nothing to send it has gone.
        let sending = !connection.session.output().is_empty();
        let mut interest = if sending { EventFlags::OUT } else { EventFlags::RDHUP };
        interest.set(EventFlags::IN, connection.session.wants_input());
        if interest != connection.interest {
            connection.interest = interest;
            let data = EventData::new_u64(token as u64);
            if epoll::modify(&self.epoll, &connection.stream, data, interest).is_err() {
                self.remove(token);
            }
        }
    }

    fn fire_timers(&mut self) {
        while let Some(Reverse((at, token))) = self.timers.peek().copied()
            && at <= Instant::now()
        {
            self.timers.pop();
            let Some(connection) = self.connections.get_mut(token).and_then(Option::as_mut) else {
                continue;
            };
            match connection.drive(false, &mut self.buffer, &self.site) {
                Ok(()) => self.settle(token),
                Err(_) => self.remove(token),
            }
        }
    }

    /// Dropping the stream closes it, which also takes it out of epoll.
    fn remove(&mut self, token: usize) {
        if self.connections[token].take().is_some() {
            self.free.push(token);
        }
    }
}

impl Connection {
    /// Reads once, answers, sends. An error means: drop the connection.
    fn drive(&mut self, readable: bool, buffer: &mut [u8], site: &Site) -> io::Result<()> {
        let mut next = if readable && self.session.wants_input() {
            match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => self.session.receive(&buffer[..bytes], Instant::now(), site),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Next::Continue,
                Err(error) => return Err(error),
            }
        } else {
            self.session.poll(Instant::now(), site)
        };
        loop {
            if next == Next::Reset {
                rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO))?;
                return Err(ErrorKind::ConnectionReset.into());
            }
            if self.session.output().is_empty() {
                return if next == Next::Close { self.close() } else { Ok(()) };
            }
            match self.stream.write(self.session.output()) {
                Ok(bytes) => self.session.sent(bytes),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            if self.session.output().is_empty()
                && (self.session.streaming() || self.session.has_input())
            {
                next = self.session.poll(Instant::now(), site);
            }
        }
    }

    /// Ends our side, so that the answer is not lost to a reset when unread bytes are left.
    fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)?;
        let mut scrap = [0; 4096];
        for _ in 0..16 {
            match self.stream.read(&mut scrap) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        Err(ErrorKind::ConnectionAborted.into())
    }
}
