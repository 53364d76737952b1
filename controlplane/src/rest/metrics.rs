//! Counts of answered requests, in Prometheus text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::Operation;
use super::reply::Reply;

/// Requests by operation and status: at most a series per operation and status of the tables.
#[derive(Default)]
pub(super) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

impl Metrics {
    pub(super) fn count(&self, operation: Option<Operation>, status: u16) {
        let operation = operation.map_or("none", Operation::name);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((operation, status)).or_default() += 1;
    }

    pub(super) fn reply(&self, revision: u64) -> Reply {
        let mut text = String::from(
            "# HELP gateway_admin_requests_total Admin API requests answered.\n\
             # TYPE gateway_admin_requests_total counter\n",
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((operation, status), count) in requests.iter() {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "gateway_admin_requests_total{{operation=\"{operation}\",status=\"{status}\"}} {count}"
            );
        }
        let _ = write!(
            text,
            "# HELP gateway_store_revision Newest revision of the store.\n\
             # TYPE gateway_store_revision gauge\ngateway_store_revision {revision}\n"
        );
        Reply {
            status: 200,
            content_type: "text/plain; version=0.0.4",
            headers: Vec::new(),
            body: text.into(),
        }
    }
}
