//! Flags that say which Tidegate to work with.

use std::{net::SocketAddr, path::PathBuf};

use super::compare::TidegateArgs;
use crate::place::Place;

/// Start one, or use one that runs.
#[derive(Debug, clap::Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    tidegate: TidegateArgs,
    /// Admin API of a Tidegate that runs already, instead of starting one; APIs are left in it
    #[arg(long, value_name = "ADDRESS", requires = "gateway")]
    admin: Option<SocketAddr>,
    /// Gateway address of that Tidegate
    #[arg(long, value_name = "ADDRESS", requires = "admin")]
    gateway: Option<SocketAddr>,
    /// Keep data directory and log here
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Core of the node
    #[arg(long, default_value_t = 0, value_name = "CORE")]
    cpu_proxy: usize,
    /// Core of the generator, the upstream and the control plane
    #[arg(long, default_value_t = 1, value_name = "CORE")]
    pub cpu_load: usize,
}

impl PlaceArgs {
    /// The directory must outlive the place.
    pub fn open(&self, scratch: &tempfile::TempDir) -> anyhow::Result<Place> {
        if let (Some(admin), Some(gateway)) = (self.admin, self.gateway) {
            return Ok(Place::at(admin, gateway));
        }
        let dir = self.dir.clone().unwrap_or_else(|| scratch.path().to_owned());
        std::fs::create_dir_all(&dir)?;
        Ok(Place::start(&dir, &self.tidegate.options(), self.cpu_proxy, self.cpu_load)?)
    }
}
