//! A store over the testkit's reference stores, and a run to record in it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use lucihub_models_core::{LogLine, RunHead, RunId, RunState};
use lucihub_store::record::End;
use lucihub_store::{RecordOptions, Recorder, Store};
use lucihub_testkit::reference::cold::ReferenceCold;
use lucihub_testkit::reference::hot::ReferenceHot;
use lucihub_testkit::{ManualClock, SeededIds, models};

/// A store, and the clock that both of its storages go by.
pub(crate) struct Lab {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn lab() -> Lab {
    let clock = Arc::new(ManualClock::default());
    let limits = lucihub_models_core::Limits::default();
    let hot = Arc::new(ReferenceHot::new(clock.clone(), limits));
    let cold = Arc::new(ReferenceCold::new(clock.clone()));
    let store = Store::builder(hot, cold).clock(clock.clone()).ids(Arc::new(SeededIds::new(1))).build();
    Lab { store, clock }
}

/// A queued run with channels, in both storages.
pub(crate) async fn created(store: &Store, channels: usize) -> RunHead {
    let head = models::lorenz_head(channels);
    store.create(&head).await.unwrap();
    head
}

/// The samples of a channel, from a pure function of run, channel and index.
pub(crate) fn values(run: RunId, channel: u32, range: std::ops::Range<u64>) -> Vec<f64> {
    range.map(|index| models::sample_value(run, channel, index)).collect()
}

/// Records `samples` per channel in chunks, with a line per chunk.
pub(crate) async fn record_some(recorder: &Recorder, channels: u32, range: std::ops::Range<u64>, chunk: u64) {
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
