//! A Tidegate to work with: one that runs already, or one started for this run and stopped after it.

use std::{net::SocketAddr, path::Path};

use crate::{
    admin::{Admin, AdminError},
    client::Client,
    compare::{
        self, PeerError, Site,
        peer::{Target, TidegateOptions},
    },
    run::Plan,
    scenario::Scenario,
};

/// The stage that runs deploy to.
pub const STAGE: &str = "prod";

/// How to reach a control plane and its gateway.
#[derive(Debug)]
pub struct Place {
    pub admin: SocketAddr,
    pub gateway: SocketAddr,
    /// The node's process, when it was started here.
    pub node: Option<u32>,
    pub version: String,
    /// Stops it on drop.
    _up: Option<compare::Up>,
}

/// Why there is nothing to work with, or work stopped.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error(
        "cannot start tidegate: build it with `cargo build --release`, or give --tidegate, or --admin and --gateway"
    )]
    Start(#[from] PeerError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error("the imported API did not answer 200 at {0} within 10 s of its deployment")]
    NotServed(SocketAddr),
}

impl Place {
    /// One that runs already.
    pub fn at(admin: SocketAddr, gateway: SocketAddr) -> Self {
        Self { admin, gateway, node: None, version: "running already".to_owned(), _up: None }
    }

    /// Starts `tidegate up` with an empty data directory in `dir`; the node on one core, the rest on the other.
    pub fn start(
        dir: &Path,
        tidegate: &TidegateOptions,
        cpu_proxy: usize,
        cpu_load: usize,
    ) -> Result<Self, PlaceError> {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
        let site = Site {
            dir,
            scenario: Scenario::Proxy,
            upstream: nobody,
            cpu_proxy,
            cpu_load,
            tidegate,
        };
        let up = compare::up(&site, None)?;
        Ok(Self {
            admin: up.admin,
            gateway: up.gateway,
            node: Some(up.node),
            version: up.version.clone(),
            _up: Some(up),
        })
    }

    /// Imports a document, deploys it to the stage and waits until `path` answers 200. Answers the id and the plan.
    pub fn serve(
        &self,
        admin: &mut Admin,
        document: &str,
        path: &str,
    ) -> Result<(String, Plan), PlaceError> {
        let id = admin.import(document)?;
        admin.deploy(&id, Some(STAGE))?;
        let target =
            Target { paths: Some(vec![path.to_owned()]), ..compare::target(self.gateway, &id) };
        let plan = compare::plan(Scenario::Proxy, &target)?;
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while std::time::Instant::now() < until {
            if ask(&plan).is_some() {
                return Ok((id, plan));
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Err(PlaceError::NotServed(self.gateway))
    }
}

fn ask(plan: &Plan) -> Option<()> {
    let mut client = Client::connect(plan.address, None, std::time::Duration::from_secs(1)).ok()?;
    let answer = client.exchange(&plan.requests[0]).ok()?;
    (answer.outcome.status == 200).then_some(())
}
