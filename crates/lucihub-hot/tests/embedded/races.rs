//! Many threads at once: one winner, whole batches, nothing lost.

use std::sync::Barrier;
use std::thread;

use lucihub_models_core::hot::{Cancelled, HotAppend, HotRuns, HotSamples, HotWatch, Opened, Outcome, TookOver};
use lucihub_models_core::{RunState, WriterId};
use lucihub_testkit::models::{ending_in, lines_body, run_head, run_id, sample_value, samples_body, state_body};

use crate::embedded::bench::{Bench, LEASE, Worker, at_once, request};

#[test]
fn of_take_over_and_cancel_exactly_one_wins() {
    const RACES: u64 = 1_000;
    let bench = Bench::new();
    for race in 0..RACES {
        at_once(bench.hot.open(&run_head(race))).unwrap();
    }
    let barrier = Barrier::new(2);
    let (took, cancelled): (Vec<TookOver>, Vec<Cancelled>) = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            (0..RACES)
                .map(|race| {
                    barrier.wait();
                    at_once(bench.hot.take_over(&request(run_id(race), 1))).unwrap()
                })
                .collect()
        });
        let api = scope.spawn(|| {
            (0..RACES)
                .map(|race| {
                    barrier.wait();
                    at_once(bench.hot.cancel(run_id(race), Some("the user asked"))).unwrap()
                })
                .collect()
        });
        (worker.join().unwrap(), api.join().unwrap())
    });
    for (race, (took, cancelled)) in (0..).zip(took.iter().zip(&cancelled)) {
        let run = bench.get(run_id(race));
        match (took, cancelled) {
            (TookOver::Taken(_), Cancelled::Requested) => {
                assert!(run.seal.is_none() && run.cancel && run.is_held(), "race {race}");
            }
            (TookOver::Cancelled, Cancelled::Cancelled) => {
                assert_eq!(run.head.state(), &RunState::Cancelled, "race {race}");
                assert!(run.seal.is_some() && run.lease.is_none(), "race {race}");
            }
            both => panic!("race {race}: {both:?}"),
        }
    }
}

#[test]
fn two_workers_get_one_run_once() {
    let bench = Bench::new();
    let barrier = Barrier::new(2);
    for race in 0..200 {
        at_once(bench.hot.open(&run_head(race))).unwrap();
        let took = thread::scope(|scope| {
            let try_it = |writer| {
                let (bench, barrier) = (&bench, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    at_once(bench.hot.take_over(&request(run_id(race), writer))).unwrap()
                })
            };
            let (a, b) = (try_it(1), try_it(2));
            [a.join().unwrap(), b.join().unwrap()]
        });
        let taken = took.iter().filter(|t| matches!(t, TookOver::Taken(_))).count();
        let held = took.iter().filter(|t| matches!(t, TookOver::Held { .. })).count();
        assert_eq!((taken, held), (1, 1), "race {race}: {took:?}");
    }
}

/// Appends to one run from start to end, and reads every sample back.
fn live(bench: &Bench, seed: u64) {
    let run = run_id(seed);
    assert_eq!(at_once(bench.hot.open(&run_head(seed))).unwrap(), Opened::Created);
    let mut worker: Worker = bench.take_over(run, u128::from(seed) + 1);
    worker.put(state_body([RunState::InProgress]));
    for step in 0..10 {
        let range = step * 20..(step + 1) * 20;
        worker.put(samples_body(run, (0..4).map(|channel| (channel, range.clone()))));
        worker.put(lines_body([format!("step {step}")]));
    }
    worker.put(ending_in(lines_body(["done"]), RunState::Succeeded));
    for channel in 0..4 {
        let series = at_once(bench.hot.window(run, channel, 0..u64::MAX)).unwrap().unwrap();
        let expected: Vec<f64> = (0..200).map(|index| sample_value(run, channel, index)).collect();
        assert_eq!(series.values, expected);
    }
    assert_eq!(bench.get(run).next.lines, 11);
}

#[test]
fn a_thousand_runs_live_from_eight_threads() {
    const THREADS: u64 = 8;
    let bench = Bench::new();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (bench, barrier) = (&bench, &barrier);
            scope.spawn(move || {
                barrier.wait();
                (thread..1_000).step_by(8).for_each(|seed| live(bench, seed));
            });
        }
    });
    let used = bench.used();
    assert!(used > 1_000 * 4 * 200 * 8, "all samples are counted: {used}");
    for seed in 0..1_000 {
        assert!(at_once(bench.hot.expire(run_id(seed), LEASE)).unwrap());
    }
    bench.clock.advance(LEASE);
    assert_eq!(bench.used(), 0);
}

#[test]
fn concurrent_retries_of_one_batch_apply_once() {
    let bench = Bench::new();
    let mut worker = bench.started(1);
    for round in 0..100 {
        let batch = worker.batch(lines_body([format!("round {round}")]));
        let barrier = Barrier::new(4);
        let outcomes: Vec<Outcome> = thread::scope(|scope| {
            let send = || {
                barrier.wait();
                at_once(bench.hot.append(&batch)).unwrap().outcome
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let applied = outcomes.iter().filter(|o| **o == Outcome::Applied).count();
        let duplicate = outcomes.iter().filter(|o| **o == Outcome::Duplicate).count();
        assert_eq!((applied, duplicate), (1, 3), "{outcomes:?}");
        worker.seq += 1;
    }
    assert_eq!(bench.get(run_id(1)).next.lines, 100);
}

#[test]
fn a_reader_sees_whole_batches() {
    let bench = Bench::new();
    let mut worker = bench.started(1);
    let run = worker.run;
    thread::scope(|scope| {
        scope.spawn(move || {
            for step in 0..2_000_u64 {
                let mut body = samples_body(run, (0..4).map(|channel| (channel, step * 7..step * 7 + 7)));
                body.lines = lines_body([format!("{step}")]).lines;
                worker.put(body);
            }
        });
        loop {
            let hot = bench.get(run);
            let next = &hot.next;
            assert!((0..4).all(|channel| next.sample(channel) == 7 * next.lines), "torn: {next:?}");
            let series = at_once(bench.hot.window(run, 3, 0..next.sample(3))).unwrap().unwrap();
            assert_eq!(series.end, next.sample(3));
            if next.lines == 2_000 {
                break;
            }
        }
    });
    assert!(at_once(bench.hot.health()).unwrap().fill() > 0.0);
}

#[test]
fn threads_that_fill_the_store_never_pass_its_room() {
    let options = lucihub_hot::embedded::EmbeddedOptions::default().with_max_bytes(300_000);
    let bench = Bench::with(options);
    let heads: Vec<_> = (0..8).map(run_head).collect();
    let workers: Vec<Worker> = heads.iter().map(|head| bench.start(head)).collect();
    let barrier = Barrier::new(8);
    let sent: u64 = thread::scope(|scope| {
        let fill = |mut worker: Worker| {
            let (bench, barrier) = (&bench, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let mut sent = 0;
                loop {
                    let body = samples_body(worker.run, [(0, sent * 50..(sent + 1) * 50)]);
                    match worker.send(body) {
                        Outcome::Applied => sent += 1,
                        Outcome::Full => break sent,
                        other => panic!("{other:?}"),
                    }
                    assert!(bench.used() <= 300_000);
                }
            })
        };
        let threads: Vec<_> = workers.into_iter().map(fill).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(sent * 400 > 200_000, "most of the room was used: {sent} batches");
    let stored: u64 = (0..8).map(|n| bench.get(run_id(n)).next.sample(0)).sum();
    assert_eq!(stored, sent * 50, "a refused batch left nothing");
    assert_eq!(WriterId::from_bits(1), bench.get(run_id(0)).lease.unwrap().mark.writer);
}
