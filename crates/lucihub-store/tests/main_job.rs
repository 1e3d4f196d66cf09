//! The main job: record, archive, read back bit for bit, follow.

use lucihub_models_core::RunState;
use lucihub_store::{Event, Keeper, KeeperOptions, Select, Source};

use crate::lab::{created, lab, record_whole, values};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_comes_back_bit_for_bit_live_and_archived() {
    let b = lab();
    let head = created(&b.store, 3).await;
    record_whole(&b.store, &head, 70_000).await;

    let live = b.store.run(head.id).await.unwrap();
    assert_eq!(b.store.status(head.id).await.unwrap().source, Source::Live);
    let report = Keeper::new(b.store.clone(), KeeperOptions::default()).walk().await.unwrap();
    assert_eq!((report.archived, report.expired, report.errors.len()), (1, 1, 0), "{report:?}");

    let status = b.store.status(head.id).await.unwrap();
    assert_eq!((status.source, status.head.state()), (Source::Archive, &RunState::Succeeded));
    let archived = b.store.run(head.id).await.unwrap();
    assert_eq!(live, archived);
    for channel in 0..3 {
        let series = &archived.series[channel as usize];
        assert!(series.gaps.is_empty());
        let expected = values(head.id, channel, 0..70_000);
        assert!(series.values.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!(series.values.len(), expected.len());
    }
    assert_eq!(archived.logs.last().unwrap().text, "two\nlines\u{2028}in\0one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_everything_once_and_the_end_last() {
    let b = lab();
    let head = created(&b.store, 2).await;
    let mut follower = b.store.follow(head.id, Select::default());
    let recording = tokio::spawn({
        let (store, head) = (b.store.clone(), head.clone());
        async move { record_whole(&store, &head, 20_000).await }
    });
    let (mut lines, mut next, mut states) = (0, [0_u64; 2], Vec::new());
    while let Some(event) = follower.next().await.unwrap() {
        match event {
            Event::Lines(slice) => {
                assert_eq!(slice.first, lines);
                lines = slice.end();
            }
            Event::Samples { channel, series } => {
                assert_eq!(series.first, next[channel as usize]);
                next[channel as usize] = series.end;
                assert_eq!(series.values, values(head.id, channel, series.first..series.end));
            }
            Event::State(_, change) => states.push(change.state),
            Event::Ended(state) => {
                assert_eq!(state, RunState::Succeeded);
                assert_eq!((next, lines), ([20_000, 20_000], 30));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(states, [RunState::Queued, RunState::InProgress, RunState::Succeeded]);
    recording.await.unwrap();
}
