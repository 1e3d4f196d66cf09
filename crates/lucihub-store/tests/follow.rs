//! Followers: nothing missed, nothing twice, states last, the end at the end.

use std::time::Duration;

use futures_util::TryStreamExt;
use lucihub_models_core::{
    Cursor, Gap, GapCause, JobType, LogLine, Phase, PhaseChange, Positions, Run, RunState, Series, StoreError,
    Timestamp,
};
use lucihub_store::follow::Channels;
use lucihub_store::record::End;
use lucihub_store::{Event, Follower, Keeper, KeeperOptions, Select, Store};
use lucihub_testkit::{Dice, FaultPlan};
use proptest::prelude::*;

use crate::lab::{begin_small, created, eager, end_small, lab, record_some, small, values};

/// All that a follower was told, in its place.
#[derive(Debug, Default)]
struct Told {
    lines: Vec<LogLine>,
    series: Vec<Series>,
    states: Vec<RunState>,
    phases: u64,
    rewound: u64,
    ended: Option<RunState>,
}

impl Told {
    fn take(&mut self, event: Event) {
        assert!(self.ended.is_none(), "after the end: {event:?}");
        match event {
            Event::Lines(slice) => {
                assert_eq!(slice.first, self.lines.len() as u64, "a line missed or twice");
                assert!(!slice.lines.is_empty());
                self.lines.extend(slice.lines);
            }
            Event::Samples { channel, series } => {
                let channel = channel as usize;
                if self.series.len() <= channel {
                    self.series.resize_with(channel + 1, Series::default);
                }
                assert_eq!(series.first, self.series[channel].end, "a sample missed or twice");
                assert!(series.end > series.first);
                self.series[channel].append(&series);
            }
            Event::Phase(number, _) => {
                assert_eq!(number, self.phases);
                self.phases += 1;
            }
            Event::State(number, change) => {
                assert_eq!(number, self.states.len() as u64);
                self.states.push(change.state);
            }
            Event::Rewound(to) => {
                self.rewound += 1;
                self.lines.truncate(usize::try_from(to.lines).unwrap());
                for (channel, series) in (0..).zip(&mut self.series) {
                    *series = series.slice(0..to.sample(channel));
                }
                self.states.truncate(usize::try_from(to.states).unwrap());
                self.phases = to.phases;
            }
            Event::Ended(state) => {
                assert_eq!(self.states.last(), Some(&state));
                self.ended = Some(state);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Takes what comes until nothing has come for a while; `true` at the end.
    async fn take_all(&mut self, follower: &mut Follower) -> bool {
        loop {
            match tokio::time::timeout(Duration::from_secs(3), follower.next()).await {
                Ok(Ok(Some(event))) => self.take(event),
                Ok(Ok(None)) => return true,
                Ok(Err(error)) => panic!("{error}"),
                Err(_) => return false,
            }
        }
    }

    fn check(&self, run: &Run) {
        assert_eq!(self.lines, run.logs);
        assert_eq!(self.series, run.series);
        assert_eq!(self.states.len(), run.head.states.len());
        assert_eq!(self.phases, run.head.phases.len() as u64);
        assert_eq!(self.ended.as_ref(), Some(run.head.state()));
    }
}

/// Stops a follower and goes on from the text of its cursor.
fn resumed(store: &Store, follower: &Follower) -> Follower {
    let text = follower.cursor().to_string();
    store.follow_from(text.parse::<Cursor>().unwrap(), Select::default())
}

fn paused(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// A run is recorded, trimmed, lost and put back, archived and let go of, while
    /// a follower takes a few events now and then and is stopped and resumed.
    #[test]
    fn nothing_is_missed_and_nothing_comes_twice(seed in any::<u64>()) {
        paused(async {
            let (lab, dice) = (lab(), Dice::new(seed));
            let run = small(&lab.store, 2).await.id;
            let (mut told, mut follower) = (Told::default(), lab.store.follow(run, Select::default()));
            let recorder = lab.store.record(run, "worker").await.unwrap();
            let mut at = 0;
            for step in 0..30 {
                match dice.below(8) {
                    0 => drop(lab.walk(eager()).await),
                    // It is back, and refilled, before anybody looks.
                    1 if lab.hot.lose(run) => {
                        recorder.log("lost").await.unwrap();
                        recorder.flush().await.unwrap();
                    }
                    2 => recorder.phase(PhaseChange::new(Phase::Op, Timestamp::EPOCH)).await.unwrap(),
                    3 => recorder.gap(1, at + 10, GapCause::Device).await.unwrap(),
                    _ => {
                        let until = at + 1 + dice.below(400);
                        record_some(&recorder, 2, at..until, 90).await;
                        at = until;
                    }
                }
                if step == 5 {
                    recorder.state(RunState::InProgress).await.unwrap();
                }
                if dice.one_in(2) {
                    recorder.flush().await.unwrap();
                }
                for _ in 0..dice.below(6) {
                    if let Ok(event) = tokio::time::timeout(Duration::from_millis(30), follower.next()).await {
                        told.take(event.unwrap().unwrap());
                    }
                    if dice.one_in(3) {
                        follower = resumed(&lab.store, &follower);
                    }
                }
            }
            recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
            if dice.one_in(2) {
                told.take(follower.next().await.unwrap().unwrap());
            }
            lab.walk(eager().with_grace(Duration::ZERO)).await;
            assert!(told.take_all(&mut follower).await);
            let (whole, _) = lab.archived(run).await;
            told.check(&whole);
            assert_eq!(told.rewound, 0);
            // From the beginning, in the archive, event by event with a new follower for each.
            let (mut told, mut follower) = (Told::default(), lab.store.follow(run, Select::default()));
            while let Some(event) = follower.next().await.unwrap() {
                told.take(event);
                follower = match told.ended {
                    Some(_) => follower,
                    None => resumed(&lab.store, &follower),
                };
            }
            told.check(&whole);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_of_a_queued_run_waits() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let (mut told, mut follower) = (Told::default(), lab.store.follow(run, Select::default()));
    assert!(!told.take_all(&mut follower).await);
    assert_eq!(told.states, [RunState::Queued]);
    assert!(!told.take_all(&mut follower).await);
    end_small(&begin_small(&lab.store, run).await).await;
    assert!(told.take_all(&mut follower).await);
    told.check(&lab.store.run(run).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_slow_follower_gets_all_of_it_from_the_archive_with_the_states_last() {
    let lab = lab();
    // More events than one look prepares.
    let head = small(&lab.store, 150).await;
    let mut follower = lab.store.follow(head.id, Select::default());
    crate::lab::record_whole(&lab.store, &head, 1_500).await;
    lab.walk(eager().with_grace(Duration::ZERO)).await;
    let mut told = Told::default();
    while let Some(event) = follower.next().await.unwrap() {
        if matches!(event, Event::State(..)) {
            assert_eq!((told.series.len(), told.lines.len()), (150, 4));
            assert!(told.series.iter().all(|series| series.end == 1_500));
        }
        told.take(event);
    }
    told.check(&lab.archived(head.id).await.0);
    assert!(follower.next().await.unwrap().is_none(), "and stays at its end");
}

#[tokio::test(start_paused = true)]
async fn a_follower_rewinds_when_the_store_fell_behind_it() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    record_some(&recorder, 2, 1_900..2_500, 100).await;
    recorder.flush().await.unwrap();
    let (mut told, mut follower) = (Told::default(), lab.store.follow(run, Select::default()));
    assert!(!told.take_all(&mut follower).await);
    assert_eq!((told.lines.len(), told.series[0].end), (25, 2_500));
    // Neither hot storage nor the worker comes back.
    drop(recorder);
    tokio::time::sleep(Duration::from_secs(120)).await;
    lab.hot.lose(run);
    assert!(!told.take_all(&mut follower).await, "nothing is decided yet");
    assert_eq!(told.rewound, 0);
    lab.walk(eager().with_lost_patience(Duration::ZERO)).await;
    lab.walk(eager()).await;
    assert!(told.take_all(&mut follower).await);
    assert_eq!(told.rewound, 1);
    let (whole, _) = lab.archived(run).await;
    assert_eq!(told.lines, whole.logs);
    // What it had beyond the checkpoint is what nobody else will have any more.
    assert_eq!(told.series[0].gaps, [Gap::new(2_500..4_000, GapCause::Store)]);
    assert_eq!(told.series[0].values, values(run, 0, 0..2_500));
    assert_eq!(told.ended, Some(RunState::Failed));
}

#[tokio::test(start_paused = true)]
async fn hot_storage_away_for_a_while_is_no_reason_to_rewind() {
    let lab = lab();
    let plan = FaultPlan::none();
    let store = lab.split(&plan, &FaultPlan::none());
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    record_some(&recorder, 2, 1_900..2_500, 100).await;
    recorder.flush().await.unwrap();
    let (mut told, mut follower) = (Told::default(), store.follow(run, Select::default()));
    assert!(!told.take_all(&mut follower).await);
    plan.go_down();
    assert!(!told.take_all(&mut follower).await);
    let mut fresh = Told::default();
    assert!(!fresh.take_all(&mut store.follow(run, Select::default())).await);
    assert_eq!((fresh.lines.len(), fresh.series[0].end), (19, 1_900), "a new one gets the checkpoint");
    plan.mend();
    record_some(&recorder, 2, 2_500..4_000, 100).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    assert!(told.take_all(&mut follower).await);
    assert_eq!(told.rewound, 0);
    told.check(&lab.store.run(run).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_error_leaves_a_follower_where_it_is() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    lab.walk(KeeperOptions::default()).await;
    let (whole, _) = lab.archived(run).await;
    let counted = FaultPlan::none();
    let mut follower = lab.split(&FaultPlan::none(), &counted).follow(run, Select::default());
    assert!(Told::default().take_all(&mut follower).await);
    for n in 1..=counted.operations() {
        let plan = FaultPlan::none().fail_nth(n);
        let mut follower = lab.split(&FaultPlan::none(), &plan).follow(run, Select::default());
        let (mut told, mut errors) = (Told::default(), 0);
        loop {
            match follower.next().await {
                Ok(Some(event)) => told.take(event),
                Ok(None) => break,
                Err(_) => errors += 1,
            }
        }
        assert_eq!(errors, 1, "operation {n}");
        told.check(&whole);
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_gets_what_it_selected_and_its_cursor_covers_the_rest() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    recorder.phase(PhaseChange::new(Phase::Op, Timestamp::EPOCH)).await.unwrap();
    end_small(&recorder).await;
    let whole = lab.store.run(run).await.unwrap();
    let end = lab.store.status(run).await.unwrap().positions;
    let events = async |select: Select| {
        let mut follower = lab.store.follow(run, select);
        let mut told = Told::default();
        assert!(told.take_all(&mut follower).await);
        assert_eq!(follower.cursor().at, end);
        told
    };
    let logs = events(Select::logs()).await;
    assert_eq!((logs.lines.len(), logs.series.len(), logs.states.len(), logs.phases), (33, 0, 3, 0));
    let mut one = Select::default().with_channels(Channels::Only(vec![1, 7]));
    one.lines = false;
    let one = events(one).await;
    assert_eq!((one.lines.len(), one.series[0].end, one.phases), (0, 0, 1));
    assert_eq!(one.series[1], whole.series[1]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_exist_is_not_followed() {
    let lab = lab();
    let nobody = lab.store.new_run(JobType::Run).id;
    let error = lab.store.follow(nobody, Select::default()).next().await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");

    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    let (mut told, mut follower) = (Told::default(), lab.store.follow(run, Select::default()));
    assert!(!told.take_all(&mut follower).await);
    lab.store.delete(run, true).await.unwrap();
    let error = follower.next().await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_ends_with_the_end() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    let cursor = Cursor::new(run, Positions { lines: 30, ..Positions::default() });
    let events: Vec<Event> = lab.store.follow_from(cursor, Select::logs()).into_stream().try_collect().await.unwrap();
    assert!(matches!(&events[0], Event::Lines(slice) if slice.first == 30 && slice.end() == 33));
    assert_eq!(events.last(), Some(&Event::Ended(RunState::Succeeded)));
    assert_eq!(events.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_join_the_snapshot_without_a_seam() {
    let b = lab();
    let head = created(&b.store, 1).await;
    let recorder = b.store.record(head.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    for width in [4_u64, 2_048] {
        let begin = recorder.next().sample(0);
        record_some(&recorder, 1, begin..begin + 5_003, 700).await;
        recorder.flush().await.unwrap();
        let located = b.store.locate(head.id).await.unwrap();
        let at = located.positions().clone();
        let most = usize::try_from(at.sample(0).div_ceil(width)).unwrap();
        let mut plot = b.store.envelope_at(&located, 0, 0..u64::MAX, most).await.unwrap().coarser(width);

        // From the snapshot on, in steps that end inside a bucket, checkpointed on the way.
        let select = Select::default().with_buckets(width);
        let mut follower = b.store.follow_from(Cursor::new(head.id, at.clone()), select);
        let mut end = at.sample(0);
        for step in [1, 1_500, 3_333] {
            record_some(&recorder, 1, end..end + step, 700).await;
            recorder.flush().await.unwrap();
            end += step;
            let options = KeeperOptions::default().with_checkpoint(Duration::ZERO, 0);
            Keeper::new(b.store.clone(), options).walk().await.unwrap();
            while plot.end < end {
                if let Some(Event::Buckets { envelope, .. }) = follower.next().await.unwrap() {
                    plot.join(&envelope);
                }
            }
        }
        let located = b.store.locate(head.id).await.unwrap();
        let most = usize::try_from(end.div_ceil(width)).unwrap();
        let whole = b.store.envelope_at(&located, 0, 0..u64::MAX, most).await.unwrap().coarser(width);
        assert_eq!(plot, whole, "width {width}");
    }
}
