//! How a lost run comes back.

use lucihub_models_core::hot::{HotAppend, HotLogs, HotSamples, Outcome, Restore, Restored};
use lucihub_models_core::{Batch, BatchBody, GapCause, Positions, StoreError, WriterId, WriterMark};
use lucihub_testkit::models::{run_head, run_id, samples_body};

use crate::embedded::bench::{Bench, LEASE, at_once, busy};

#[test]
fn a_lost_run_comes_back_with_its_positions() {
    let bench = Bench::new();
    let mut worker = busy(&bench, 1);
    let safe = Positions { lines: 1, samples: vec![40, 0, 60], ..Positions::default() };
    at_once(bench.hot.confirm(worker.run, &safe)).unwrap();
    let before = bench.get(worker.run);
    let restore = Restore {
        head: (*before.head).clone(),
        worker: "worker-1".to_owned(),
        mark: worker.mark,
        lease: LEASE,
        last_seq: before.last_seq,
        confirmed: Positions { lines: u64::MAX, ..safe.clone() },
        next: Positions { lines: 3_000, ..before.next.clone() },
    };
    assert_eq!(at_once(bench.hot.restore(&restore)).unwrap(), Restored::Existing);
    assert!(bench.hot.forget(worker.run));
    assert_eq!(bench.used(), 0);
    let restore = Restore { confirmed: safe.clone(), ..restore };
    assert_eq!(at_once(bench.hot.restore(&restore)).unwrap(), Restored::Restored);
    let after = bench.get(worker.run);
    assert_eq!((&after.next, &after.confirmed), (&restore.next, &safe));
    assert_eq!((after.base.lines, &after.base.samples), (1, &safe.samples));
    assert_eq!(after.head, before.head);
    let lost = at_once(bench.hot.window(worker.run, 0, 0..u64::MAX)).unwrap().unwrap();
    assert_eq!((lost.first, lost.end, lost.gaps[0].cause.clone()), (40, 100, GapCause::Store));
    let slice = bench.hot.lines(worker.run, 0..u64::MAX);
    let slice = at_once(slice).unwrap().unwrap();
    assert_eq!((slice.first, slice.end()), (1, 3_000));
    assert!(slice.lines.iter().all(|line| line.text.contains("lost") && line.level.as_deref() == Some("lost")));
    worker.put(samples_body(worker.run, [(0, 100..110)]));
    at_once(bench.hot.confirm(worker.run, &bench.get(worker.run).next)).unwrap();
    let base = at_once(bench.hot.trim(worker.run, &bench.get(worker.run).next)).unwrap().unwrap();
    assert_eq!((base.lines, base.sample(0)), (3_000, 110));
    assert!(bench.hot.forget(worker.run));
    assert_eq!(bench.used(), 0, "what stood for lost lines was counted exactly");
}

#[test]
fn a_restore_beyond_all_memory_is_refused_before_it_takes_any() {
    let bench = Bench::new();
    let restore = |next: Positions| Restore {
        head: run_head(1),
        worker: "worker".to_owned(),
        mark: WriterMark { writer: WriterId::from_bits(1), epoch: u64::MAX },
        lease: LEASE,
        last_seq: u64::MAX,
        confirmed: Positions::default(),
        next,
    };
    let of = |lines, samples| Positions { lines, samples, ..Positions::default() };
    let many = at_once(bench.hot.restore(&restore(of(1 << 40, vec![])))).unwrap_err();
    assert!(matches!(many, StoreError::Full { .. }), "{many}");
    for next in [of(u64::MAX, vec![]), of(0, vec![u64::MAX]), of(0, vec![0, 0, 0, 0, 1])] {
        let refused = at_once(bench.hot.restore(&restore(next))).unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused}");
    }
    assert_eq!(bench.used(), 0);
    at_once(bench.hot.restore(&restore(of(0, vec![1 << 40])))).unwrap();
    let mark = bench.get(run_id(1)).lease.unwrap().mark;
    let next = Batch::new(run_id(1), mark, 0, BatchBody::default());
    assert_eq!(at_once(bench.hot.append(&next)).unwrap().outcome, Outcome::Behind(u64::MAX));
}
