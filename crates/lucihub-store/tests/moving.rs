//! Readers of a run that moves under their hands: never gone, torn or different.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{RunId, RunState, Series, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, RecordOptions, Source, Store};

use crate::lab::{begin_small, eager, end_small, lab, record_some, small, values};

/// What may happen to a run between the look and the read.
#[derive(Debug, Clone, Copy)]
enum Move {
    Grown,
    Trimmed,
    Ended,
    Archived,
    Expired,
}

#[tokio::test]
async fn what_was_located_reads_the_same_whatever_happened_since() {
    for begun_trimmed in [false, true] {
        for moved in [Move::Grown, Move::Trimmed, Move::Ended, Move::Archived, Move::Expired] {
            let lab = lab();
            let run = small(&lab.store, 2).await.id;
            let recorder = begin_small(&lab.store, run).await;
            if begun_trimmed {
                lab.walk(eager()).await;
                record_some(&recorder, 2, 1_900..2_300, 100).await;
                recorder.flush().await.unwrap();
            }
            let expected = lab.store.run(run).await.unwrap();
            let envelopes = lab.store.envelope(run, 1, 0..u64::MAX, 3).await.unwrap();
            let located = lab.store.locate(run).await.unwrap();
            if begun_trimmed {
                record_some(&recorder, 2, 2_300..4_000, 100).await;
                if !matches!(moved, Move::Grown | Move::Trimmed) {
                    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
                }
            } else if matches!(moved, Move::Grown | Move::Trimmed) {
                record_some(&recorder, 2, 1_900..4_000, 150).await;
            } else {
                end_small(&recorder).await;
            }
            recorder.flush().await.unwrap();
            match moved {
                Move::Grown | Move::Ended => {}
                Move::Trimmed | Move::Archived => drop(lab.walk(eager()).await),
                Move::Expired => {
                    lab.walk(eager().with_grace(Duration::ZERO)).await;
                    assert!(lab.hot.get(run).await.unwrap().is_none());
                }
            }
            for (channel, series) in (0..).zip(&expected.series) {
                let again = lab.store.window_at(&located, channel, 0..u64::MAX).await.unwrap();
                assert_eq!(again, *series, "{moved:?}");
                let part = lab.store.window_at(&located, channel, 1_000..1_500).await.unwrap();
                assert_eq!(part, series.slice(1_000..1_500), "{moved:?}");
            }
            assert_eq!(lab.store.lines_at(&located, 0..u64::MAX).await.unwrap().lines, expected.logs, "{moved:?}");
            assert_eq!(lab.store.envelope_at(&located, 1, 0..u64::MAX, 3).await.unwrap(), envelopes, "{moved:?}");
        }
    }
}

#[tokio::test]
async fn a_read_of_a_run_that_is_being_put_back_asks_to_try_again() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    let confirmed = recorder.next();
    record_some(&recorder, 2, 1_900..2_500, 100).await;
    recorder.flush().await.unwrap();
    let located = lab.store.locate(run).await.unwrap();
    lab.hot.lose(run);
    let gone = lab.store.window_at(&located, 0, 0..u64::MAX).await.unwrap_err();
    assert!(gone.is_transient(), "{gone}");
    // Put back up to its confirmed positions, and not refilled yet.
    let head = (*lab.store.status(run).await.unwrap().head).clone();
    let mark = lucihub_models_core::WriterMark { writer: recorder.writer(), epoch: 1 };
    let restore = lucihub_models_core::hot::Restore {
        head,
        worker: "worker".into(),
        mark,
        lease: Duration::from_secs(60),
        last_seq: 1,
        confirmed: confirmed.clone(),
        next: confirmed,
    };
    lucihub_models_core::hot::HotAppend::restore(&*lab.hot, &restore).await.unwrap();
    for error in [
        lab.store.window_at(&located, 0, 0..u64::MAX).await.unwrap_err(),
        lab.store.lines_at(&located, 0..u64::MAX).await.unwrap_err(),
        lab.store.envelope_at(&located, 0, 0..u64::MAX, 2).await.unwrap_err(),
    ] {
        assert!(error.is_transient(), "nothing is damaged: {error}");
    }
}

#[tokio::test]
async fn a_read_of_a_run_that_was_deleted_meanwhile_says_so() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    let live = lab.store.locate(run).await.unwrap();
    lab.walk(KeeperOptions::default()).await;
    let archived = lab.store.locate(run).await.unwrap();
    assert!(lab.store.delete(run, false).await.unwrap());
    for located in [&live, &archived] {
        let errors = [
            lab.store.window_at(located, 0, 0..u64::MAX).await.map(drop),
            lab.store.lines_at(located, 0..u64::MAX).await.map(drop),
            lab.store.envelope_at(located, 0, 0..u64::MAX, 1).await.map(drop),
        ];
        for error in errors {
            assert!(matches!(error, Err(StoreError::NotFound { .. })), "{error:?}");
        }
    }
}

/// Reads in a loop until told to stop; checks every answer by itself.
async fn read_on(store: Store, run: RunId, stop: Arc<AtomicBool>) -> u64 {
    let (mut rounds, mut seen) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        let whole = store.run(run).await.unwrap();
        let ends: Vec<u64> = whole.series.iter().map(|series| series.end).collect();
        assert_eq!(ends[0] % 50, 0, "whole batches only");
        assert!(ends[0] >= ends[1] && ends[0] - ends[1] <= 50 && ends[0] >= seen, "{ends:?} after {seen}");
        seen = ends[0];
        for (channel, series) in (0..).zip(&whole.series) {
            check_values(run, channel, series);
        }
        let lines = 50 * whole.logs.len() as u64;
        assert!(lines <= ends[1] && ends[1] <= lines + 50, "lines and samples of one position");
        for (n, line) in whole.logs.iter().enumerate() {
            assert_eq!(line.text, format!("up to {}", (n + 1) * 50));
        }
        let from = seen.saturating_sub(700);
        check_values(run, 1, &store.window(run, 1, from..seen).await.unwrap());
        let envelope = store.envelope(run, 0, 0..seen, 3).await.unwrap();
        assert_eq!(envelope.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), envelope.end - envelope.first);
        assert!(envelope.end >= seen);
        rounds += 1;
        tokio::task::yield_now().await;
    }
    rounds
}

fn check_values(run: RunId, channel: u32, series: &Series) {
    assert!(series.gaps.is_empty());
    assert_eq!(series.values, values(run, channel, series.first..series.end));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn looping_readers_never_see_it_gone_torn_or_different() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let (stop, archived) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..2).map(|_| tokio::spawn(read_on(lab.store.clone(), run, stop.clone()))).collect();
    let keepers: Vec<_> = (0..2)
        .map(|_| {
            let keeper = Keeper::new(lab.store.clone(), eager().with_grace(Duration::ZERO));
            let archived = archived.clone();
            tokio::spawn(async move {
                while !archived.load(Ordering::SeqCst) {
                    let report = keeper.walk().await.unwrap();
                    assert!(report.errors.is_empty(), "{report:?}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    let options = RecordOptions::default().with_batch(900, Duration::from_millis(1));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    for part in 0..20 {
        record_some(&recorder, 2, part * 300..(part + 1) * 300, 50).await;
        recorder.flush().await.unwrap();
    }
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    let gone = async {
        while lab.hot.get(run).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("archived and let go of");
    assert_eq!(lab.store.status(run).await.unwrap().source, Source::Archive);
    archived.store(true, Ordering::SeqCst);
    for keeper in keepers {
        keeper.await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}
