//! The numbers of a comparison: per peer the medians, between peers the median of the pairs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Options, Peer};
use crate::{
    report::{
        bars::{self, Bar},
        interval::Estimate,
        text,
    },
    run::Outcome,
    scenario::Scenario,
};

/// A finished comparison. Serialises to the JSON report.
#[derive(Debug, Serialize)]
pub struct Comparison {
    pub scenario: Scenario,
    pub pairs: usize,
    pub seconds: f64,
    pub connections: usize,
    pub cpu_proxy: usize,
    pub cpu_load: usize,
    /// The peer that ratios are about: base / other.
    pub base: &'static str,
    pub peers: Vec<Series>,
    pub missing: Vec<Missing>,
}

/// One peer over all rounds.
#[derive(Debug, Serialize)]
pub struct Series {
    pub name: &'static str,
    pub about: &'static str,
    pub version: String,
    pub rounds: Vec<Round>,
    /// Base divided by this peer, round by round. Below 1 the base needs less CPU.
    pub cpu_ratio: Option<Estimate>,
    /// Base divided by this peer. Above 1 the base answers more.
    pub rate_ratio: Option<Estimate>,
}

/// One peer in one round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub requests_per_second: f64,
    pub cpu_us_per_request: f64,
    pub user_us_per_request: f64,
    pub system_us_per_request: f64,
    pub switches_per_request: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Head and body of an answer, on average.
    pub answer_bytes: f64,
    pub proxy_cpu: f64,
    pub generator_cpu: f64,
    pub anonymous_bytes: u64,
    /// Share of the proxy's core and of the load's core that processes outside of the comparison had.
    pub others: [f64; 2],
    /// Without a whole answer, or with status 400 and above.
    pub errors: u64,
}

/// A peer that took no part.
#[derive(Debug, Serialize)]
pub struct Missing {
    pub name: &'static str,
    pub reason: String,
    /// The command that installs it, where that is what is missing.
    pub install: Option<&'static str>,
}

impl Missing {
    pub fn text(&self) -> String {
        let install =
            self.install.map(|command| format!("; install: {command}")).unwrap_or_default();
        format!("{}: {}{install}", self.name, self.reason)
    }
}

impl From<&Outcome> for Round {
    fn from(outcome: &Outcome) -> Self {
        let of =
            |read: fn(&crate::run::outcome::Proxy) -> f64| outcome.proxy.as_ref().map_or(0.0, read);
        Self {
            requests_per_second: outcome.requests_per_second,
            cpu_us_per_request: of(|proxy| proxy.cpu_us_per_request),
            user_us_per_request: of(|proxy| proxy.user_us_per_request),
            system_us_per_request: of(|proxy| proxy.system_us_per_request),
            switches_per_request: of(|proxy| proxy.switches_per_request),
            p50_us: outcome.percentile_us(0.5),
            p99_us: outcome.percentile_us(0.99),
            answer_bytes: outcome.received_bytes as f64 / outcome.completed.max(1) as f64,
            proxy_cpu: of(|proxy| proxy.cpu),
            generator_cpu: outcome.generator_cpu,
            anonymous_bytes: outcome.proxy.as_ref().map_or(0, |proxy| proxy.memory.anonymous),
            others: [0.0; 2],
            errors: outcome.errors.total() + outcome.refused,
        }
    }
}

impl Series {
    pub fn new(peer: &Peer, version: &str, rounds: Vec<Round>) -> Self {
        let (cpu_ratio, rate_ratio) = (None, None);
        Self {
            name: peer.name,
            about: peer.about,
            version: version.to_owned(),
            rounds,
            cpu_ratio,
            rate_ratio,
        }
    }

    fn median(&self, read: impl Fn(&Round) -> f64) -> f64 {
        self.estimate(read).map_or(f64::NAN, |estimate| estimate.median)
    }

    fn estimate(&self, read: impl Fn(&Round) -> f64) -> Option<Estimate> {
        Estimate::of(&self.rounds.iter().map(read).collect::<Vec<_>>())
    }

    /// Pairs each round of `base` with the same round here.
    fn ratio(&self, base: &[Round], read: impl Fn(&Round) -> f64) -> Option<Estimate> {
        let pairs = base.iter().zip(&self.rounds).map(|(base, own)| read(base) / read(own));
        Estimate::of(&pairs.filter(|ratio| ratio.is_finite()).collect::<Vec<_>>())
    }
}

impl Comparison {
    pub fn new(options: &Options, mut peers: Vec<Series>, missing: Vec<Missing>) -> Self {
        let index = peers.iter().position(|peer| peer.name == options.base).unwrap_or(0);
        let (base, base_rounds) = (peers[index].name, peers[index].rounds.clone());
        for peer in peers.iter_mut().filter(|peer| peer.name != base) {
            peer.cpu_ratio = peer.ratio(&base_rounds, |round| round.cpu_us_per_request);
            peer.rate_ratio = peer.ratio(&base_rounds, |round| round.requests_per_second);
        }
        Self {
            scenario: options.scenario,
            pairs: base_rounds.len(),
            seconds: options.seconds,
            connections: options.connections,
            cpu_proxy: options.cpu_proxy,
            cpu_load: options.cpu_load,
            base,
            peers,
            missing,
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let heading = [
            "peer",
            "requests/s",
            "CPU us/request",
            "user",
            "system",
            "p50",
            "p99",
            "bytes",
            "errors",
        ];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        rows[0]
            .extend([format!("rate {}/peer", self.base), format!("CPU {}/peer [95%]", self.base)]);
        for peer in &self.peers {
            let errors: u64 = peer.rounds.iter().map(|round| round.errors).sum();
            let ratio = peer.cpu_ratio.map_or_else(|| "-".to_owned(), |ratio| ratio.text());
            rows.push(vec![
                peer.name.to_owned(),
                format!("{:.0}", peer.median(|round| round.requests_per_second)),
                format!("{:.2}", peer.median(|round| round.cpu_us_per_request)),
                format!("{:.2}", peer.median(|round| round.user_us_per_request)),
                format!("{:.2}", peer.median(|round| round.system_us_per_request)),
                text::micros(peer.median(|round| round.p50_us)),
                text::micros(peer.median(|round| round.p99_us)),
                format!("{:.0}", peer.median(|round| round.answer_bytes)),
                errors.to_string(),
                peer.rate_ratio
                    .map_or_else(|| "-".to_owned(), |ratio| format!("{:.3}", ratio.median)),
                ratio,
            ]);
        }
        rows
    }

    /// What a reader must know to judge the table.
    fn notes(&self) -> Vec<String> {
        let Self { pairs, seconds, connections, cpu_proxy, cpu_load, .. } = self;
        let mut notes = vec![format!(
            "{pairs} interleaved rounds of {seconds} s, {connections} connections, closed loop; proxy on core \
             {cpu_proxy}, generator and upstream on core {cpu_load}; medians of the rounds, ratios are medians of pairs."
        )];
        let others = [0, 1].map(|core| {
            let shares = self.peers.iter().map(|peer| peer.median(|round| round.others[core]));
            shares.fold(0.0, f64::max)
        });
        if others.iter().any(|share| *share > 0.05) {
            notes.push(format!(
                "The machine was shared: other processes had up to {:.0}% of core {cpu_proxy} and {:.0}% of core \
                 {cpu_load} (median over the rounds of one peer). Rates and latencies suffer most; trust the ratios of CPU.",
                others[0] * 100.0,
                others[1] * 100.0
            ));
        }
        for peer in &self.peers {
            notes.push(format!("{}: {} ({}).", peer.name, peer.about, peer.version));
            let (share, generator) =
                (peer.median(|round| round.proxy_cpu), peer.median(|round| round.generator_cpu));
            if share < 0.9 {
                let shares = format!(
                    "{:.0}% of its core, generator {:.0}%",
                    share * 100.0,
                    generator * 100.0
                );
                notes.push(format!(
                    "{} was not saturated ({shares}): compare its CPU, not its rate.",
                    peer.name
                ));
            }
        }
        notes.extend(
            self.missing.iter().map(|missing| format!("not measured - {}.", missing.text())),
        );
        notes
    }

    pub fn text(&self) -> String {
        let scenario = format!("{:?}", self.scenario).to_lowercase();
        format!(
            "scenario {scenario}\n\n{}\n{}\n",
            text::table(&self.rows()),
            self.notes().join("\n")
        )
    }

    pub fn markdown(&self, facts: &str) -> String {
        let notes: Vec<String> = self.notes().iter().map(|note| format!("- {note}\n")).collect();
        format!("{}\n{}\n```\n{facts}\n```\n", text::markdown(&self.rows()), notes.concat())
    }

    /// CPU per request of each peer, as bars.
    pub fn plot(&self) -> String {
        let bar = |peer: &Series| {
            let estimate = peer.estimate(|round| round.cpu_us_per_request);
            let value = estimate.map_or(0.0, |estimate| estimate.median);
            Bar {
                name: peer.name.to_owned(),
                value,
                interval: estimate.and_then(|estimate| estimate.interval),
            }
        };
        let bars: Vec<Bar> = self.peers.iter().map(bar).collect();
        let scenario = format!("{:?}", self.scenario).to_lowercase();
        bars::plot(
            &format!("CPU per request, scenario {scenario}"),
            "microseconds of one core, less is better",
            &bars,
        )
    }

    /// Median CPU microseconds per request by peer, for tests and scripts.
    pub fn cpu(&self) -> BTreeMap<&'static str, f64> {
        self.peers
            .iter()
            .map(|peer| (peer.name, peer.median(|round| round.cpu_us_per_request)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(cpu: f64) -> Round {
        Round {
            requests_per_second: 1e6 / cpu,
            cpu_us_per_request: cpu,
            user_us_per_request: cpu / 2.0,
            system_us_per_request: cpu / 2.0,
            switches_per_request: 0.0,
            p50_us: 1.0,
            p99_us: 2.0,
            answer_bytes: 117.0,
            proxy_cpu: 1.0,
            generator_cpu: 0.5,
            anonymous_bytes: 0,
            others: [0.0; 2],
            errors: 0,
        }
    }

    #[test]
    fn ratios_are_medians_of_pairs() {
        let rounds: Vec<Round> = (1..=7).map(|at| round(f64::from(at) * 10.0)).collect();
        let base: Vec<Round> =
            rounds.iter().map(|own| round(own.cpu_us_per_request * 0.5)).collect();
        let (cpu_ratio, rate_ratio) = (None, None);
        let series =
            Series { name: "x", about: "", version: String::new(), rounds, cpu_ratio, rate_ratio };
        let ratio = series.ratio(&base, |round| round.cpu_us_per_request).unwrap();
        // The machine's drift over the rounds cancels out in each pair.
        assert_eq!((ratio.median, ratio.interval), (0.5, Some((0.5, 0.5))));
    }
}
