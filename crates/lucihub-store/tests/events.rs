//! What happened to a run is told, once, and outlives hot storage; and nothing ever waits for a note.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::cold::{ColdEvents, ColdRuns};
use lucihub_models_core::hot::HotEvents;
use lucihub_models_core::{JobType, Limits, RunId, RunState, StoreEvent, StoreEventKind};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, RecordOptions, Store};
use lucihub_testkit::FaultPlan;
use lucihub_testkit::models::store_event;
use lucihub_testkit::reference::cold::ReferenceCold;

use crate::lab::{Lab, begin_small, eager, end_small, full_lab, lab, record_some, small};

fn kinds(events: &[StoreEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// The one event of a kind.
fn only(events: &[StoreEvent], kind: &StoreEventKind) -> StoreEvent {
    let found: Vec<_> = events.iter().filter(|event| event.kind == *kind).collect();
    assert_eq!(found.len(), 1, "{kind} in {:?}", kinds(events));
    found[0].clone()
}

/// The events of a run, once hot storage has one of this kind.
async fn until(lab: &Lab, run: RunId, kind: &StoreEventKind) -> Vec<StoreEvent> {
    let noted = async {
        loop {
            let events = lab.store.events(run).await.unwrap();
            if events.iter().any(|event| event.kind == *kind) {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), noted).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_event_survives_hot_storage_that_is_emptied_after_a_keeper_came_by() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    until(&lab, run, &StoreEventKind::TakenOver).await;
    assert_eq!(lab.cold.events(run).await.unwrap(), [], "nobody has carried it yet");
    lab.walk(eager()).await;
    assert!(lab.hot.lose(run));
    let events = lab.store.events(run).await.unwrap();
    let event = only(&events, &StoreEventKind::TakenOver);
    assert_eq!(event.by.as_deref(), Some("worker"));
    assert_eq!(event.text.as_deref(), Some("epoch 1; goes on at line 0, sample 0"));
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_puts_its_run_back_tells_all_it_told_again() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    until(&lab, run, &StoreEventKind::TakenOver).await;
    assert!(lab.hot.lose(run));
    record_some(&recorder, 2, 1_900..2_000, 100).await;
    recorder.flush().await.unwrap();
    let events = until(&lab, run, &StoreEventKind::Restored).await;
    only(&events, &StoreEventKind::TakenOver);
    let text = only(&events, &StoreEventKind::Restored).text.unwrap();
    assert!(
        text.starts_with("hot storage had lost it; put back at line 0, sample 0, ") && text.contains("batch"),
        "{text}"
    );
    assert!(events.iter().all(|event| event.kind != StoreEventKind::StoreLost), "all of it was refilled");
    record_some(&recorder, 2, 2_000..4_000, 150).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    lab.walk(KeeperOptions::default()).await;
    let kept = lab.cold.events(run).await.unwrap();
    assert_eq!(kinds(&kept).len(), 3, "{:?}", kinds(&kept));
    let archived = only(&kept, &StoreEventKind::Archived);
    let digest = lab.store.status(run).await.unwrap().archived.unwrap().digest.to_string();
    assert!(archived.by.as_deref() == Some("keeper") && archived.text.unwrap().ends_with(&digest));
}

#[tokio::test(start_paused = true)]
async fn what_the_replay_buffer_no_longer_has_is_told_as_lost() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let options = RecordOptions::default().with_replay(0, Duration::ZERO);
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 2, 0..500, 100).await;
    recorder.flush().await.unwrap();
    assert!(lab.hot.lose(run));
    record_some(&recorder, 2, 500..600, 100).await;
    recorder.flush().await.unwrap();
    let events = until(&lab, run, &StoreEventKind::StoreLost).await;
    let text = only(&events, &StoreEventKind::StoreLost).text.unwrap();
    assert_eq!(text, "5 log lines and 1000 samples that only hot storage had, before line 5, sample 500");
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_250_events_keeps_the_last_200() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let all: Vec<_> = (0..250).map(store_event).collect();
    let keeper = Keeper::new(lab.store.clone(), eager());
    for part in all.chunks(50) {
        assert!(lab.hot.note(run, part).await.unwrap());
        crate::lab::clean_walk(&keeper).await;
        lab.clock.advance(Duration::from_secs(1));
    }
    for kept in [lab.store.events(run).await.unwrap(), lab.cold.events(run).await.unwrap()] {
        assert_eq!(kept, all[50..]);
    }
    assert!(lab.hot.lose(run));
    assert_eq!(lab.store.events(run).await.unwrap(), all[50..]);
}

#[tokio::test(start_paused = true)]
async fn a_keeper_writes_events_only_where_there_are_new_ones() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let plan = FaultPlan::none();
    let keeper = Keeper::new(lab.faulty(&plan), eager());
    let written = || plan.log().iter().filter(|name| *name == "cold.add_events").count();
    for (number, expected) in [(0, 1), (0, 1), (1, 2), (1, 2)] {
        assert!(lab.hot.note(run, &[store_event(number)]).await.unwrap());
        crate::lab::clean_walk(&keeper).await;
        assert_eq!(written(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_events_stands_between_the_end_of_a_run_and_its_commit() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    until(&lab, run, &StoreEventKind::TakenOver).await;
    let plan = FaultPlan::none();
    crate::lab::clean_walk(&Keeper::new(lab.faulty(&plan), eager())).await;
    let log = plan.log();
    let place = |name: &str| log.iter().position(|done| done == name).unwrap();
    let (commit, read, added) = (place("cold.commit"), place("hot.events"), place("cold.add_events"));
    let (expire, release) = (place("hot.expire"), place("cold.release"));
    assert!(commit < read && read < added && added < expire && expire < release, "{log:?}");
    assert_eq!(log.iter().filter(|name| name.ends_with("events")).count(), 2, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn notes_whose_answers_are_lost_are_not_doubled() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    // Each answer is lost: the first one is that of the take-over.
    let plan = (2..60).fold(FaultPlan::none(), FaultPlan::lose_nth);
    let recorder = lab.split(&plan, &FaultPlan::none()).record(run, "worker").await.unwrap();
    until(&lab, run, &StoreEventKind::TakenOver).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let notes = plan.log().iter().filter(|name| *name == "hot.note").count();
    assert!(notes > 5, "it was sent again: {:?}", plan.log());
    assert_eq!(kinds(&lab.store.events(run).await.unwrap()), ["taken_over"]);
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn no_append_waits_for_a_note() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let plan = FaultPlan::none();
    plan.hang("hot.note");
    let store = lab.split(&plan, &FaultPlan::none());
    let begun = tokio::time::Instant::now();
    end_small(&begin_small(&store, run).await).await;
    assert!(plan.log().iter().any(|name| name == "hot.note") && plan.injected() > 0);
    assert!(begun.elapsed() < Duration::from_secs(1), "by a clock that moves only while all wait");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_run_never_gets_events_again() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    until(&lab, run, &StoreEventKind::TakenOver).await;
    lab.walk(eager()).await;
    assert!(lab.store.delete(run, true).await.unwrap());
    recorder.log("late").await.unwrap();
    recorder.flush().await.unwrap_err();
    assert!(!lab.hot.note(run, &[store_event(1)]).await.unwrap());
    assert!(!lab.cold.add_events(run, &[store_event(1)]).await.unwrap());
    drop(recorder);
    tokio::time::sleep(Duration::from_secs(30)).await;
    lab.walk(eager()).await;
    assert_eq!(lab.store.events(run).await.unwrap(), []);
    assert_eq!((lab.hot.events(run).await.unwrap(), lab.cold.events(run).await.unwrap()), (None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn one_storage_is_enough_to_read_them() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    drop(begin_small(&lab.store, run).await);
    until(&lab, run, &StoreEventKind::TakenOver).await;
    lab.walk(eager()).await;
    let (away, there) = (FaultPlan::none().down(1..u64::MAX), FaultPlan::none());
    let both = lab.store.events(run).await.unwrap();
    assert_eq!(kinds(&both), ["taken_over"]);
    assert_eq!(lab.split(&away, &there).events(run).await.unwrap(), both);
    assert_eq!(lab.split(&there, &away).events(run).await.unwrap(), both);
    assert!(lab.split(&away, &away).events(run).await.is_err());
}

/// Records into a store that fails by a plan, which is mended after a while.
async fn through_an_outage(lab: &Lab, store: &Store, plan: &FaultPlan, run: RunId, lasts: Duration) {
    let recorder = begin_small(store, run).await;
    plan.go_down();
    recorder.log("meanwhile").await.unwrap();
    tokio::time::sleep(lasts).await;
    lab.clock.advance(lasts);
    plan.mend();
    recorder.flush().await.unwrap();
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once_and_a_short_one_not_at_all() {
    for (lasts, told) in [(Duration::from_millis(300), false), (Duration::from_secs(200), true)] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let plan = FaultPlan::none();
        let store = lab.split(&plan, &FaultPlan::none());
        through_an_outage(&lab, &store, &plan, run, lasts).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        let events = lab.store.events(run).await.unwrap();
        if told {
            let text = only(&events, &StoreEventKind::Unreachable).text.unwrap();
            assert!(text.starts_with("20") && text.ends_with(" s without an answer of hot storage"), "{text}");
        } else {
            assert_eq!(kinds(&events), ["taken_over"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_late_is_told() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.clock.advance(Duration::from_secs(67));
    let events = until(&lab, run, &StoreEventKind::RenewedLate).await;
    let text = only(&events, &StoreEventKind::RenewedLate).text.unwrap();
    assert_eq!(text, "7.0 s after the lease had run out; nobody had taken the run over");
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_is_told_once_there_is_some() {
    let lab = full_lab(Some(40_000));
    let run = small(&lab.store, 1).await.id;
    let options = RecordOptions::default().with_batch(1_000, Duration::from_millis(5));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    record_some(&recorder, 1, 0..6_000, 50).await;
    let flushing = recorder.flush();
    tokio::pin!(flushing);
    tokio::time::timeout(Duration::from_secs(30), &mut flushing).await.expect_err("48 kB do not fit");
    lab.walk(eager()).await;
    tokio::time::timeout(Duration::from_secs(30), flushing).await.expect("there is room").unwrap();
    let events = until(&lab, run, &StoreEventKind::StoreFull).await;
    let text = only(&events, &StoreEventKind::StoreFull).text.unwrap();
    assert!(text.starts_with("30.") && text.ends_with(" s without room in hot storage"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_old_writer_tells_that_it_was_fenced_and_a_keeper_that_it_ended_the_run() {
    let lab = lab();
    let (taken, dead) = (small(&lab.store, 2).await.id, crate::lab::small_head(1));
    let old = begin_small(&lab.store, taken).await;
    lab.clock.advance(Duration::from_secs(61));
    let new = lab.store.record(taken, "worker-2").await.unwrap();
    old.log("late").await.unwrap();
    old.flush().await.unwrap_err();
    let events = until(&lab, taken, &StoreEventKind::Fenced).await;
    assert_eq!(only(&events, &StoreEventKind::Fenced).by.as_deref(), Some("worker"));
    let took: Vec<_> = events.iter().filter(|event| event.kind == StoreEventKind::TakenOver).collect();
    assert_eq!(took.len(), 2, "{:?}", kinds(&events));
    drop((old, new));

    let mut dead = dead;
    dead.id = lab.store.new_run(JobType::Run).id;
    lab.store.create(&dead).await.unwrap();
    drop(lab.store.record(dead.id, "worker-3").await.unwrap());
    lab.clock.advance(Duration::from_secs(61));
    lab.walk(eager()).await;
    let kept = lab.cold.events(dead.id).await.unwrap();
    let text = only(&kept, &StoreEventKind::EndedByKeeper).text.unwrap();
    assert!(text.starts_with("worker-3 stopped answering: its lease ran out at "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn keepers_tell_what_they_brought_and_what_they_put_back() {
    let lab = lab();
    let head = crate::lab::small_head(2);
    let hot_away = FaultPlan::none().down(1..u64::MAX);
    lab.split(&hot_away, &FaultPlan::none()).create(&head).await.unwrap_err();
    lab.walk(eager()).await;
    only(&lab.store.events(head.id).await.unwrap(), &StoreEventKind::Opened);
    drop(begin_small(&lab.store, head.id).await);
    lab.walk(eager()).await;
    assert!(lab.hot.lose(head.id));
    lab.walk(eager().with_lost_patience(Duration::ZERO)).await;
    lab.walk(eager()).await;
    let kept = lab.cold.events(head.id).await.unwrap();
    let text = only(&kept, &StoreEventKind::Rescued).text.unwrap();
    assert_eq!(text, "hot storage lost the run and its worker did not put it back; ended at line 19, sample 1900");
}

#[tokio::test(start_paused = true)]
async fn why_the_end_of_a_run_was_asked_for_is_kept_however_often_it_is_asked() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    for reason in ["too hot", "too hot", "smoke"] {
        lab.store.cancel(run, Some(reason)).await.unwrap();
    }
    let events = lab.store.events(run).await.unwrap();
    let asked = events.iter().filter(|event| event.kind == StoreEventKind::CancelRequested);
    let mut reasons: Vec<_> = asked.filter_map(|event| event.text.as_deref()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["smoke", "too hot"]);
    drop(recorder);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_events_keeps_no_run_from_being_archived() {
    let lab = lab();
    let mut limits = Limits::default();
    limits.event_bytes = 1;
    let cold = Arc::new(ReferenceCold::new(lab.clock.clone()).with_limits(limits));
    let store = Store::builder(lab.hot.clone(), cold.clone()).clock(lab.clock.clone()).build();
    let run = small(&store, 2).await.id;
    end_small(&begin_small(&store, run).await).await;
    crate::lab::clean_walk(&Keeper::new(store.clone(), eager())).await;
    assert!(store.status(run).await.unwrap().archived.is_some());
    assert_eq!(cold.pending(None, 10).await.unwrap(), []);
    assert_eq!(
        (cold.events(run).await.unwrap(), kinds(&store.events(run).await.unwrap())),
        (vec![], vec!["taken_over"])
    );
}
