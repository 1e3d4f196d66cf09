//! Take-over: one writer at a time, and positions that go on.

use std::sync::Arc;

use lucihub_models_core::hot::{Cancelled, Outcome, Seal, TookOver};
use lucihub_models_core::{IdSource, Positions, RunState};
use tokio::sync::Barrier;

use super::stage::{LEASE, Stage, assert_lasts, taken};
use crate::harness::HotHarness;
use crate::models::{lines_body, samples_body, state_body};

/// The first writer of a run begins at its beginning.
pub async fn the_first_writer_begins(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_first_writer_begins");
    let run = stage.open(2).await;
    let request = stage.request(run);
    let first = taken(stage.store.take_over(&request).await.unwrap());
    assert_eq!((first.mark.writer, first.mark.epoch, first.last_seq()), (request.writer, 1, 0));
    assert_eq!(first.run.next, Positions { states: 1, ..Positions::default() });
    let lease = first.run.lease.clone().unwrap();
    assert_eq!((&lease.worker, lease.mark), (&request.worker, first.mark));
    assert_lasts(lease.until, first.run.now, LEASE);
    assert!(first.run.is_held() && !first.run.cancel);
    for head in [&first.run.head, &stage.get(run).await.head] {
        assert_eq!(head.worker.as_ref(), Some(&request.worker));
        assert_eq!(head.state(), &RunState::Queued, "the worker writes the state, not the take-over");
    }
}

/// While a lease lives, another writer is told who has the run.
pub async fn a_living_lease_holds(h: &dyn HotHarness) {
    let stage = Stage::new(h, "a_living_lease_holds");
    let writer = stage.writer(1).await;
    h.advance(LEASE / 2).await;
    let answer = stage.store.take_over(&stage.request(writer.run)).await.unwrap();
    let TookOver::Held { by, until } = answer else { panic!("{answer:?}") };
    let run = stage.get(writer.run).await;
    assert_eq!((by, until), (writer.request.worker.clone(), run.lease.clone().unwrap().until));
    assert_eq!(run.lease.unwrap().mark, writer.mark);
}

/// The same writer goes on where it is, and gets its lease anew.
pub async fn the_same_writer_takes_over_again(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_same_writer_takes_over_again");
    let mut writer = stage.writer(2).await;
    writer.apply(lines_body(["one", "two"])).await;
    writer.apply(samples_body(writer.run, [(1, 0..50)])).await;
    for out in [false, true] {
        if out {
            stage.outlive_leases().await;
        }
        let again = taken(stage.store.take_over(&writer.request).await.unwrap());
        assert_eq!((again.mark, again.last_seq()), (writer.mark, 2));
        assert_eq!((again.run.next.lines, again.run.next.sample(0), again.run.next.sample(1)), (2, 0, 50));
        assert_lasts(again.run.lease.unwrap().until, again.run.now, LEASE);
    }
    let repeat = writer.batch_at(2, samples_body(writer.run, [(1, 0..50)]));
    assert_eq!(writer.send(&repeat).await.outcome, Outcome::Duplicate, "what it applied is still remembered");
    writer.apply(lines_body(["three"])).await;
}

/// Another writer gets the next epoch, the positions go on, and its batches count from 1.
pub async fn an_ended_lease_gives_way(h: &dyn HotHarness) {
    let stage = Stage::new(h, "an_ended_lease_gives_way");
    let mut old = stage.writer(1).await;
    old.apply(state_body([RunState::InProgress])).await;
    old.apply(samples_body(old.run, [(0, 0..100)])).await;
    old.apply(lines_body(["of the old one"])).await;
    stage.outlive_leases().await;
    let mut new = stage.take(old.run).await;
    assert_eq!((new.mark.epoch, new.seq), (old.mark.epoch + 1, 0));
    let run = stage.get(old.run).await;
    assert_eq!((run.next.states, run.next.lines, run.next.sample(0)), (2, 1, 100));
    assert_eq!(run.head.worker.as_ref(), Some(&new.request.worker));

    assert_eq!(old.send(&old.batch(lines_body(["late"]))).await.outcome, Outcome::Fenced);
    new.apply(samples_body(new.run, [(0, 100..150)])).await;
    assert_eq!(old.send(&old.batch_at(2, lines_body(["late"]))).await.outcome, Outcome::Fenced);
    let again = stage.store.take_over(&old.request).await.unwrap();
    assert!(matches!(again, TookOver::Held { .. }), "the old writer is another writer now: {again:?}");
    let kept = stage.store.window(new.run, 0, 0..1_000).await.unwrap().unwrap();
    assert_eq!((kept.first, kept.end, kept.gaps.len()), (0, 150, 0));
}

/// A writer that comes back after another one had the run gets a new epoch.
pub async fn coming_back_is_a_new_epoch(h: &dyn HotHarness) {
    let stage = Stage::new(h, "coming_back_is_a_new_epoch");
    let first = stage.writer(1).await;
    stage.outlive_leases().await;
    let mut second = stage.take(first.run).await;
    second.apply(lines_body(["one"])).await;
    stage.outlive_leases().await;
    let back = taken(stage.store.take_over(&first.request).await.unwrap());
    assert_eq!((back.mark.writer, back.mark.epoch, back.last_seq()), (first.mark.writer, second.mark.epoch + 1, 0));
    assert_eq!(first.send(&first.batch(lines_body(["stale"]))).await.outcome, Outcome::Fenced);
}

/// A run that has ended is nobody's any more, not even its writer's.
pub async fn ended_runs_are_not_taken_over(h: &dyn HotHarness) {
    let stage = Stage::new(h, "ended_runs_are_not_taken_over");
    let mut writer = stage.writer(1).await;
    writer.apply(state_body([RunState::InProgress, RunState::Succeeded])).await;
    stage.outlive_leases().await;
    for request in [stage.request(writer.run), writer.request.clone()] {
        let answer = stage.store.take_over(&request).await.unwrap();
        assert!(matches!(&answer, TookOver::Sealed(Seal::Ended(RunState::Succeeded))), "{answer:?}");
    }
}

/// A request to cancel outlives the writer that was asked.
pub async fn the_next_writer_learns_of_a_cancel(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_next_writer_learns_of_a_cancel");
    let mut old = stage.writer(1).await;
    old.apply(state_body([RunState::InProgress])).await;
    stage.store.cancel(old.run, None).await.unwrap();
    stage.outlive_leases().await;
    let next = taken(stage.store.take_over(&stage.request(old.run)).await.unwrap());
    assert!(next.run.cancel);
}

/// Of many writers that want a run at once, one gets it.
pub async fn one_of_many_writers_wins(h: &dyn HotHarness) {
    const WRITERS: usize = 8;
    let stage = Stage::new(h, "one_of_many_writers_wins");
    for _ in 0..10 {
        let run = stage.open(1).await;
        let gate = Arc::new(Barrier::new(WRITERS));
        let tasks: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (store, gate, request) = (Arc::clone(&stage.store), Arc::clone(&gate), stage.request(run));
                tokio::spawn(async move {
                    gate.wait().await;
                    store.take_over(&request).await.unwrap()
                })
            })
            .collect();
        let (mut winners, mut held) = (Vec::new(), 0);
        for task in tasks {
            match task.await.unwrap() {
                TookOver::Taken(taken) => winners.push(taken.mark),
                TookOver::Held { .. } => held += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((winners.len(), held), (1, WRITERS - 1));
        assert_eq!(stage.get(run).await.lease.unwrap().mark, winners[0]);
    }
}

/// Take-over and cancel of a queued run exclude each other: exactly one wins.
pub async fn take_over_and_cancel_exclude_each_other(h: &dyn HotHarness) {
    let stage = Stage::new(h, "take_over_and_cancel_exclude_each_other");
    for round in 0..100 {
        let run = stage.open(1).await;
        let gate = Arc::new(Barrier::new(2));
        let worker = {
            let (store, gate, request) = (Arc::clone(&stage.store), Arc::clone(&gate), stage.request(run));
            tokio::spawn(async move {
                gate.wait().await;
                store.take_over(&request).await.unwrap()
            })
        };
        let person = {
            let (store, gate) = (Arc::clone(&stage.store), Arc::clone(&gate));
            tokio::spawn(async move {
                gate.wait().await;
                store.cancel(run, None).await.unwrap()
            })
        };
        let kept = match (worker.await.unwrap(), person.await.unwrap()) {
            (TookOver::Taken(_), Cancelled::Requested) => (None, true),
            (TookOver::Cancelled, Cancelled::Cancelled) => (Some(Seal::Ended(RunState::Cancelled)), false),
            other => panic!("round {round}: both won or none did: {other:?}"),
        };
        let run = stage.get(run).await;
        assert_eq!(run.seal, kept.0);
        assert!(run.cancel || !kept.1, "the worker would never learn of the request");
    }
}

/// Writer ids decide, not worker names: two workers of one name are two writers.
pub async fn names_do_not_decide(h: &dyn HotHarness) {
    let stage = Stage::new(h, "names_do_not_decide");
    let writer = stage.writer(1).await;
    let mut twin = writer.request.clone();
    twin.writer = stage.ids.writer_id();
    assert!(matches!(stage.store.take_over(&twin).await.unwrap(), TookOver::Held { .. }));
    let mut renamed = writer.request.clone();
    renamed.worker = "another name".to_owned();
    let again = taken(stage.store.take_over(&renamed).await.unwrap());
    assert_eq!(again.mark, writer.mark);
    assert_eq!(again.run.head.worker.as_deref(), Some("another name"));
}
