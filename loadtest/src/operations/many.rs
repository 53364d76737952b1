//! Single calls in a store of few and of many APIs.

use std::{net::SocketAddr, sync::atomic::AtomicBool, thread, time::Instant};

use serde::Serialize;

use super::{Latency, OperationsError};
use crate::{
    admin::{Admin, AdminError, MockStep},
    host::stop,
    place::STAGE,
    report::text,
};

/// Callers that fill the store.
const FILLERS: usize = 16;

/// Single calls at one size of the store.
#[derive(Debug, Serialize)]
pub struct Point {
    /// APIs that were made to fill the store.
    pub apis: usize,
    /// APIs made a second on the way here.
    pub filled_per_second: Option<f64>,
    /// GetRestApi of any API.
    pub get: Latency,
    /// CreateRestApi.
    pub create: Latency,
    /// UpdateRestApi of any API.
    pub update: Latency,
    /// GetRestApis, pages of 25 one after the other.
    pub list: Latency,
    /// CreateDeployment of an API with one method to a stage.
    pub deploy: Latency,
}

/// Measures with none, half and all of the APIs.
pub(super) fn measure(
    admin: SocketAddr,
    apis: usize,
    samples: usize,
    stop: &AtomicBool,
    progress: &mut impl FnMut(&str),
) -> Result<Vec<Point>, OperationsError> {
    let mut ids: Vec<String> = Vec::with_capacity(apis);
    let mut points = Vec::new();
    for wanted in [0, apis / 2, apis] {
        let made = wanted - ids.len();
        let began = Instant::now();
        ids.extend(fill(admin, made, stop)?);
        if stop::requested(stop) {
            break;
        }
        let filled_per_second = (made > 0).then(|| made as f64 / began.elapsed().as_secs_f64());
        progress(&format!("{wanted} APIs in the store"));
        points.push(point(admin, &ids, samples, filled_per_second)?);
    }
    Ok(points)
}

/// Makes so many APIs and answers their ids.
fn fill(admin: SocketAddr, count: usize, stop: &AtomicBool) -> Result<Vec<String>, AdminError> {
    let share = |filler: usize| count / FILLERS + usize::from(filler < count % FILLERS);
    let made: Vec<Result<Vec<String>, AdminError>> = thread::scope(|scope| {
        let started: Vec<_> = (0..FILLERS)
            .map(|filler| {
                scope.spawn(move || {
                    let mut admin = Admin::new(admin);
                    (0..share(filler))
                        .take_while(|_| !stop::requested(stop))
                        .map(|number| Ok(admin.create(&format!("filler {filler} {number}"))?.id))
                        .collect()
                })
            })
            .collect();
        let join = |filler: thread::ScopedJoinHandle<'_, _>| {
            filler.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        started.into_iter().map(join).collect()
    });
    made.into_iter().collect::<Result<Vec<_>, _>>().map(|made| made.concat())
}

fn point(
    admin: SocketAddr,
    filled: &[String],
    samples: usize,
    filled_per_second: Option<f64>,
) -> Result<Point, AdminError> {
    let mut admin = Admin::new(admin);
    let api = admin.create("deployed")?;
    for step in MockStep::ALL {
        admin.put_mock_step(&api.id, &api.root, step)?;
    }
    let mut own = Vec::new();
    let create = Latency::sample(samples, |number| {
        own.push(admin.create(&format!("sample {number}"))?.id);
        Ok(())
    })?;
    let known = if filled.is_empty() { &own } else { filled };
    // A stride that shares no factor with most lengths meets APIs from all over the store, most of them long untouched.
    let any = |number: usize| &known[number.wrapping_mul(7_919) % known.len()];
    let get = Latency::sample(samples, |number| admin.get(any(number)))?;
    let update = Latency::sample(samples, |number| {
        admin.describe(any(number.wrapping_add(31)), &format!("description {number}"))
    })?;
    let mut position: Option<String> = None;
    let list = Latency::sample(samples, |_| {
        position = admin.page(position.as_deref())?;
        Ok(())
    })?;
    let deploy = Latency::sample(samples, |_| admin.deploy(&api.id, Some(STAGE)).map(drop))?;
    Ok(Point { apis: filled.len(), filled_per_second, get, create, update, list, deploy })
}

impl Point {
    fn calls(&self) -> [(&'static str, &Latency); 5] {
        [
            ("GetRestApi", &self.get),
            ("CreateRestApi", &self.create),
            ("UpdateRestApi", &self.update),
            ("GetRestApis, 25", &self.list),
            ("CreateDeployment", &self.deploy),
        ]
    }
}

/// A row for each call: its median at each size, p99 at the last, and how the first and the last median compare.
pub(super) fn text(points: &[Point]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let mut heading = vec!["p50 of single calls".to_owned()];
    heading.extend(points.iter().map(|point| format!("{} APIs", point.apis)));
    heading.extend(["ratio".to_owned(), "p99".to_owned()]);
    let mut rows = vec![heading];
    for (at, (name, end)) in last.calls().into_iter().enumerate() {
        let mut row = vec![name.to_owned()];
        row.extend(points.iter().map(|point| text::micros(point.calls()[at].1.p50_us)));
        row.push(format!("{:.2}", end.p50_us / first.calls()[at].1.p50_us));
        row.push(text::micros(end.p99_us));
        rows.push(row);
    }
    let filled = last.filled_per_second.map(|rate| format!("filled at {rate:.0} APIs/s\n"));
    text::table(&rows) + &filled.unwrap_or_default()
}
