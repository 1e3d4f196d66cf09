//! The same work in plain Python: redis-py and `SQLAlchemy`, raw f64, nothing numbered, checked, encoded or read back.
//!
//! `cargo xtask bench --peers` sets the environment up. Both work on the same servers, turn by turn; the peer measures its
//! own seconds, so that asking it costs neither anything.
//!
//! | file | what is there |
//! | --- | --- |
//! | `mod.rs` | samples, lines, and a run as a whole, on Redis and each database: `benches/peers/peer.py` |
//! | `lists.rs` | a search with its total: `benches/peers/lists.py` |
//! | `peer.rs` | the process of a peer |

mod lists;
mod peer;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::Batch;
use lucihub_store::{KeeperOptions, Store};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};
use serde_json::json;

use peer::Peer;

use crate::cold::{Engine, postgres, sqlite};
use crate::lab::Lab;
use crate::measure::{Figures, MS, SAMPLES, Unit, timed};
use crate::redis::{Bench, body};
use crate::store::{CHUNK, Worker, Working, of_long_lines, write_run};
use crate::typical::{self, CHANNELS, Typical};

const LINES: Unit = Unit::PerSecond("lines/s");
const WHAT: &str = "plain Python, raw f64";
/// Chunks of [`CHUNK`] samples per channel, and how many may be in flight.
const INGEST: [(&str, usize); 2] = [
    ("peers.redis.ingest_1000_samples_per_s", Batch::WINDOW),
    ("peers.redis.ingest_1000_one_in_flight_samples_per_s", 1),
];
const LOG: &str = "peers.redis.log_lines_per_s";
/// On each database.
const RUNS: [&str; 3] = ["write_side_ms", "bytes_per_sample", "read_run_ms"];

/// What the group measures.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = String> {
    let on = |engine| RUNS.into_iter().chain([lists::SEARCH]).map(move |what| figure(engine, what));
    let redis = INGEST.map(|(name, _)| name).into_iter().chain([LOG]).map(str::to_owned);
    redis.chain(["sqlite", "postgres"].into_iter().flat_map(on))
}

/// The name of a figure on a database.
fn figure(engine: &str, what: &str) -> String {
    format!("peers.{engine}.{what}")
}

/// Measures the group with this Python.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures, python: &Path) -> Result<()> {
    let typical = Arc::new(of_long_lines(&Typical::new(lab.size.of(100_000))));
    let samples = lab.file("samples.f64");
    let bytes: Vec<u8> = typical.channels.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&samples, bytes)?;
    let start = |port, database: Option<&str>| Peer::of_runs(python, port, database, &samples, &typical);
    hot(lab, figures, &typical, &start).context("hot")?;
    let on = |figures: &mut Figures, engine: &dyn Engine| {
        on(lab, figures, engine, &typical, &start)?;
        lists::measure(lab, figures, engine, python)
    };
    on(figures, &sqlite::Files).context("SQLite")?;
    if figures.wants_any_of("peers.postgres.") {
        on(figures, &postgres::Server::start()).context("PostgreSQL")?;
    }
    Ok(())
}

/// Starts the peer on the port of a Redis server and on a database.
type Start<'a> = dyn Fn(u16, Option<&str>) -> Result<Peer> + 'a;

fn hot(lab: &Lab, figures: &mut Figures, typical: &Typical, start: &Start<'_>) -> Result<()> {
    if !figures.wants_any_of("peers.redis.") {
        return Ok(());
    }
    // The peer has one thread, too.
    let lab = &lab.on_one_thread()?;
    let bench = Bench::begin(lab)?;
    let mut peer = start(bench.port(), None)?;
    let head = typical::head(1, CHANNELS);
    let chunk = CHUNK.min(typical.channels[0].len());
    let batches = typical.channels[0].len() / chunk;
    for (name, window) in INGEST {
        let ours = || {
            bench.empty();
            let mark = lab.wait(bench.start(&head))?;
            let batch = |n: usize| Batch::new(head.id, mark, n as u64 + 1, body(&typical.channels, n, chunk));
            let prepared: Vec<Batch> = (0..batches).map(batch).collect();
            let (seconds, ()) = timed(|| lab.wait(bench.append(&prepared, window)))?;
            Ok((typical.samples() as f64, seconds))
        };
        let theirs = || peer.turn(&json!({ "do": "ingest", "chunk": chunk, "window": window }));
        figures.compare((name, SAMPLES), lab.size.repeats, ours, (WHAT, theirs))?;
    }
    let count = lab.size.of(20_000);
    let store = Store::new(bench.hot(), Arc::new(lab.cold("peers-logs.db")?));
    let mut seed = 70_u64 << 32;
    let ours = || {
        seed += 1;
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                let head = typical::head(seed, 0);
                store.create(&head).await?;
                let recorder = store.record(head.id, "bench").await?;
                for number in 0..count {
                    recorder.log(format!("t = {number} ms: integrators in range, ADC read")).await?;
                }
                recorder.flush().await?;
                anyhow::Ok(())
            })
        })?;
        Ok((count as f64, seconds))
    };
    let theirs = || peer.turn(&json!({ "do": "log", "count": count }));
    figures.compare((LOG, LINES), lab.size.repeats, ours, (WHAT, theirs))
}

fn on(lab: &Lab, figures: &mut Figures, engine: &dyn Engine, typical: &Arc<Typical>, start: &Start<'_>) -> Result<()> {
    let names = RUNS.map(|what| figure(engine.name(), what));
    if !names.iter().any(|name| figures.wants(name)) {
        return Ok(());
    }
    let [write_side, bytes, read_run] = names;
    let server = RedisServer::start(Config::new());
    let place = engine.place(lab, "peers")?;
    let mut peer = start(server.port(), Some(&engine.peer_database(lab, "peer-runs")?))?;
    let hot = lab.wait(RedisHot::open(RedisOptions::new(server.url())))?;
    let store = Store::new(Arc::new(hot), place.cold.clone());
    let working = lab.wait(async { Working::start(&store, KeeperOptions::default()) });

    let worker = Worker::start(server.url(), place.cold.clone());

    let mut seed = 80_u64 << 32;
    let write = |seed: &mut u64| {
        *seed += 1;
        Ok((1.0, lab.wait(write_run(&store, (&worker, &working), *seed, typical))?))
    };
    let side = json!({ "do": "write_side", "chunk": CHUNK });
    figures.compare((write_side, MS), lab.size.repeats, || write(&mut seed), (WHAT, || peer.turn(&side)))?;

    // Written by both in any case, so that there is what is read and weighed.
    let runs = u64::from(lab.size.repeats);
    let ours_before = lab.wait(place.cold.health())?.bytes.unwrap_or(0);
    let theirs_before = peer.number(&json!({ "do": "stored_bytes" }), "bytes")?;
    let mut written = String::new();
    for _ in 0..runs {
        write(&mut seed)?;
        let answer = peer.ask(&side)?;
        written = answer["run"].as_str().unwrap_or_default().to_owned();
    }
    let ours_after = lab.wait(place.cold.health())?.bytes.unwrap_or(0);
    let theirs_after = peer.number(&json!({ "do": "stored_bytes" }), "bytes")?;
    let all = runs as f64 * typical.samples() as f64;
    figures.push_compared(
        (&bytes, Unit::Bytes("B/sample")),
        vec![ours_after.saturating_sub(ours_before) as f64 / all],
        (WHAT, vec![(theirs_after - theirs_before) / all]),
    )?;

    let run = typical::head(seed, CHANNELS).id;
    let ours = || {
        let (seconds, whole) = timed(|| Ok(lab.wait(store.run(run))?))?;
        anyhow::ensure!(whole.series.len() == typical.channels.len(), "{} channels", whole.series.len());
        Ok((1.0, seconds))
    };
    let theirs = || peer.turn(&json!({ "do": "read_back", "run": written }));
    figures.compare((read_run, MS), lab.size.repeats, ours, (WHAT, theirs))?;
    worker.stop()?;
    lab.wait(working.stop())?;
    Ok(())
}
