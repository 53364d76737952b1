//! One generator thread: its connections, its schedule, its counters.

use std::{
    collections::VecDeque,
    io,
    os::fd::OwnedFd,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::{
    Arrival, Load, Shared,
    connection::{Connection, Failure, Open, Received},
    schedule::{Schedule, Window},
    stats::Stats,
};
use crate::host::{limits, pin, thread_cpu, timespec};

/// How often timeouts and refused connections are looked at.
const TICK: Duration = Duration::from_millis(50);

/// Connects, waits for the others, runs to the end of the window and answers what it counted.
pub(crate) fn run(index: usize, shared: &Shared<'_>) -> io::Result<Stats> {
    let load = shared.load;
    limits::exact_timers();
    let pinned = load.cpu.map_or(Ok(()), |cpu| pin::current_thread(cpu + index));
    let share =
        load.connections / load.threads + usize::from(index < load.connections % load.threads);
    let worker = pinned.and_then(|()| Worker::connect(index, share, shared));
    // The others wait at the gate whatever happened here.
    shared.gate.wait();
    shared.gate.wait();
    let mut worker = worker?;
    if let Some(window) = shared.window.get().copied().flatten() {
        worker.drive(window, shared)?;
    }
    Ok(worker.stats)
}

struct Worker<'a> {
    load: &'a Load,
    epoll: OwnedFd,
    slots: Vec<Slot>,
    /// Slots ready for a request, longest idle first, so that all connections are used alike.
    idle: VecDeque<usize>,
    /// Next prepared request; threads take turns.
    request: usize,
    buffer: Vec<u8>,
    stats: Stats,
}

enum Slot {
    Up { connection: Connection, wants_write: bool },
    Connecting(Connection),
    Down,
}

impl<'a> Worker<'a> {
    fn connect(index: usize, share: usize, shared: &Shared<'a>) -> io::Result<Self> {
        let load = shared.load;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let (stats, buffer) = (Stats::default(), vec![0; 64 * 1024]);
        let mut worker = Self {
            load,
            epoll,
            slots: Vec::new(),
            idle: VecDeque::new(),
            request: index,
            buffer,
            stats,
        };
        for slot in 0..share {
            let slot_state =
                match Connection::connect(load.plan.address, None, load.timeout, load.plan.head) {
                    Ok(connection) => {
                        epoll::add(
                            &worker.epoll,
                            &connection.stream,
                            EventData::new_u64(slot as u64),
                            EventFlags::IN,
                        )?;
                        worker.idle.push_back(slot);
                        shared.connected.fetch_add(1, Ordering::Relaxed);
                        Slot::Up { connection, wants_write: false }
                    }
                    Err(error) => {
                        worker.stats.errors.connect += 1;
                        if let Ok(mut last) = shared.last_error.lock() {
                            *last = error.to_string();
                        }
                        Slot::Down
                    }
                };
            let refused = matches!(slot_state, Slot::Down);
            worker.slots.push(slot_state);
            if refused && worker.idle.is_empty() {
                // Nobody listens: one answer is enough.
                break;
            }
        }
        Ok(worker)
    }

    fn drive(&mut self, window: Window, shared: &Shared<'_>) -> io::Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(1024);
        let mut schedule = match self.load.arrival {
            Arrival::Open { per_second } => {
                Some(Schedule::new(window.start, per_second, self.request, self.load.threads))
            }
            Arrival::Closed => None,
        };
        let mut cpu = Marks::default();
        let mut tick = window.start + TICK;
        std::thread::sleep(window.start.saturating_duration_since(Instant::now()));
        loop {
            let now = Instant::now();
            if now >= tick {
                self.look_after(now, &window)?;
                tick = now + TICK;
            }
            cpu.mark(now, &window);
            let stopped = shared.stop.load(Ordering::Relaxed);
            let over = now >= window.to || stopped;
            let wake = match &mut schedule {
                Some(schedule) => self.send_due(schedule, now, &window, stopped)?,
                None if over => None,
                None => {
                    while let Some(slot) = self.idle.pop_front() {
                        self.send(slot, now, now, &window)?;
                    }
                    None
                }
            };
            let backlog = schedule.is_some_and(|schedule| schedule.due() < window.to);
            if over
                && (stopped
                    || now >= window.to + self.load.timeout
                    || !backlog && self.all_answered())
            {
                self.give_up(schedule, &window, stopped);
                self.stats.own_cpu = cpu.used();
                return Ok(());
            }
            let wait =
                wake.map_or(tick, |wake| wake.min(tick)).saturating_duration_since(Instant::now());
            events.clear();
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                Some(&timespec(wait)),
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                self.ready(event.data.u64() as usize, event.flags, &window, schedule.is_none())?;
            }
        }
    }

    /// Sends what is due as far as connections are free. Answers when the next one is due, if one is free for it.
    fn send_due(
        &mut self,
        schedule: &mut Schedule,
        now: Instant,
        window: &Window,
        stopped: bool,
    ) -> io::Result<Option<Instant>> {
        let mut first = true;
        if stopped {
            return Ok(None);
        }
        loop {
            let due = schedule.due();
            if due >= window.to {
                return Ok(None);
            }
            if due > now {
                return Ok((!self.idle.is_empty()).then_some(due));
            }
            let Some(slot) = self.idle.pop_front() else { return Ok(None) };
            // All but the newest have waited: for a connection, or for this thread.
            self.stats.waited += u64::from(!first && window.holds(due));
            first = false;
            schedule.advance();
            self.send(slot, due, now, window)?;
        }
    }

    fn send(
        &mut self,
        slot: usize,
        intended: Instant,
        now: Instant,
        window: &Window,
    ) -> io::Result<()> {
        let requests = &self.load.plan.requests;
        let index = self.request % requests.len();
        self.request = index + self.load.threads;
        let Slot::Up { connection, wants_write } = &mut self.slots[slot] else { return Ok(()) };
        if window.holds(now) {
            self.stats.sent_bytes += requests[index].len() as u64;
        }
        match connection.send(requests, index, Open { intended, sent: now }) {
            Ok(true) => Ok(()),
            Ok(false) => {
                *wants_write = true;
                let data = EventData::new_u64(slot as u64);
                Ok(epoll::modify(
                    &self.epoll,
                    &connection.stream,
                    data,
                    EventFlags::IN | EventFlags::OUT,
                )?)
            }
            Err(failure) => self.fail(slot, failure, window),
        }
    }

    fn ready(
        &mut self,
        slot: usize,
        flags: EventFlags,
        window: &Window,
        closed_loop: bool,
    ) -> io::Result<()> {
        match &mut self.slots[slot] {
            Slot::Down => Ok(()),
            Slot::Connecting(connection) => {
                if connection.stream.take_error()?.is_some() || flags.contains(EventFlags::ERR) {
                    self.stats.errors.connect += 1;
                    self.slots[slot] = Slot::Down;
                    return Ok(());
                }
                let data = EventData::new_u64(slot as u64);
                epoll::modify(&self.epoll, &connection.stream, data, EventFlags::IN)?;
                if let Slot::Connecting(connection) =
                    std::mem::replace(&mut self.slots[slot], Slot::Down)
                {
                    self.slots[slot] = Slot::Up { connection, wants_write: false };
                    self.idle.push_back(slot);
                }
                Ok(())
            }
            Slot::Up { connection, wants_write } => {
                if flags.contains(EventFlags::OUT) && *wants_write {
                    match connection.flush(&self.load.plan.requests) {
                        Ok(false) => {}
                        Ok(true) => {
                            *wants_write = false;
                            let data = EventData::new_u64(slot as u64);
                            epoll::modify(&self.epoll, &connection.stream, data, EventFlags::IN)?;
                        }
                        Err(failure) => return self.fail(slot, failure, window),
                    }
                }
                if flags.intersects(EventFlags::IN | EventFlags::ERR | EventFlags::HUP) {
                    return self.read(slot, window, closed_loop);
                }
                Ok(())
            }
        }
    }

    fn read(&mut self, slot: usize, window: &Window, closed_loop: bool) -> io::Result<()> {
        let Slot::Up { connection, .. } = &mut self.slots[slot] else { return Ok(()) };
        let mut bytes = 0;
        let received = connection.receive(&mut self.buffer, &mut bytes);
        let now = Instant::now();
        let in_window = window.holds(now);
        if in_window {
            self.stats.received_bytes += bytes;
        }
        let answer = match received {
            Ok(Received::Nothing) => return Ok(()),
            Ok(Received::Answer(answer)) => answer,
            Err(failure) => return self.fail(slot, failure, window),
        };
        self.stats.completed += u64::from(in_window);
        if let Some(open) = connection.open.take()
            && window.holds(open.intended)
        {
            self.stats.record(now - open.intended, answer.status);
        }
        if !answer.keep_alive {
            return self.reconnect(slot);
        }
        if closed_loop && now < window.to {
            return self.send(slot, now, now, window);
        }
        self.idle.push_back(slot);
        Ok(())
    }

    fn fail(&mut self, slot: usize, failure: Failure, window: &Window) -> io::Result<()> {
        let errors = &mut self.stats.errors;
        let counter = match failure {
            Failure::Reset => &mut errors.reset,
            Failure::Closed => &mut errors.closed,
            Failure::ShortBody => &mut errors.short_body,
            Failure::Malformed => &mut errors.malformed,
            Failure::IdleClose => {
                self.idle.retain(|idle| *idle != slot);
                return self.reconnect(slot);
            }
        };
        if let Slot::Up { connection, .. } = &self.slots[slot]
            && connection.open.is_none_or(|open| window.holds(open.intended))
        {
            *counter += 1;
        }
        self.idle.retain(|idle| *idle != slot);
        self.reconnect(slot)
    }

    fn reconnect(&mut self, slot: usize) -> io::Result<()> {
        self.slots[slot] = match Connection::begin(self.load.plan.address, self.load.plan.head) {
            Ok(connection) => {
                epoll::add(
                    &self.epoll,
                    &connection.stream,
                    EventData::new_u64(slot as u64),
                    EventFlags::OUT,
                )?;
                Slot::Connecting(connection)
            }
            Err(_) => {
                self.stats.errors.connect += 1;
                Slot::Down
            }
        };
        Ok(())
    }

    /// Ends requests that took too long, and tries refused connections again.
    fn look_after(&mut self, now: Instant, window: &Window) -> io::Result<()> {
        for slot in 0..self.slots.len() {
            match &self.slots[slot] {
                Slot::Down if now < window.to => self.reconnect(slot)?,
                Slot::Up { connection, .. }
                    if connection.open.is_some_and(|open| now - open.sent > self.load.timeout) =>
                {
                    self.stats.errors.timeout += u64::from(self.open_in_window(slot, window));
                    self.reconnect(slot)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn open_in_window(&self, slot: usize, window: &Window) -> bool {
        let Slot::Up { connection, .. } = &self.slots[slot] else { return false };
        connection.open.is_some_and(|open| window.holds(open.intended))
    }

    fn all_answered(&self) -> bool {
        self.slots
            .iter()
            .all(|slot| !matches!(slot, Slot::Up { connection, .. } if connection.open.is_some()))
    }

    /// Counts what never got an answer; nothing is lost silently unless the run was interrupted.
    fn give_up(&mut self, schedule: Option<Schedule>, window: &Window, stopped: bool) {
        if stopped {
            return;
        }
        let open = (0..self.slots.len()).filter(|slot| self.open_in_window(*slot, window)).count();
        self.stats.errors.timeout += open as u64;
        if let Some(mut schedule) = schedule {
            while schedule.due() < window.to {
                self.stats.errors.unsent += u64::from(window.holds(schedule.due()));
                schedule.advance();
            }
        }
    }
}

/// CPU time of this thread at both ends of the window.
#[derive(Default)]
struct Marks {
    from: Option<Duration>,
    to: Option<Duration>,
}

impl Marks {
    fn mark(&mut self, now: Instant, window: &Window) {
        if self.from.is_none() && now >= window.from {
            self.from = Some(thread_cpu());
        }
        if self.to.is_none() && now >= window.to {
            self.to = Some(thread_cpu());
        }
    }

    fn used(&self) -> Duration {
        let end = self.to.unwrap_or_else(thread_cpu);
        self.from.map_or(Duration::ZERO, |from| end.saturating_sub(from))
    }
}
