//! Changes a second: callers that each build resources with a method, one call after the other.

use std::{
    net::SocketAddr,
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{Latency, OperationsError};
use crate::{
    admin::{Admin, AdminError, Api, MockStep},
    host::stop,
    report::text,
    run::stats::histogram,
};

/// One measurement.
#[derive(Debug, Serialize)]
pub struct Mix {
    pub callers: usize,
    /// Whether all callers change one API.
    pub shared: bool,
    pub changes: u64,
    pub per_second: f64,
    pub latency: Latency,
}

/// Lets `callers` build for `duration`.
pub(super) fn measure(
    admin: SocketAddr,
    callers: usize,
    shared: bool,
    duration: Duration,
    stop: &AtomicBool,
) -> Result<Mix, OperationsError> {
    let mut maker = Admin::new(admin);
    let apis: Vec<Api> = (0..if shared { 1 } else { callers })
        .map(|number| maker.create(&format!("mix {number}")))
        .collect::<Result<_, _>>()?;
    let began = Instant::now();
    let until = began + duration;
    let apis = &apis;
    let outcomes: Vec<Result<Histogram<u64>, AdminError>> = thread::scope(|scope| {
        let started: Vec<_> = (0..callers)
            .map(|caller| {
                let api = &apis[caller % apis.len()];
                scope.spawn(move || build(&mut Admin::new(admin), api, caller, until, stop))
            })
            .collect();
        let join = |caller: thread::ScopedJoinHandle<'_, _>| {
            caller.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        started.into_iter().map(join).collect()
    });
    let elapsed = began.elapsed();
    let mut times = histogram();
    for outcome in outcomes {
        times.add(outcome?).expect("all have the same bounds");
    }
    let changes = times.len();
    let per_second = changes as f64 / elapsed.as_secs_f64();
    Ok(Mix { callers, shared, changes, per_second, latency: Latency::of(&times) })
}

/// Builds resources until the time is over.
fn build(
    admin: &mut Admin,
    api: &Api,
    caller: usize,
    until: Instant,
    stop: &AtomicBool,
) -> Result<Histogram<u64>, AdminError> {
    let mut times = histogram();
    let mut began = Instant::now();
    let mut record = |times: &mut Histogram<u64>| {
        let now = Instant::now();
        times.saturating_record((now - began).as_nanos() as u64);
        began = now;
        now < until && !stop::requested(stop)
    };
    for round in 0.. {
        let resource = admin.create_resource(&api.id, &api.root, &format!("r{caller}-{round}"))?;
        let mut more = record(&mut times);
        for step in MockStep::ALL {
            if more {
                admin.put_mock_step(&api.id, &resource, step)?;
                more = record(&mut times);
            }
        }
        if !more {
            break;
        }
    }
    Ok(times)
}

pub(super) fn text(measured: &[Mix]) -> String {
    if measured.is_empty() {
        return String::new();
    }
    let heading = ["durable changes", "APIs", "changes/s", "p50", "p99"].map(str::to_owned);
    let row = |mix: &Mix| {
        let apis = if mix.shared { 1 } else { mix.callers };
        vec![
            format!("{} callers", mix.callers),
            apis.to_string(),
            format!("{:.0}", mix.per_second),
            text::micros(mix.latency.p50_us),
            text::micros(mix.latency.p99_us),
        ]
    };
    let rows: Vec<_> = std::iter::once(heading.to_vec()).chain(measured.iter().map(row)).collect();
    text::table(&rows)
}
