//! The end of a run that a device gave at its pace, on each pair of storages.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_store::{KeeperOptions, Store};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::{Took, Working, record};
use crate::cold::{Engine, Place};
use crate::lab::{Lab, hot};
use crate::measure::{Figures, MS, timed, turns};
use crate::plain::compress;
use crate::typical::{self, CELL, CHANNELS, Typical};

const TAIL: &str = "pco of the last cells, then their insert";
/// Samples per second and channel: the typical run takes a second.
const RATE: f64 = 100_000.0;

/// Measures it, with embedded hot storage and with Redis.
pub(super) fn measure(lab: &Lab, figures: &mut Figures, engine: &dyn Engine, typical: &Typical) -> Result<()> {
    for redis in [false, true] {
        let prefix = if redis { "redis_" } else { "" };
        let names =
            ["archived", "read"].map(|what| format!("store.{}.{prefix}end_to_{what}_at_pace_ms", engine.name()));
        if !names.iter().any(|name| figures.wants(name)) {
            continue;
        }
        let place = engine.place(lab, &format!("{prefix}pace"))?;
        if redis {
            let server = RedisServer::start(Config::new());
            let hot = lab.wait(RedisHot::open(RedisOptions::new(server.url())))?;
            let store = Store::new(Arc::new(hot), place.cold.clone());
            ends(lab, figures, &names, (&store, place), typical)?;
        } else {
            let store = Store::new(Arc::new(hot(1 << 30)), place.cold.clone());
            ends(lab, figures, &names, (&store, place), typical)?;
        }
    }
    Ok(())
}

/// From the answer to the last batch of a run until it is archived, and until all of it was read from the archive; against
/// pco and the insert of what is written then: the last cells, the lines and the head.
fn ends(
    lab: &Lab,
    figures: &mut Figures,
    [archived, read]: &[String; 2],
    (store, mut place): (&Store, Place),
    typical: &Typical,
) -> Result<()> {
    let working = lab.wait(async { Working::start(store, KeeperOptions::default()) });
    lab.wait(record(store, &working, 0, typical, Some(RATE)))?;
    let last = i64::try_from((typical.channels[0].len() - 1) / CELL)?;
    let mut rows = place.side.encoded(typical::head(0, CHANNELS).id)?;
    rows.retain(|(channel, cell, ..)| *channel < 0 || *cell == last);
    let (mut seed, mut run) = (0, 0);
    let ours = || {
        seed += 1;
        lab.wait(record(store, &working, seed, typical, Some(RATE)))
    };
    let theirs = || {
        run += 1;
        let (seconds, ()) = timed(|| {
            for tail in typical.channels.iter().filter_map(|values| values.chunks(CELL).next_back()) {
                std::hint::black_box(compress(tail)?);
            }
            place.side.insert(run, &rows)
        })?;
        Ok(1e3 * seconds)
    };
    // Both figures are of the same turns.
    let (took, tails) = turns(lab.size.repeats, ours, theirs)?;
    let until = |of: fn(&Took) -> Duration| took.iter().map(|took| 1e3 * of(took).as_secs_f64()).collect();
    figures.push_compared((archived, MS), until(|took| took.archived), (TAIL, tails.clone()))?;
    figures.push_compared((read, MS), until(|took| took.archived + took.read), (TAIL, tails))?;
    lab.wait(working.stop())
}
