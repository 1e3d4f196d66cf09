//! The comparison of two hot stores.

use std::ops::Range;
use std::time::Duration;

use lucihub_models_core::hot::{Answer, Cancelled, HotRun, Outcome, Removed, Renewed, TakeOver, Taken, TookOver};
use lucihub_models_core::{
    Batch, BatchBody, Gap, GapCause, GapMark, IdSource, Positions, RunHead, SampleBlock, Series, WriterId, WriterMark,
};

use super::answers::{end_of, outcome, untimed};
use super::operation::{CHANNELS, Content, FEW, Numbering, Operation};
use crate::harness::HotHarness;
use crate::ids::{SeededIds, mix};
use crate::models::{device_seen, lines_body, run_head, sample_value, state_body};

/// How long leases last, in seconds: some of the advances outlive it.
const LEASE: Duration = Duration::from_secs(60);

/// Gives two stores the same operations and asserts that they answer the same
/// and end the same.
///
/// Not compared, because the law leaves it open or real clocks go on: times;
/// how far a trim got within what it was allowed; which of two refusals a writer
/// that was replaced gets; and whether a cancelled run that once had a writer
/// answers a take-over with `Cancelled` or `Sealed`. The ids come from the
/// harnesses' seeds: on servers that are not empty, give each call other ones.
///
/// # Panics
/// At the first difference, naming the operation.
pub async fn compare_hot(a: &dyn HotHarness, b: &dyn HotHarness, operations: &[Operation]) {
    let mut pair = Pair::new(a, b);
    for (at, operation) in operations.iter().enumerate() {
        let name = format!("operation {at}, {operation:?}");
        pair.apply(operation, &name).await;
        for run in 0..FEW {
            pair.compare_run(run, &name).await;
        }
    }
    pair.compare_content().await;
}

/// The two stores, and what their workers know.
struct Pair<'a> {
    a: &'a dyn HotHarness,
    b: &'a dyn HotHarness,
    heads: Vec<RunHead>,
    writers: Vec<WriterId>,
    /// Per run and worker.
    marks: Vec<Vec<Option<Known>>>,
    scope: u64,
}

/// A worker's mark on a run, and the bodies it sent under numbers from 1.
type Known = (WriterMark, Vec<BatchBody>);

impl<'a> Pair<'a> {
    fn new(a: &'a dyn HotHarness, b: &'a dyn HotHarness) -> Self {
        let ids = SeededIds::new(mix(a.seed() ^ mix(b.seed())));
        let head = |_| {
            let mut head = run_head(1);
            head.id = ids.run_id();
            head.channels.truncate(CHANNELS as usize);
            head
        };
        let heads: Vec<RunHead> = (0..FEW).map(head).collect();
        let writers = (0..FEW).map(|_| ids.writer_id()).collect();
        let scope = heads[0].id.as_uuid().as_u64_pair().1;
        Self { a, b, heads, writers, marks: vec![vec![None; FEW]; FEW], scope }
    }

    async fn apply(&mut self, operation: &Operation, name: &str) {
        let (a, b) = (self.a.store(), self.b.store());
        match operation {
            Operation::Open(run) => {
                let head = &self.heads[*run];
                assert_eq!(a.open(head).await.expect("open"), b.open(head).await.expect("open"), "{name}");
            }
            Operation::TakeOver(run, worker) => self.take_over(*run, *worker, name).await,
            Operation::Renew(run, worker) => self.renew(*run, *worker, name).await,
            Operation::Cancel(run) => {
                let id = self.heads[*run].id;
                let answers: [Cancelled; 2] =
                    [a.cancel(id, None).await.expect("cancel"), b.cancel(id, None).await.expect("cancel")];
                assert_eq!(answers[0], answers[1], "{name}");
            }
            Operation::Append(run, worker, numbering, content) => {
                self.append(*run, *worker, *numbering, content, name).await;
            }
            Operation::Confirm(run, share) => {
                let (id, safe) = (self.heads[*run].id, self.share(*run, *share).await);
                let answers =
                    [a.confirm(id, &safe).await.expect("confirm"), b.confirm(id, &safe).await.expect("confirm")];
                assert_eq!(answers[0], answers[1], "{name}");
            }
            Operation::Trim(run, share) => {
                let (id, below) = (self.heads[*run].id, self.share(*run, *share).await);
                let answers = [a.trim(id, &below).await.expect("trim"), b.trim(id, &below).await.expect("trim")];
                assert_eq!(answers[0].is_some(), answers[1].is_some(), "{name}");
            }
            Operation::Expire(run, seconds) => {
                let (id, after) = (self.heads[*run].id, Duration::from_secs(*seconds + 10));
                let answers = [a.expire(id, after).await.expect("expire"), b.expire(id, after).await.expect("expire")];
                assert_eq!(answers[0], answers[1], "{name}");
            }
            Operation::Remove(run, force) => self.remove(*run, *force, name).await,
            Operation::Advance(seconds) => {
                // Leases last whole seconds. With this fraction they never end just now, which a
                // clock that goes on by itself would see differently from one that stands.
                let by = Duration::from_secs(*seconds) + Duration::from_millis(370);
                self.a.advance(by).await;
                self.b.advance(by).await;
            }
            Operation::Lines(run, range) => self.lines(*run, range.clone(), name).await,
            Operation::Window(run, channel, range) => self.window(*run, *channel, range.clone(), name).await,
            Operation::Announce(scanner, device, always) => {
                let mut seen = device_seen(mix(self.scope ^ *device as u64), &format!("scanner-{scanner}"));
                seen.always_active = *always;
                let answers = [a.announce(&seen, LEASE).await, b.announce(&seen, LEASE).await]
                    .map(|answer| std::mem::discriminant(&answer.expect("announce")));
                assert_eq!(answers[0], answers[1], "{name}");
            }
            Operation::Withdraw(scanner, device) => {
                let seen = device_seen(mix(self.scope ^ *device as u64), &format!("scanner-{scanner}"));
                let answers = [
                    a.withdraw(&seen.id, &seen.scanner).await.expect("withdraw"),
                    b.withdraw(&seen.id, &seen.scanner).await.expect("withdraw"),
                ];
                assert_eq!(answers[0], answers[1], "{name}");
            }
        }
    }

    async fn take_over(&mut self, run: usize, worker: usize, name: &str) {
        let request = TakeOver {
            run: self.heads[run].id,
            worker: format!("worker-{worker}"),
            writer: self.writers[worker],
            lease: LEASE,
        };
        let a = self.a.store().take_over(&request).await.expect("take_over");
        let b = self.b.store().take_over(&request).await.expect("take_over");
        match (a, b) {
            (TookOver::Taken(a), TookOver::Taken(b)) => {
                let [a, b]: [Taken; 2] = [*a, *b];
                assert_eq!((a.mark, a.last_seq()), (b.mark, b.last_seq()), "{name}");
                let known = &mut self.marks[run][worker];
                if known.as_ref().is_none_or(|(mark, _)| *mark != a.mark) {
                    *known = Some((a.mark, Vec::new()));
                }
            }
            (TookOver::Held { by: a, .. }, TookOver::Held { by: b, .. }) => assert_eq!(a, b, "{name}"),
            (a, b) => assert_eq!(end_of(&a), end_of(&b), "{name}: {a:?} and {b:?}"),
        }
    }

    async fn renew(&mut self, run: usize, worker: usize, name: &str) {
        let Some((mark, _)) = self.marks[run][worker].clone() else { return };
        let id = self.heads[run].id;
        let a = self.a.store().renew(id, mark, LEASE).await.expect("renew");
        let b = self.b.store().renew(id, mark, LEASE).await.expect("renew");
        match (a, b) {
            (Renewed::Until { cancel: a, confirmed: at_a, .. }, Renewed::Until { cancel: b, confirmed: at_b, .. }) => {
                assert_eq!((a, at_a), (b, at_b), "{name}");
            }
            (Renewed::Fenced | Renewed::Sealed(_), Renewed::Fenced | Renewed::Sealed(_)) => {}
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }

    async fn append(&mut self, run: usize, worker: usize, numbering: Numbering, content: &Content, name: &str) {
        let id = self.heads[run].id;
        let Some((mut mark, mut sent)) = self.marks[run][worker].clone() else { return };
        let next = self.next(run).await;
        let mut body = self.body(run, content, &next);
        let last = sent.len() as u64;
        let seq = match numbering {
            Numbering::Next => last + 1,
            Numbering::Ahead(by) => last + 1 + by,
            Numbering::Earlier(by) => {
                let seq = last.saturating_sub(by);
                // Half of them are true repeats, the others bring something else.
                if by % 2 == 0
                    && let Some(again) = usize::try_from(seq).ok().and_then(|seq| sent.get(seq.checked_sub(1)?))
                {
                    body = again.clone();
                }
                seq
            }
            Numbering::WrongEpoch => {
                mark.epoch += 1;
                last + 1
            }
        };
        let batch = Batch::new(id, mark, seq, body.clone());
        let a: Answer = self.a.store().append(&batch).await.expect("append");
        let b: Answer = self.b.store().append(&batch).await.expect("append");
        let current = self.present(run).await.and_then(|run| run.lease).map(|lease| lease.mark);
        assert_eq!(outcome(&a.outcome, current == Some(mark)), outcome(&b.outcome, current == Some(mark)), "{name}");
        assert_eq!((a.cancel, a.confirmed), (b.cancel, b.confirmed), "{name}");
        if a.outcome == Outcome::Applied {
            sent.push(body);
            self.marks[run][worker] = Some((mark, sent));
        }
    }

    fn body(&self, run: usize, content: &Content, next: &Positions) -> BatchBody {
        let mut body = lines_body(content.lines.iter().cloned());
        body.states = state_body(content.states.iter().cloned()).states;
        let mut at = next.clone();
        if let Some((channel, length)) = content.gap {
            let first = at.sample(channel);
            body.gaps.push(GapMark { channel, gap: Gap::new(first..first + length, GapCause::Overflow) });
            at.set_sample(channel, first + length);
        }
        for (channel, offset, count) in &content.blocks {
            let first = at.sample(*channel).saturating_add_signed(*offset);
            let values = (first..first + count).map(|i| sample_value(self.heads[run].id, *channel, i)).collect();
            body.blocks.push(SampleBlock { channel: *channel, first, values });
            at.set_sample(*channel, at.sample(*channel).max(first + count));
        }
        body
    }

    async fn remove(&mut self, run: usize, force: bool, name: &str) {
        // Whether the lease of a sealed run holds it is left open.
        let sealed = self.present(run).await.is_some_and(|run| run.seal.is_some());
        let (id, force, tombstone) = (self.heads[run].id, force || sealed, Duration::from_secs(100));
        let a = self.a.store().remove(id, force, tombstone).await.expect("remove");
        let b = self.b.store().remove(id, force, tombstone).await.expect("remove");
        match (a, b) {
            (Removed::Held { by: a, .. }, Removed::Held { by: b, .. }) => assert_eq!(a, b, "{name}"),
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }

    async fn lines(&self, run: usize, range: Range<u64>, name: &str) {
        let (id, base) = (self.heads[run].id, self.base(run).await.lines);
        let range = range.start.max(base)..range.end;
        let a = self.a.store().lines(id, range.clone()).await.expect("lines");
        let b = self.b.store().lines(id, range).await.expect("lines");
        assert_eq!(a, b, "{name}");
    }

    async fn window(&self, run: usize, channel: u32, range: Range<u64>, name: &str) {
        let (id, base) = (self.heads[run].id, self.base(run).await.sample(channel));
        let range = range.start.max(base)..range.end;
        let a: Option<Series> = self.a.store().window(id, channel, range.clone()).await.expect("window");
        let b = self.b.store().window(id, channel, range).await.expect("window");
        assert_eq!(a, b, "{name}");
        assert!(a.is_none_or(|series| series.is_consistent()), "{name}");
    }

    async fn compare_run(&self, run: usize, name: &str) {
        let id = self.heads[run].id;
        let a: Option<HotRun> = self.a.store().get(id).await.expect("get");
        let b = self.b.store().get(id).await.expect("get");
        let (a, b) = match (a, b) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return assert_eq!(a.is_some(), b.is_some(), "{name}: run {run} is in one store alone"),
        };
        assert_eq!((&a.next, &a.confirmed, a.last_seq), (&b.next, &b.confirmed, b.last_seq), "{name}: run {run}");
        assert_eq!((a.cancel, &a.seal, a.is_held()), (b.cancel, &b.seal, b.is_held()), "{name}: run {run}");
        let lease = |run: &HotRun| run.lease.as_ref().map(|lease| (lease.worker.clone(), lease.mark));
        assert_eq!(lease(&a), lease(&b), "{name}: run {run}");
        for run in [&a, &b] {
            assert!(run.confirmed.covers(&run.base), "{name}: trimmed past what is confirmed: {run:?}");
        }
        assert_eq!(untimed(&a), untimed(&b), "{name}: run {run}");
    }

    async fn compare_content(&self) {
        for run in 0..FEW {
            self.lines(run, 0..u64::MAX, "at the end").await;
            for channel in 0..=CHANNELS {
                self.window(run, channel, 0..u64::MAX, "at the end").await;
            }
        }
        for device in 0..FEW {
            let id = device_seen(mix(self.scope ^ device as u64), "").id;
            let a = self.a.store().active_device(&id).await.expect("active_device");
            let b = self.b.store().active_device(&id).await.expect("active_device");
            assert_eq!(a.map(|active| active.seen), b.map(|active| active.seen), "device {device} at the end");
        }
    }

    async fn present(&self, run: usize) -> Option<HotRun> {
        self.a.store().get(self.heads[run].id).await.expect("get")
    }

    async fn next(&self, run: usize) -> Positions {
        self.present(run).await.map(|run| run.next).unwrap_or_default()
    }

    /// So many sixteenths of a run; 17 of them are past its end.
    async fn share(&self, run: usize, sixteenths: u64) -> Positions {
        let next = self.next(run).await;
        let part = |count: u64| count * sixteenths / 16;
        Positions { lines: part(next.lines), samples: next.samples.iter().map(|&next| part(next)).collect(), ..next }
    }

    /// Where both stores still have everything.
    async fn base(&self, run: usize) -> Positions {
        let mut base = Positions::default();
        for store in [self.a.store(), self.b.store()] {
            let kept = store.get(self.heads[run].id).await.expect("get");
            base = base.max(&kept.map(|run| run.base).unwrap_or_default());
        }
        base
    }
}
