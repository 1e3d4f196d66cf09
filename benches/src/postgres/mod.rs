//! Cold storage on PostgreSQL, beside bare prepared statements on the same server.
//!
//! The server is a process of its own on this machine that writes to the disk at every commit, behind a loopback
//! connection; client and server share the cores.

mod bare;
mod lists;
mod runs;

use std::sync::Arc;

use anyhow::Result;
use lucihub_cold::{PostgresCold, PostgresOptions};
use lucihub_models_core::SystemClock;
use lucihub_testkit::servers::{PostgresOptions as Config, PostgresServer};

use self::bare::Bare;
use crate::lab::Lab;
use crate::measure::Figures;

/// The server, and what is measured on it.
struct Bench {
    server: PostgresServer,
}

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    if !figures.wants_any_of("cold.postgres.") {
        return Ok(());
    }
    let bench = Bench { server: PostgresServer::start(Config::new().fsync().shared_buffers(256 << 20)) };
    lists::measure(lab, &bench, figures)?;
    runs::measure(lab, &bench, figures)
}

impl Bench {
    /// A new database: ours in it, a bare connection to it, and its name.
    fn database(&self, lab: &Lab) -> Result<(PostgresCold, Bare, String)> {
        let name = self.server.fresh_database(None);
        let url = self.server.admin_url(&name);
        let options = PostgresOptions::url(&url)?.with_migrate(true);
        let cold = lab.wait(PostgresCold::open(options, Arc::new(SystemClock)))?;
        Ok((cold, Bare::connect(&url)?, name))
    }
}
