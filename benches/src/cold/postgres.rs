//! PostgreSQL: a server of the measurements, and what a run costs in its relations.
//!
//! A process of its own on this machine that writes to the disk at every commit, behind a loopback connection; client and
//! server share the cores.

use std::sync::Arc;

use anyhow::{Context, Result};
use lucihub_cold::{PostgresCold, PostgresOptions};
use lucihub_models_core::SystemClock;
use lucihub_testkit::servers::{PostgresOptions as Config, PostgresServer};

use super::bare::Bare;
use super::runs::archived;
use super::{Engine, Place, figure};
use crate::lab::Lab;
use crate::measure::{Figures, Unit};
use crate::typical::{self, CHANNELS, Typical};

/// The server.
pub(crate) struct Server(PostgresServer);

impl Server {
    pub(crate) fn start() -> Self {
        Self(PostgresServer::start(Config::new().fsync().shared_buffers(256 << 20)))
    }

    /// A new database: ours in it, and its name.
    fn database(&self, lab: &Lab) -> Result<(Arc<PostgresCold>, String)> {
        let name = self.0.fresh_database(None);
        let options = PostgresOptions::url(&self.0.admin_url(&name))?.with_migrate(true);
        Ok((Arc::new(lab.wait(PostgresCold::open(options, Arc::new(SystemClock)))?), name))
    }
}

impl Engine for Server {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn place(&self, lab: &Lab, _: &str) -> Result<Place> {
        let (cold, name) = self.database(lab)?;
        Ok(Place { cold, side: Box::new(Bare::connect(&self.0.admin_url(&name))?) })
    }

    fn peer_database(&self, _: &Lab, _: &str) -> Result<String> {
        let url = self.0.admin_url(&self.0.fresh_database(None));
        let rest = url.split_once("://").map(|(_, rest)| rest.to_owned()).context("a URL")?;
        Ok(format!("postgresql+psycopg://{rest}"))
    }

    fn own(&self, lab: &Lab, figures: &mut Figures) -> Result<()> {
        const RUNS: u64 = 10;
        let names = ["relation_bytes_per_run", "relation_bytes_per_sample"].map(|what| figure(self, what));
        if !names.iter().any(|name| figures.wants(name)) {
            return Ok(());
        }
        let (cold, database) = self.database(lab)?;
        let typical = Typical::new(lab.size.of(100_000));
        let size = || -> Result<u64> {
            let sum = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
                       WHERE c.relnamespace = 'lucihub'::regnamespace AND c.relkind = 'r'";
            self.0.sql(&database, sum).trim().parse().context("a size")
        };
        let empty = size()?;
        for seed in 0..RUNS {
            archived(lab, &*cold, &typical::head(seed, CHANNELS), &typical)?;
        }
        let each = (size()? - empty) as f64 / RUNS as f64;
        let [run, sample] = &names;
        figures.push_values((run, Unit::Bytes("B/run")), vec![each])?;
        figures.push_values((sample, Unit::Bytes("B/sample")), vec![each / typical.samples() as f64])
    }
}
