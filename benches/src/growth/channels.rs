//! Channels of a run of few samples, on Redis and SQLite: what each of them costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lucihub_models_core::{Batch, BatchBody, RunState, StateChange, Timestamp};
use lucihub_store::{Keeper, KeeperOptions, Store};
use lucihub_testkit::models::adc_series;

use super::{Axis, Curve, Panel, Quantity, middle, push, repeats};
use crate::lab::Lab;
use crate::measure::{Figures, US, Unit, timed};
use crate::redis::{Bench, body};
use crate::typical;

const SIZES: [usize; 5] = [1, 16, 256, 1_024, 4_096];
/// Samples of each channel in a batch, and batches of a run.
const CHUNK: usize = 16;
const BATCHES: usize = 20;
/// Buckets and lines of a picture.
const BUCKETS: usize = 2_000;
const LINES: u64 = 100;
/// Ends a run.
const END: [&str; 2] = ["inprogress", "succeeded"];

pub(super) const AXIS: Axis = Axis {
    name: "channels",
    title: "Channels of a run of few samples, on Redis and SQLite",
    sizes: "channels of the run",
    panels: &[
        Panel {
            title: "Time for each channel",
            quantity: Quantity::Time,
            curves: &[
                Curve { what: "archive_per_channel", label: "archive" },
                Curve { what: "live_snapshot_per_channel", label: "picture of the live run" },
                Curve { what: "snapshot_per_channel", label: "picture from the archive" },
                Curve { what: "append_per_channel", label: "append of 16 samples" },
                Curve { what: "status_per_channel", label: "look at the archived run" },
            ],
        },
        Panel {
            title: "Bytes for each channel of 320 samples",
            quantity: Quantity::Bytes,
            curves: &[
                Curve { what: "redis_per_channel", label: "in Redis" },
                Curve { what: "cold_per_channel", label: "in the archive" },
            ],
        },
    ],
};

/// What a run took, in seconds and bytes.
#[derive(Default)]
struct Took {
    append: Vec<f64>,
    live_snapshot: Vec<f64>,
    archive: Vec<f64>,
    snapshot: Vec<f64>,
    status: Vec<f64>,
    hot: Vec<f64>,
    cold: Vec<f64>,
}

/// Measures it.
pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let bench = Bench::begin(lab)?;
    let store = Store::new(bench.hot(), Arc::new(lab.cold("growth-channels.db")?));
    for size in SIZES {
        let channels = u32::try_from(lab.size.of(size))?;
        let mut took = Took::default();
        for turn in 0..=u64::from(repeats(lab)) {
            // The first turn finds caches cold, and does not count.
            let mut cold = Took::default();
            run(
                lab,
                &bench,
                &store,
                (turn << 20 | size as u64, channels),
                if turn == 0 { &mut cold } else { &mut took },
            )?;
        }
        let each = |values: &[f64]| values.iter().map(|value| value / f64::from(channels)).collect::<Vec<_>>();
        for (what, seconds) in [
            ("append", &took.append),
            ("live_snapshot", &took.live_snapshot),
            ("archive", &took.archive),
            ("snapshot", &took.snapshot),
            ("status", &took.status),
        ] {
            push(figures, (&AXIS.figure(&format!("{what}_per_channel"), size, "us"), US), &each(seconds))?;
        }
        for (what, bytes) in [("redis_per_channel", &took.hot), ("cold_per_channel", &took.cold)] {
            let name = AXIS.figure(what, size, "bytes");
            figures.push_values((&name, Unit::Bytes("B/channel")), each(bytes))?;
        }
    }
    Ok(())
}

/// The way of one run, from its first batch to its archive.
fn run(lab: &Lab, bench: &Bench, store: &Store, (seed, channels): (u64, u32), took: &mut Took) -> Result<()> {
    bench.empty();
    // The same for all: what is measured does not look at them.
    let source = vec![adc_series(0, CHUNK * BATCHES); channels as usize];
    let head = typical::head(seed, channels);
    lab.wait(store.cold().create(&head))?;
    let mark = lab.wait(bench.start(&head))?;
    let mut times = Vec::new();
    for number in 0..BATCHES {
        let batch = Batch::new(head.id, mark, number as u64 + 1, body(&source, number, CHUNK));
        let begun = Instant::now();
        lab.wait(bench.append(&[batch], 1))?;
        times.push(begun.elapsed());
    }
    took.append.push(middle(&times));
    took.hot.push(bench.bytes_of_keys()? as f64);
    let snapshot = || {
        let (seconds, snapshot) = timed(|| Ok(lab.wait(store.snapshot(head.id, LINES, BUCKETS))?))?;
        ensure!(snapshot.envelopes.len() == channels as usize, "{} channels", snapshot.envelopes.len());
        Ok(seconds)
    };
    took.live_snapshot.push(snapshot()?);
    let states = END.map(|state| StateChange::new(RunState::from(state), Timestamp::EPOCH));
    let end = BatchBody { states: states.into(), ..BatchBody::default() };
    lab.wait(bench.append(&[Batch::new(head.id, mark, BATCHES as u64 + 1, end)], 1))?;
    let keeper = Keeper::new(store.clone(), KeeperOptions::default().with_grace(Duration::ZERO));
    let (seconds, report) = timed(|| Ok(lab.wait(keeper.walk())?))?;
    ensure!(report.archived == 1 && report.errors.is_empty(), "{report:?}");
    took.archive.push(seconds);
    took.snapshot.push(snapshot()?);
    let (seconds, _) = timed(|| Ok(lab.wait(store.status(head.id))?))?;
    took.status.push(seconds);
    took.cold.push(lab.wait(store.cold().stored_bytes(head.id))?.unwrap_or_default().total() as f64);
    Ok(())
}
