//! What deployments cost the traffic beside them: the same load, while the served API changes and while another does.
//!
//! The other API has no stage, so no node serves it: the admin work is the same, and nothing is published.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    admin::{Admin, AdminError},
    host::pin,
    place::{Place, PlaceError, STAGE},
    report::{interval::Estimate, text},
    run::{self, Arrival, Load, Outcome, Plan, RunError, schedule::Schedule, stats::histogram},
    scenario::Scenario,
};

/// How much, how often and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Deployment changes in each run, evenly spread over it.
    pub changes: usize,
    pub pairs: usize,
    pub duration: Duration,
    pub connections: usize,
    /// Share of the saturated rate that is offered.
    pub load: f64,
    pub cpu_load: Option<usize>,
}

/// Both sides of all pairs.
#[derive(Debug, Serialize)]
pub struct Report {
    pub changes: usize,
    pub saturated_per_second: f64,
    pub offered_per_second: f64,
    pub pairs: Vec<Pair>,
    /// p99 with changes divided by p99 without, pair by pair.
    pub p99_ratio: Option<Estimate>,
    /// Largest minus smallest p99 of the base runs.
    pub base_spread_us: f64,
    pub failed_requests: u64,
    pub failed_changes: usize,
}

/// One run with changes of the API under load, one with changes of the other.
#[derive(Debug, Serialize)]
pub struct Pair {
    pub served: Side,
    pub other: Side,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Side {
    pub outcome: Outcome,
    pub changes_made: usize,
    pub changes_failed: usize,
    pub change_p50_us: f64,
    pub change_p99_us: f64,
    /// The reason of the last failed change.
    pub failure: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("interrupted before a first pair was complete")]
    Interrupted,
}

/// Imports the plain document twice, finds the saturated rate and runs the pairs.
pub fn execute(
    place: &Place,
    upstream: SocketAddr,
    options: &Options,
    stop: &AtomicBool,
    log: impl Fn(&str),
) -> Result<Report, ChangesError> {
    let document = Scenario::Proxy.document(upstream);
    let mut admin = Admin::new(place.admin);
    let (served, plan) = place.serve(&mut admin, &document, "/item")?;
    let other = admin.import(&document)?;
    let resources = (admin.resource(&served, "/item")?, admin.resource(&other, "/item")?);
    let plan = Arc::new(plan);
    let saturated = run::execute(
        &load(place, &plan, options, Arrival::Closed, options.duration.min(Duration::from_secs(3))),
        stop,
    )?;
    let per_second = saturated.requests_per_second * options.load;
    log(&format!(
        "saturated at {:.0} requests/s, offering {per_second:.0}",
        saturated.requests_per_second
    ));
    let load = load(place, &plan, options, Arrival::Open { per_second }, options.duration);
    let mut pairs = Vec::new();
    for index in 0..options.pairs {
        let run_served = || {
            side(place.admin, &Work::new(&served, &resources.0, Some(STAGE)), &load, options, stop)
        };
        let run_other =
            || side(place.admin, &Work::new(&other, &resources.1, None), &load, options, stop);
        // The order alternates, so that drift falls on both.
        let (served, other) = if index % 2 == 0 {
            let served = run_served()?;
            (served, run_other()?)
        } else {
            let other = run_other()?;
            (run_served()?, other)
        };
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let p99 = |side: &Side| text::micros(side.outcome.percentile_us(0.99));
        log(&format!(
            "pair {}: p99 {} with changes, {} without",
            index + 1,
            p99(&served),
            p99(&other)
        ));
        pairs.push(Pair { served, other });
    }
    Report::new(options, saturated.requests_per_second, per_second, pairs)
        .ok_or(ChangesError::Interrupted)
}

fn load(
    place: &Place,
    plan: &Arc<Plan>,
    options: &Options,
    arrival: Arrival,
    duration: Duration,
) -> Load {
    Load {
        plan: Arc::clone(plan),
        arrival,
        connections: options.connections,
        threads: 1,
        cpu: options.cpu_load,
        warmup: duration.min(Duration::from_secs(1)),
        duration,
        timeout: Duration::from_secs(10),
        pids: place.node.into_iter().collect(),
    }
}

/// The change that is made over and over.
struct Work<'a> {
    api: &'a str,
    resource: &'a str,
    stage: Option<&'a str>,
}

impl<'a> Work<'a> {
    fn new(api: &'a str, resource: &'a str, stage: Option<&'a str>) -> Self {
        Self { api, resource, stage }
    }

    /// Changes an integration, so that no two deployments are alike, and deploys.
    fn make(&self, admin: &mut Admin, number: usize) -> Result<(), AdminError> {
        admin.set_timeout(self.api, self.resource, 28_000 + number % 1_000)?;
        admin.deploy(self.api, self.stage).map(drop)
    }
}

/// One run of the load with the changes spread over its measured time.
fn side(
    admin: SocketAddr,
    work: &Work<'_>,
    load: &Load,
    options: &Options,
    stop: &AtomicBool,
) -> Result<Side, RunError> {
    thread::scope(|scope| {
        let changer = scope.spawn(|| {
            if let Some(cpu) = load.cpu
                && let Err(error) = pin::current_thread(cpu)
            {
                eprintln!("warning: the admin thread is not pinned: {error}");
            }
            let (mut admin, mut made, mut failure) = (Admin::new(admin), 0, None);
            let mut took = histogram();
            let per_second = options.changes as f64 / options.duration.as_secs_f64();
            let mut schedule = Schedule::new(Instant::now() + load.warmup, per_second, 0, 1);
            for number in 0..options.changes {
                thread::sleep(schedule.due().saturating_duration_since(Instant::now()));
                schedule.advance();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let start = Instant::now();
                match work.make(&mut admin, number) {
                    Ok(()) => made += 1,
                    Err(error) => failure = Some(error.to_string()),
                }
                took.saturating_record(start.elapsed().as_nanos() as u64);
            }
            (made, took, failure)
        });
        let outcome = run::execute(load, stop);
        let (changes_made, took, failure) = changer.join().map_err(|_| RunError::Panicked)?;
        let us = |quantile| took.value_at_quantile(quantile) as f64 / 1e3;
        Ok(Side {
            outcome: outcome?,
            changes_made,
            changes_failed: options.changes - changes_made,
            change_p50_us: us(0.5),
            change_p99_us: us(0.99),
            failure,
        })
    })
}

impl Report {
    fn new(options: &Options, saturated: f64, offered: f64, pairs: Vec<Pair>) -> Option<Self> {
        let p99 = |side: &Side| side.outcome.percentile_us(0.99);
        let base: Vec<f64> = pairs.iter().map(|pair| p99(&pair.other)).collect();
        let spread = base.iter().copied().fold(f64::MIN, f64::max)
            - base.iter().copied().fold(f64::MAX, f64::min);
        let ratios: Vec<f64> =
            pairs.iter().map(|pair| p99(&pair.served) / p99(&pair.other)).collect();
        let sides = || pairs.iter().flat_map(|pair| [&pair.served, &pair.other]);
        let failed = sides().map(|side| side.outcome.errors.total() + side.outcome.refused).sum();
        let failed_changes = sides().map(|side| side.changes_failed).sum();
        (!pairs.is_empty()).then(|| Self {
            changes: options.changes,
            saturated_per_second: saturated,
            offered_per_second: offered,
            p99_ratio: Estimate::of(&ratios),
            base_spread_us: spread,
            failed_requests: failed,
            failed_changes,
            pairs,
        })
    }

    /// A difference smaller than what the base runs differ among themselves is none.
    pub fn verdict(&self) -> String {
        let median = |side: fn(&Pair) -> &Side| {
            let values: Vec<f64> =
                self.pairs.iter().map(|pair| side(pair).outcome.percentile_us(0.99)).collect();
            Estimate::of(&values).map_or(0.0, |estimate| estimate.median)
        };
        let difference = median(|pair| &pair.served) - median(|pair| &pair.other);
        let (found, spread) = (text::micros(difference.abs()), text::micros(self.base_spread_us));
        if difference.abs() <= self.base_spread_us {
            format!("no difference seen: {found} in p99, and the base runs spread over {spread}")
        } else if difference > 0.0 {
            format!("changes add {found} to p99; the base runs spread over {spread}")
        } else {
            format!("p99 is {found} lower with changes; the base runs spread over {spread}")
        }
    }

    pub fn text(&self) -> String {
        let heading = [
            "changes to",
            "p50",
            "p99",
            "p99.9",
            "max",
            "failed",
            "changes made",
            "change p50",
            "change p99",
        ];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for pair in &self.pairs {
            for (name, side) in [("the served API", &pair.served), ("another API", &pair.other)] {
                let outcome = &side.outcome;
                let mut row = vec![name.to_owned()];
                row.extend(
                    [0.5, 0.99, 0.999, 1.0]
                        .map(|quantile| text::micros(outcome.percentile_us(quantile))),
                );
                row.push((outcome.errors.total() + outcome.refused).to_string());
                row.push(side.changes_made.to_string());
                row.extend([side.change_p50_us, side.change_p99_us].map(text::micros));
                rows.push(row);
            }
        }
        let ratio = self.p99_ratio.map_or_else(|| "none".to_owned(), |ratio| ratio.text());
        let reasons = self.pairs.iter().flat_map(|pair| [&pair.served, &pair.other]);
        let reason = reasons.filter_map(|side| side.failure.as_deref()).next_back();
        let reason =
            reason.map(|reason| format!("last failed change: {reason}\n")).unwrap_or_default();
        format!(
            "{} changes a run at {:.0} of {:.0} requests/s\n\n{}\nratio of p99, median of pairs: {ratio}\n{}\n\
             failed requests: {}, failed changes: {}\n{reason}",
            self.changes,
            self.offered_per_second,
            self.saturated_per_second,
            text::table(&rows),
            self.verdict(),
            self.failed_requests,
            self.failed_changes,
        )
    }
}
