//! An API of many methods: building it call by call, reading it by the page, deploying it.

use std::{net::SocketAddr, time::Instant};

use serde::Serialize;

use super::{Latency, OperationsError};
use crate::{
    admin::{Admin, MockStep},
    place::STAGE,
    report::text,
};

/// Most resources in a page.
const PAGE: usize = 500;

/// What one large API costs.
#[derive(Debug, Serialize)]
pub struct Large {
    pub methods: usize,
    /// Seconds that one caller needed to build it.
    pub build_seconds: f64,
    pub changes_per_second: f64,
    /// GetResources with `embed=methods` and `limit=500`.
    pub page: Latency,
    pub page_bytes: usize,
    /// CreateDeployment to a stage.
    pub deploy: Latency,
}

/// Builds and reads it.
pub(super) fn measure(
    admin: SocketAddr,
    methods: usize,
    samples: usize,
) -> Result<Large, OperationsError> {
    let mut admin = Admin::new(admin);
    let api = admin.create("large")?;
    let began = Instant::now();
    for number in 0..methods {
        let resource = admin.create_resource(&api.id, &api.root, &format!("r{number}"))?;
        for step in MockStep::ALL {
            admin.put_mock_step(&api.id, &resource, step)?;
        }
    }
    let build_seconds = began.elapsed().as_secs_f64();
    // The root is a resource, too.
    let wanted = (methods + 1).min(PAGE);
    let page = admin.resources(&api.id)?;
    let (found, page_bytes) = (Admin::entries(&page), page.len());
    if found != wanted {
        return Err(OperationsError::ShortPage { wanted, found });
    }
    let page = Latency::sample(samples, |_| admin.resources(&api.id).map(drop))?;
    let deploy =
        Latency::sample(samples.min(50), |_| admin.deploy(&api.id, Some(STAGE)).map(drop))?;
    let changes_per_second = (methods * (1 + MockStep::ALL.len())) as f64 / build_seconds;
    Ok(Large { methods, build_seconds, changes_per_second, page, page_bytes, deploy })
}

impl Large {
    pub(super) fn text(&self) -> String {
        let bytes = text::bytes(self.page_bytes as u64);
        text::pairs(&[
            (
                format!("API of {} methods", self.methods),
                format!("{:.2} s, {:.0} changes/s", self.build_seconds, self.changes_per_second),
            ),
            (format!("page of {PAGE}, methods embedded"), format!("{}, {bytes}", self.page.text())),
            ("deploy it".to_owned(), self.deploy.text()),
        ])
    }
}
