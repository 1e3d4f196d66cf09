//! What a history is to be, drawn from its seed before it begins.

use std::time::Duration;

use lucihub_models_core::{Grid, IdSource, RunId, RunState};
use lucihub_store::record::OnFull;
use lucihub_store::{KeeperOptions, RecordOptions};
use lucihub_testkit::{Dice, SeededIds};

use super::nemesis::Blow;

/// A history, before it happens. All that is not drawn here is drawn by the clients, from dice of their own.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How long the nemesis is at work; then faults stop, and all has to settle.
    pub(crate) storm: Duration,
    pub(crate) rates: Rates,
    /// The room of hot storage.
    pub(crate) max_bytes: u64,
    pub(crate) runs: Vec<RunPlan>,
    pub(crate) keepers: Vec<KeeperOptions>,
    pub(crate) readers: u64,
    pub(crate) blows: Vec<(Duration, Blow)>,
}

/// How often single calls go wrong, and how slow they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    /// Of a thousand calls, so many never reach the store.
    pub(crate) fail: u64,
    /// Of a thousand answers, so many are lost.
    pub(crate) lose: u64,
    /// Milliseconds that a call takes at most, each way.
    pub(crate) slowest: u64,
}

/// One run and what becomes of it.
#[derive(Debug)]
pub(crate) struct RunPlan {
    pub(crate) id: RunId,
    pub(crate) created: Duration,
    pub(crate) channels: u32,
    /// Samples of each channel.
    pub(crate) samples: u64,
    pub(crate) lines: u64,
    pub(crate) grid: Grid,
    /// Whether the device loses stretches of samples.
    pub(crate) gappy: bool,
    /// Whether samples may become a gap since the queue is full.
    pub(crate) overflows: bool,
    pub(crate) ends: RunState,
    pub(crate) workers: Vec<WorkerPlan>,
    pub(crate) follower: bool,
    pub(crate) cancelled: Option<Duration>,
    /// When it is deleted, and whether by force.
    pub(crate) deleted: Option<(Duration, bool)>,
}

/// A worker and its lives: it is started again after each but the last.
#[derive(Debug)]
pub(crate) struct WorkerPlan {
    pub(crate) begins: Duration,
    pub(crate) lives: Vec<Life>,
    /// Whether it goes on under the same writer id.
    pub(crate) same_writer: bool,
    pub(crate) options: RecordOptions,
    /// Whether its samples overtake each other; else it may leave a gap unsaid.
    pub(crate) overtakes: bool,
    /// Milliseconds between two chunks at most.
    pub(crate) pace: u64,
}

/// One life of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    /// It is killed at this call.
    pub(crate) calls: u64,
    /// The time until the next one begins.
    pub(crate) pause: Duration,
}

/// How long keepers of every history wait for the writer of a run that hot storage has lost.
pub(crate) const LOST_PATIENCE: Duration = Duration::from_secs(8);

impl Plan {
    /// Draws a history.
    pub(crate) fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let ids = SeededIds::new(dice.roll());
        let storm = ms(&dice, 3_000, 8_000);
        let harsh = dice.below(4);
        let rates = Rates {
            fail: dice.below(12 * harsh + 1),
            lose: dice.below(12 * harsh + 1),
            slowest: [1, 4, 12, 40][pick(&dice, 4)],
        };
        let runs: Vec<_> = (0..=dice.below(3)).map(|_| RunPlan::new(&dice, ids.run_id(), storm)).collect();
        let keepers = (0..=dice.below(3)).map(|_| keeper(&dice)).collect();
        let blows = (0..2 + dice.below(6)).map(|_| (within(&dice, storm), Blow::draw(&dice))).collect();
        let max_bytes = if dice.one_in(6) { 24_576 + dice.below(65_536) } else { 1 << 20 };
        Self { seed, storm, rates, max_bytes, runs, keepers, readers: 1 + dice.below(2), blows }
    }
}

impl RunPlan {
    fn new(dice: &Dice, id: RunId, storm: Duration) -> Self {
        let channels = u32::try_from(dice.below(5)).unwrap_or(0);
        let overflows = dice.one_in(6);
        let workers = (0..=u64::from(dice.one_in(3))).map(|_| WorkerPlan::new(dice, storm, overflows)).collect();
        // Cells of one part, of two and of four.
        let grids = [(1_024, 4), (2_048, 8), (4_096, 16)];
        Self {
            id,
            created: ms(dice, 0, 500),
            channels,
            samples: 100 + dice.below(2_400),
            lines: dice.below(60),
            grid: grids.map(|(samples, lines)| Grid { samples, lines })[pick(dice, 3)],
            gappy: dice.one_in(2),
            overflows,
            ends: if dice.one_in(5) { RunState::Failed } else { RunState::Succeeded },
            workers,
            follower: dice.one_in(2),
            cancelled: dice.one_in(6).then(|| within(dice, storm)),
            deleted: dice.one_in(6).then(|| (within(dice, storm * 2), dice.one_in(2))),
        }
    }
}

impl WorkerPlan {
    fn new(dice: &Dice, storm: Duration, overflows: bool) -> Self {
        let lives = (0..dice.below(3)).map(|_| Life { calls: 1 + dice.below(200), pause: ms(dice, 0, 3_000) });
        let last = Life { calls: if dice.one_in(6) { 1 + dice.below(200) } else { u64::MAX }, pause: Duration::ZERO };
        let (queue, on_full) =
            if overflows { (512 + ceil(dice, 4_096), OnFull::Gap) } else { (ceil(dice, 65_536), OnFull::Wait) };
        let mut options = RecordOptions::default()
            .with_lease(ms(dice, 1_500, 4_000))
            .with_batch(64 + ceil(dice, 4_096), ms(dice, 2, 60))
            .with_queue(queue, on_full);
        let overtakes = !overflows && dice.one_in(2);
        options = options.with_reorder(if overtakes { 8_192 } else { 0 });
        if dice.one_in(6) {
            options = options.with_replay(ceil(dice, 16_384), ms(dice, 500, 4_000));
        }
        Self {
            begins: within(dice, storm / 3),
            lives: lives.chain([last]).collect(),
            same_writer: dice.one_in(2),
            options,
            overtakes,
            pace: 4 + dice.below(80),
        }
    }
}

fn keeper(dice: &Dice) -> KeeperOptions {
    let bytes = [0, 1_024, 16_384, 1 << 20][pick(dice, 4)];
    let mut options = KeeperOptions::default()
        .with_checkpoint(ms(dice, 0, 2_000), bytes)
        .with_transaction_bytes(256 << dice.below(9))
        .with_trim_age(ms(dice, 0, 3_000))
        .with_grace(ms(dice, 200, 3_000))
        .with_walk(ms(dice, 200, 700))
        .with_patience(ms(dice, 300, 1_000))
        .with_lost_patience(LOST_PATIENCE);
    options.trim_fill = [0.1, 0.5, 0.9][pick(dice, 3)];
    options.at_once = 1 + pick(dice, 4);
    options
}

fn pick(dice: &Dice, of: u64) -> usize {
    usize::try_from(dice.below(of)).unwrap_or(0)
}

fn ceil(dice: &Dice, most: u64) -> usize {
    1 + pick(dice, most)
}

fn ms(dice: &Dice, least: u64, most: u64) -> Duration {
    Duration::from_millis(least + dice.below(most - least))
}

/// A moment in a span.
fn within(dice: &Dice, span: Duration) -> Duration {
    Duration::from_millis(dice.below(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}
