//! A store over the testkit's reference stores, and a run to record in it.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod attached;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::hot::{HotAppend, Restore, Restored};
use lucihub_models_core::{
    Digest, GapCause, Grid, Limits, LogCell, LogLine, Positions, Run, RunDigest, RunHead, RunId, RunState, SampleCell,
    WriterId, WriterMark,
};
use lucihub_store::archive::WalkReport;
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, RecordOptions, Recorder, Store};
use lucihub_testkit::reference::cold::ReferenceCold;
use lucihub_testkit::reference::hot::ReferenceHot;
use lucihub_testkit::{FaultPlan, FaultyCold, FaultyHot, ManualClock, SeededIds, models};

/// A store, its two storages, and the clock that both go by.
pub(crate) struct Lab {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hot: Arc<ReferenceHot>,
    pub(crate) cold: Arc<ReferenceCold>,
    ids: Arc<SeededIds>,
}

pub(crate) fn lab() -> Lab {
    full_lab(None)
}

/// A lab whose hot storage takes this many bytes at most.
pub(crate) fn full_lab(max_bytes: Option<u64>) -> Lab {
    let clock = Arc::new(ManualClock::default());
    let hot = ReferenceHot::new(clock.clone(), Limits::default());
    let hot = Arc::new(match max_bytes {
        Some(bytes) => hot.with_max_bytes(bytes),
        None => hot,
    });
    let cold = Arc::new(ReferenceCold::new(clock.clone()));
    let ids = Arc::new(SeededIds::new(1));
    let store = Store::builder(hot.clone(), cold.clone()).clock(clock.clone()).ids(ids.clone()).build();
    Lab { store, clock, hot, cold, ids }
}

/// A keeper that writes no tails before the end.
pub(crate) fn patient() -> KeeperOptions {
    KeeperOptions::default().with_checkpoint(Duration::from_secs(3_600), 1 << 30)
}

impl Lab {
    /// Hot storage loses a run that has one state more than its first, and another worker puts it back: hot storage then
    /// knows neither of its cells nor of what was confirmed. Gives the options with which that worker goes on.
    pub(crate) async fn failed_over(&self, run: RunId) -> RecordOptions {
        let head = self.store.status(run).await.unwrap().head;
        assert!(self.hot.lose(run));
        let mark = WriterMark { writer: WriterId::from_bits(9), epoch: 7 };
        let restore = Restore {
            head: (*head).clone(),
            worker: "another".to_owned(),
            mark,
            lease: Duration::from_secs(60),
            last_seq: 0,
            confirmed: Positions { states: 2, ..Positions::default() },
            next: Positions { states: 2, ..Positions::default() },
        };
        assert_eq!(self.hot.restore(&restore).await.unwrap(), Restored::Restored);
        RecordOptions::default().with_writer(mark.writer)
    }

    /// Another handle on the same storages; both fail by one plan.
    pub(crate) fn faulty(&self, plan: &FaultPlan) -> Store {
        self.split(plan, plan)
    }

    /// Another handle on the same storages: hot and cold fail by plans of their own.
    pub(crate) fn split(&self, hot: &FaultPlan, cold: &FaultPlan) -> Store {
        let hot = Arc::new(FaultyHot::new(self.hot.clone(), hot.clone()));
        let cold = Arc::new(FaultyCold::new(self.cold.clone(), cold.clone()));
        Store::builder(hot, cold).clock(self.clock.clone()).ids(self.ids.clone()).build()
    }

    /// Another handle on the same storages, with other limits.
    pub(crate) fn limited(&self, limits: Limits) -> Store {
        let builder = Store::builder(self.hot.clone(), self.cold.clone());
        builder.clock(self.clock.clone()).ids(self.ids.clone()).limits(limits).build()
    }

    /// One walk of a new keeper, which must not fail.
    pub(crate) async fn walk(&self, options: KeeperOptions) -> WalkReport {
        clean_walk(&Keeper::new(self.store.clone(), options)).await
    }

    /// The runs that keepers still attend to.
    pub(crate) async fn pending(&self) -> Vec<RunId> {
        self.cold.pending(None, 100).await.unwrap().into_iter().map(|run| run.id).collect()
    }

    /// The run from the archive, and its digest, which must be that of its content.
    pub(crate) async fn archived(&self, run: RunId) -> (Run, Digest) {
        let archived = self.store.status(run).await.unwrap().archived.expect("it is archived");
        let whole = self.store.run(run).await.unwrap();
        assert_eq!(archived.digest, digest_of(&whole), "the digest is that of the content");
        (whole, archived.digest)
    }
}

/// One walk, which must not fail.
pub(crate) async fn clean_walk(keeper: &Keeper) -> WalkReport {
    let report = keeper.walk().await.unwrap();
    assert!(report.errors.is_empty() && report.devices_error.is_none(), "{report:?}");
    report
}

/// A keeper that writes a checkpoint and trims at every walk, in small transactions, and waits for no worker.
pub(crate) fn eager() -> KeeperOptions {
    let mut options = KeeperOptions::default().with_checkpoint(Duration::ZERO, 0).with_transaction_bytes(4_096);
    options.patience = Duration::ZERO;
    options.trim_fill = 0.0;
    options
}

/// The digest of a run, from its parts.
pub(crate) fn digest_of(run: &Run) -> Digest {
    let grid = run.head.grid;
    let mut digest = RunDigest::begin(&run.head);
    digest.lines(run.logs.len() as u64);
    for (cell, lines) in (0..).zip(run.logs.chunks(grid.lines as usize)) {
        digest.cell(&LogCell { cell, first: cell * u64::from(grid.lines), lines: lines.to_vec() }.hash());
    }
    for (channel, series) in (0..).zip(&run.series) {
        digest.channel(channel, series.end);
        for cell in grid.sample_cells(&(0..series.end)) {
            let series = series.slice(grid.sample_cell(cell));
            digest.cell(&SampleCell { channel, cell, series }.hash());
        }
    }
    digest.finish()
}

/// A queued run with channels, in both storages.
pub(crate) async fn created(store: &Store, channels: usize) -> RunHead {
    let head = models::lorenz_head(channels);
    store.create(&head).await.unwrap();
    head
}

/// A queued run whose cells are small: 1,024 samples, 16 lines. It is planned
/// to have 4,000 samples per channel.
pub(crate) async fn small(store: &Store, channels: usize) -> RunHead {
    let head = small_head(channels);
    store.create(&head).await.unwrap();
    head
}

pub(crate) fn small_head(channels: usize) -> RunHead {
    let mut head = models::lorenz_head(channels);
    head.grid = Grid { samples: 1_024, lines: 16 };
    head.op_time_ns = Some(400_000_000);
    head
}

/// The samples of a channel, from a pure function of run, channel and index.
pub(crate) fn values(run: RunId, channel: u32, range: Range<u64>) -> Vec<f64> {
    range.map(|index| models::sample_value(run, channel, index)).collect()
}

/// Records `samples` per channel in chunks, with a line per chunk.
pub(crate) async fn record_some(recorder: &Recorder, channels: u32, range: Range<u64>, chunk: u64) {
    let mut at = range.start;
    while at < range.end {
        let until = (at + chunk).min(range.end);
        for channel in 0..channels {
            recorder.samples(channel, at, &values(recorder.run(), channel, at..until)).await.unwrap();
        }
        recorder.log(format!("up to {until}")).await.unwrap();
        at = until;
    }
}

/// A whole run, from take-over to its end.
pub(crate) async fn record_whole(store: &Store, head: &RunHead, samples: u64) {
    let recorder = store.record_with(head.id, "worker", RecordOptions::default()).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, u32::try_from(head.channels.len()).unwrap(), 0..samples, 700).await;
    recorder.line(LogLine::from("two\nlines\u{2028}in\0one".to_owned())).await.unwrap();
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
}

/// A run of one channel that has begun, and has so many samples.
pub(crate) async fn begun(lab: &Lab, run: RunId, samples: u64) -> Recorder {
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 1, 0..samples, 100).await;
    recorder.flush().await.unwrap();
    recorder
}

/// The first part of a small run of two channels: 1,900 samples with a gap on
/// channel 1 that spans a cell's edge, 19 lines. The recorder is flushed.
pub(crate) async fn begin_small(store: &Store, run: RunId) -> Recorder {
    let recorder = store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 2, 0..1_000, 100).await;
    recorder.gap(1, 1_100, GapCause::Device).await.unwrap();
    record_some(&recorder, 1, 1_000..1_900, 100).await;
    recorder.samples(1, 1_100, &values(run, 1, 1_100..1_900)).await.unwrap();
    recorder.flush().await.unwrap();
    recorder
}

/// The rest of that run, up to 4,000 samples and its end.
pub(crate) async fn end_small(recorder: &Recorder) {
    record_some(recorder, 2, 1_900..4_000, 150).await;
    recorder.finish(RunState::Succeeded, End::default().because("all done")).await.unwrap();
}

/// What was recorded, without what keepers and people write on the head.
pub(crate) fn content(run: &Run) -> (&[LogLine], &[lucihub_models_core::Series]) {
    (&run.logs, &run.series)
}
