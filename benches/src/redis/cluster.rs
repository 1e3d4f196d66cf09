//! A cluster of three masters, each with a replica, beside one server.
//!
//! A run lies on one master, so that its batches stay whole: what is seen here is what the cluster costs a run, and not
//! what it brings to many. All seven servers are on this machine.

use anyhow::Result;
use lucihub_models_core::Batch;

use super::logs::{LINES, Logs};
use super::{Bench, ingest, source};
use crate::lab::Lab;
use crate::measure::{Figures, SAMPLES};

const INGEST: &str = "hot.cluster.ingest_1000_samples_per_s";
const LOG: &str = "hot.cluster.log_lines_per_s";
const WHAT: &str = "the same on one server";

pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    if ![INGEST, LOG].iter().any(|name| figures.wants(name)) {
        return Ok(());
    }
    let (cluster, one) = (Bench::of_cluster(lab)?, Bench::begin(lab)?);
    let (source, batches) = (source(), (1_000, lab.size.of(1_000)));
    let on = |bench: &Bench| ingest::turn(lab, bench, &source, batches, Batch::WINDOW);
    figures.compare((INGEST, SAMPLES), lab.size.repeats, || on(&cluster), (WHAT, || on(&one)))?;
    let mut ours = Logs::new(lab, &cluster, "cluster-logs.db")?;
    let mut theirs = Logs::new(lab, &one, "one-server-logs.db")?;
    figures.compare((LOG, LINES), lab.size.repeats, || ours.turn(lab), (WHAT, || theirs.turn(lab)))
}
