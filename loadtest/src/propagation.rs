//! How long a change takes to reach traffic: from the admin API's answer to the first request that it shows in.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    admin::{Admin, AdminError},
    client::{Answer, Client},
    place::{Place, PlaceError, STAGE},
    report::text,
    run::{Plan, outcome::PERCENTILES, stats::histogram},
    scenario::{MOCK_BODY, Scenario},
};

/// A change that shows no effect for this long is lost.
const LOST: Duration = Duration::from_secs(10);

/// Requests sent after a change has shown: none may see an older revision again.
const AFTER: usize = 20;

/// Latencies of the changes.
#[derive(Debug, Serialize)]
pub struct Report {
    pub changes: usize,
    /// Microseconds from the admin API's answer to sending the first request that the new revision answers.
    pub propagation_us: Vec<(&'static str, f64)>,
    pub propagation_max_us: f64,
    /// Microseconds that the deploying call itself took.
    pub deploy_p50_us: f64,
    pub deploy_p99_us: f64,
    /// Changes that showed nothing within ten seconds.
    pub lost: usize,
    /// Answers by an older revision after a newer one had answered.
    pub went_back: usize,
    /// Answers with another status than 200.
    pub failed_requests: usize,
    #[serde(skip)]
    pub histogram: Histogram<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum PropagationError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error("the gateway at {address} stopped answering")]
    Gateway {
        address: std::net::SocketAddr,
        #[source]
        cause: io::Error,
    },
    #[error("interrupted before a first change")]
    Interrupted,
}

/// Makes `changes` changes one after the other. Each gives a MOCK another answer and deploys it.
pub fn execute(
    place: &Place,
    changes: usize,
    stop: &AtomicBool,
) -> Result<Report, PropagationError> {
    let mut admin = Admin::new(place.admin);
    let (api, plan) = place.serve(&mut admin, &Scenario::Mock.document(place.gateway), "/mock")?;
    let resource = admin.resource(&api, "/mock")?;
    let mut probe = Probe { plan: &plan, client: None, failed: 0 };
    let (mut delays, mut deploys, mut lost, mut went_back) = (histogram(), histogram(), 0, 0);
    for revision in 1..=changes {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        admin.put_answer(&api, &resource, &body(revision))?;
        let start = Instant::now();
        admin.deploy(&api, Some(STAGE))?;
        let answered = Instant::now();
        deploys.saturating_record((answered - start).as_nanos() as u64);
        let want = body(revision);
        match probe.until(&want, answered)? {
            Some(delay) => {
                delays.saturating_record(delay.as_nanos().max(1) as u64);
                for _ in 0..AFTER {
                    went_back += usize::from(probe.ask()?.body != want.as_bytes());
                }
            }
            None => lost += 1,
        }
    }
    if deploys.is_empty() {
        return Err(PropagationError::Interrupted);
    }
    let us = |histogram: &Histogram<u64>, quantile: f64| {
        histogram.value_at_quantile(quantile) as f64 / 1e3
    };
    Ok(Report {
        changes: deploys.len() as usize,
        propagation_us: PERCENTILES[..3]
            .iter()
            .map(|(name, quantile)| (*name, us(&delays, *quantile)))
            .collect(),
        propagation_max_us: delays.max() as f64 / 1e3,
        deploy_p50_us: us(&deploys, 0.5),
        deploy_p99_us: us(&deploys, 0.99),
        lost,
        went_back,
        failed_requests: probe.failed,
        histogram: delays,
    })
}

/// The answer of a revision, as long as the plain constant one.
fn body(revision: usize) -> String {
    format!("{{\"revision\":\"{revision:06}\",{}", MOCK_BODY.strip_prefix('{').unwrap_or(MOCK_BODY))
}

/// Asks the gateway one request at a time over one kept connection.
struct Probe<'a> {
    plan: &'a Plan,
    client: Option<Client>,
    failed: usize,
}

impl Probe<'_> {
    /// Asks until the answer is `want`: how long after `since` that request was sent.
    fn until(&mut self, want: &str, since: Instant) -> Result<Option<Duration>, PropagationError> {
        loop {
            let sent = Instant::now();
            if self.ask()?.body == want.as_bytes() {
                return Ok(Some(sent - since));
            }
            if sent - since > LOST {
                return Ok(None);
            }
        }
    }

    fn ask(&mut self) -> Result<Answer, PropagationError> {
        let address = self.plan.address;
        let answer =
            self.exchange().map_err(|cause| PropagationError::Gateway { address, cause })?;
        self.failed += usize::from(answer.outcome.status != 200);
        Ok(answer)
    }

    fn exchange(&mut self) -> io::Result<Answer> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.plan.address, None, Duration::from_secs(10))?,
        };
        let answer = client.exchange(&self.plan.requests[0])?;
        if answer.outcome.keep_alive {
            self.client = Some(client);
        }
        Ok(answer)
    }
}

impl Report {
    pub fn text(&self) -> String {
        let mut rows =
            vec![("changes".to_owned(), format!("{}, one after the other", self.changes))];
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        for (name, us) in &self.propagation_us {
            row(name, text::micros(*us));
        }
        row("max", text::micros(self.propagation_max_us));
        let (p50, p99) = (text::micros(self.deploy_p50_us), text::micros(self.deploy_p99_us));
        row("deploy call", format!("p50 {p50}, p99 {p99}"));
        let Self { lost, went_back, failed_requests, .. } = self;
        row(
            "wrong",
            format!("{lost} lost, {went_back} went back, {failed_requests} failed requests"),
        );
        text::pairs(&rows)
    }
}
