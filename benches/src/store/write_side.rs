//! The whole write side of the typical run on Redis and each database, beside the same commands and one row without us.
//!
//! Both send the same states and lines one by one and the same chunks of samples, wait for each answer before the next, and
//! are done when the run is in the database. Ours has then been encoded, read back and compared.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_store::{KeeperOptions, Store};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::Working;
use super::raw::{Raw, packed};
use super::worker::Worker;
use crate::cold::{Engine, RawStorage};
use crate::lab::Lab;
use crate::measure::{Figures, MS, timed};
use crate::typical::{self, CHANNELS, Typical};

/// Characters of a line.
const LINE: usize = 80;

/// Measures it.
pub(super) fn measure(lab: &Lab, figures: &mut Figures, engine: &dyn Engine, typical: &Typical) -> Result<()> {
    let mut limits = vec![("write_side_ms", RawStorage::Default, "raw f64 by APPEND, then one row")];
    if engine.name() == "postgres" {
        let what = "the same, the row uncompressed";
        limits.push(("write_side_beside_uncompressed_ms", RawStorage::Uncompressed, what));
    }
    let name = |what: &str| format!("store.{}.{what}", engine.name());
    if !limits.iter().any(|(what, ..)| figures.wants(&name(what))) {
        return Ok(());
    }
    let server = RedisServer::start(Config::new());
    let mut place = engine.place(lab, "write-side")?;
    let hot = lab.wait(RedisHot::open(RedisOptions::new(server.url())))?;
    let store = Store::new(Arc::new(hot), place.cold.clone());
    let working = lab.wait(async { Working::start(&store, KeeperOptions::default()) });
    let worker = Worker::start(server.url(), place.cold.clone());
    let raw = lab.wait(Raw::connect(&server.url()))?;
    let typical = Arc::new(of_long_lines(typical));
    let packed = packed(&typical);
    let (mut seed, mut number) = (0, 0);
    for (what, storage, limit) in limits {
        let ours = || {
            seed += 1;
            Ok((1.0, lab.wait(write(&store, (&worker, &working), seed, &typical))?))
        };
        let theirs = || {
            number += 1;
            let run = format!("00000000-0000-4000-8000-{number:012}");
            let (seconds, ()) = timed(|| {
                let row = lab.wait(raw.write(&run, &typical, &packed))?;
                place.side.insert_raw(&row, storage)?;
                lab.wait(raw.delete(&run, packed.len()))
            })?;
            Ok((1.0, seconds))
        };
        figures.compare((name(what), MS), lab.size.repeats, ours, (limit, theirs))?;
    }
    worker.stop()?;
    lab.wait(working.stop())
}

/// The same run with lines of a usual length.
pub(crate) fn of_long_lines(typical: &Typical) -> Typical {
    let mut lines = typical.lines.clone();
    for line in &mut lines {
        line.text = format!("{:.<LINE$}", line.text);
    }
    Typical { channels: typical.channels.clone(), lines }
}

/// Writes and archives a run. Returns the seconds.
pub(crate) async fn write(
    store: &Store,
    (worker, working): (&Worker, &Working),
    seed: u64,
    typical: &Arc<Typical>,
) -> Result<f64> {
    let begun = std::time::Instant::now();
    let head = typical::head(seed, CHANNELS);
    store.create(&head).await?;
    worker.record(head.id, typical).await?;
    working.archived(store, head.id).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let (series, samples) = (store.window(head.id, 0, 0..u64::MAX).await?, typical.channels[0].len());
    ensure!(series.values.len() == samples, "{} of {samples} samples", series.values.len());
    store.hot().remove(head.id, true, Duration::ZERO).await?;
    Ok(seconds)
}
