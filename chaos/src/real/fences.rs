//! The checker of writers: what hot storage accepted of each of them, and when.
//!
//! It goes by what the processes noted at hot storage, and compares only what lies apart in time: a call that was
//! answered before another began.

use lucihub_models_core::RunId;

use super::judge::Part;
use super::ledger::{Entry, Loss, Outcome};
use super::noting::{Mark, Numbered, Said};
use crate::gates::{Findings, Gate};

/// A take-over: from then on the run was this writer's.
#[derive(Debug, Clone, Copy)]
struct Hold<'a> {
    entry: &'a Entry,
    mark: &'a Mark,
    /// Whether it asks cold storage before it puts the run back.
    asks: bool,
}

/// A batch that hot storage said it has.
#[derive(Debug, Clone, Copy)]
struct Accepted<'a> {
    entry: &'a Entry,
    batch: &'a Numbered,
    is_new: bool,
}

/// Everything about the writers of a run.
pub(crate) fn writers(findings: &mut Findings, run: RunId, channels: u32, entries: &[Entry], losses: &[Loss]) {
    let accepted: Vec<Accepted<'_>> = entries.iter().filter_map(accepted).collect();
    numbers(findings, run, &accepted, losses);
    epochs(findings, run, &accepted, losses);
    fences(findings, run, entries, &accepted, losses);
    positions(findings, run, channels, entries, losses);
}

fn accepted(entry: &Entry) -> Option<Accepted<'_>> {
    match &entry.outcome {
        Outcome::Batch(batch, said) if said.is_accepted() => {
            Some(Accepted { entry, batch, is_new: *said == Said::Applied })
        }
        _ => None,
    }
}

/// Whether a loss fell between the beginning of one call and the end of another.
fn is_lost_between(losses: &[Loss], one: &Entry, other: &Entry) -> bool {
    let (since, at) = (one.since.min(other.since), one.at.max(other.at));
    losses.iter().any(|loss| loss.since <= at && loss.until >= since)
}

/// Each number of a writer is applied once, and stands for one content, unless hot storage forgot it in between.
fn numbers(findings: &mut Findings, run: RunId, accepted: &[Accepted<'_>], losses: &[Loss]) {
    let mut sorted: Vec<&Accepted<'_>> = accepted.iter().collect();
    sorted.sort_by_key(|one| (&one.batch.mark, one.batch.seq, one.entry.since));
    let pairs = sorted.iter().zip(sorted.iter().skip(1));
    for (first, second) in pairs.filter(|(a, b)| a.batch.mark == b.batch.mark && a.batch.seq == b.batch.seq) {
        let kept = |loss: &Loss| {
            let tip = loss.left.as_ref().and_then(|left| left.tip.as_ref());
            tip.is_some_and(|(mark, seq)| *mark == first.batch.mark && *seq >= first.batch.seq)
        };
        let forgot = |loss: &Loss| loss.until >= first.entry.since && loss.since <= second.entry.at && !kept(loss);
        if losses.iter().any(forgot) {
            continue;
        }
        let what = format!("{run}: batch {} of {}", first.batch.seq, first.batch.mark);
        if first.batch.hash != second.batch.hash {
            findings.add(Gate::WrongReply, format!("{what} was acknowledged with two contents"));
        } else if second.is_new && second.entry.since > first.entry.at {
            findings.add(Gate::Dup, format!("{what} was applied twice"));
        }
    }
}

/// What is accepted after something of an epoch has that epoch and that writer, or a later epoch, unless hot storage
/// lost the run in between.
fn epochs(findings: &mut Findings, run: RunId, accepted: &[Accepted<'_>], losses: &[Loss]) {
    for before in accepted {
        let goes_back = |after: &&Accepted<'_>| {
            after.entry.since > before.entry.at
                && after.batch.mark != before.batch.mark
                && after.batch.mark.epoch <= before.batch.mark.epoch
                && !is_lost_between(losses, before.entry, after.entry)
        };
        if let Some(after) = accepted.iter().find(goes_back) {
            let what = format!("{run}: {} was accepted after {}", after.batch.mark, before.batch.mark);
            return findings.add(Gate::FencedAccepts, what);
        }
    }
}

/// The writers of a run in the order of the entries. One that puts a lost run back holds it from then on only if it did
/// not before: it goes on, and takes nothing over.
fn holds(entries: &[Entry]) -> Vec<Hold<'_>> {
    let mut holds: Vec<Hold<'_>> = Vec::new();
    for entry in entries {
        match &entry.outcome {
            Outcome::Took { mark, asks } => holds.push(Hold { entry, mark, asks: *asks }),
            Outcome::Restored(mark) if holds.iter().all(|hold| hold.mark != mark) => {
                holds.push(Hold { entry, mark, asks: true });
            }
            _ => {}
        }
    }
    holds
}

/// Once something of a writer was accepted, nothing of an earlier writer is, whatever hot storage lost in between. But
/// of what hot storage has forgotten whole a writer without cold storage cannot know.
fn fences(findings: &mut Findings, run: RunId, entries: &[Entry], accepted: &[Accepted<'_>], losses: &[Loss]) {
    let holds = holds(entries);
    for new in &holds {
        let of_new = accepted.iter().filter(|one| one.batch.mark == *new.mark && one.entry.worker == new.entry.worker);
        let Some(first) = of_new.map(|one| one.entry.at).min() else { continue };
        if is_undone(new, losses) {
            continue;
        }
        for old in holds.iter().filter(|old| old.mark != new.mark && precedes(old, new, losses)) {
            let is_forgotten = |late: &Entry| {
                let mut between = losses.iter().filter(|loss| loss.since <= late.at && loss.until >= new.entry.since);
                !old.asks && between.any(|loss| loss.left.is_none())
            };
            let is_late = |one: &&Accepted<'_>| {
                let is_old = one.batch.mark == *old.mark && one.entry.worker == old.entry.worker;
                is_old && one.entry.since > first && !is_forgotten(one.entry)
            };
            if let Some(late) = accepted.iter().find(is_late) {
                let what = format!("{run}: batch {} of {} was accepted", late.batch.seq, old.mark);
                return findings
                    .add(Gate::FencedAccepts, format!("{what} after one of {}, which came later", new.mark));
            }
        }
    }
}

/// Whether one took the run over before another: by the clock, or by their epochs where both asked at once.
fn precedes(old: &Hold<'_>, new: &Hold<'_>, losses: &[Loss]) -> bool {
    let at_once = old.entry.since <= new.entry.at && new.entry.since <= old.entry.at;
    old.entry.at < new.entry.since
        || at_once && old.mark.epoch < new.mark.epoch && !is_lost_between(losses, old.entry, new.entry)
}

/// What the writers of a run noted, a line each, for who must find out what went wrong. Times in microseconds.
pub(crate) fn story(entries: &[Entry], losses: &[Loss]) -> String {
    let begun = entries.iter().map(|entry| entry.since).min().unwrap_or(0);
    let ago = |at: u64| i128::from(at) - i128::from(begun);
    let lost = losses.iter().map(|loss| {
        let Loss { since, until, left } = loss;
        (*since, format!("{}..{}: lost but for {left:?}", ago(*since), ago(*until)))
    });
    let noted = entries.iter().filter_map(|entry| {
        let what = match &entry.outcome {
            Outcome::Unknown | Outcome::Ok | Outcome::Confirmed | Outcome::Batch(_, Said::Unknown) => return None,
            Outcome::Batch(batch, said) => format!("batch {} of {}: {said:?}", batch.seq, batch.mark),
            other => format!("{other:?}"),
        };
        let Entry { worker, since, at, .. } = entry;
        Some((*since, format!("{}..{}: {worker}: {what}", ago(*since), ago(*at))))
    });
    let mut lines: Vec<(u64, String)> = lost.chain(noted).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

/// Whether a failover undid a take-over: the replica that was promoted has never heard of it, so that it was
/// acknowledged, and lost, as batches are that nobody has secured.
fn is_undone(new: &Hold<'_>, losses: &[Loss]) -> bool {
    losses.iter().filter(|loss| loss.until >= new.entry.since).any(|loss| {
        let knows = |mark: &Mark| mark == new.mark || mark.epoch > new.mark.epoch;
        loss.left.as_ref().is_some_and(|left| {
            let marks = left.tip.iter().map(|(mark, _)| mark).chain(&left.later);
            !marks.into_iter().any(knows)
        })
    })
}

/// A worker is told of nothing as acknowledged beyond the positions from which a later one has the run.
fn positions(findings: &mut Findings, run: RunId, channels: u32, entries: &[Entry], losses: &[Loss]) {
    let holds = holds(entries);
    let hold_of = |worker: u64| holds.iter().find(|hold| hold.entry.worker == worker);
    for told in entries.iter().filter(|entry| entry.outcome == Outcome::Ok) {
        let Some(old) = hold_of(told.worker) else { continue };
        for begun in entries.iter().filter(|entry| entry.outcome == Outcome::Taken && entry.worker != told.worker) {
            let is_later = hold_of(begun.worker).is_some_and(|new| precedes(old, new, losses));
            if !is_later || is_lost_between(losses, told, begun) {
                continue;
            }
            let mut parts = std::iter::once(Part::Lines).chain((0..channels).map(Part::Channel));
            if parts.any(|part| part.of(&told.to) > part.of(&begun.from)) {
                let what = format!("{run}: worker {} was told {:?}", told.worker, told.to);
                let other = format!("{} had it from {:?}", begun.worker, begun.from);
                return findings.add(Gate::FencedAccepts, format!("{what}, {other}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{IdSource, SystemIds};

    use super::*;
    use crate::real::ledger::Left;

    fn mark(epoch: u64) -> Mark {
        Mark { epoch, writer: format!("writer {epoch}") }
    }

    /// Something that worker `epoch` noted at a time.
    fn noted(epoch: u64, since: u64, outcome: Outcome) -> Entry {
        let (run, from, to) = (SystemIds.run_id(), <_>::default(), <_>::default());
        Entry { run, worker: epoch, since, at: since + 1, from, to, outcome }
    }

    fn took(epoch: u64, since: u64) -> Entry {
        noted(epoch, since, Outcome::Took { mark: mark(epoch), asks: true })
    }

    fn sent(epoch: u64, since: u64, seq: u64, hash: &str, said: Said) -> Entry {
        noted(epoch, since, Outcome::Batch(Numbered { mark: mark(epoch), seq, hash: hash.to_owned() }, said))
    }

    fn applied(epoch: u64, since: u64, seq: u64) -> Entry {
        sent(epoch, since, seq, "one", Said::Applied)
    }

    fn found(gate: Gate, entries: &[Entry], losses: &[Loss]) -> u64 {
        let mut findings = Findings::default();
        writers(&mut findings, SystemIds.run_id(), 0, entries, losses);
        findings.count(gate)
    }

    fn fenced(entries: &[Entry], losses: &[Loss]) -> u64 {
        found(Gate::FencedAccepts, entries, losses)
    }

    const EMPTIED: Loss = Loss { since: 40, until: 50, left: None };

    /// Two writers in turn, and what the first one is told at 60.
    fn two(last: Entry) -> [Entry; 5] {
        [took(1, 10), applied(1, 12, 1), took(2, 20), applied(2, 22, 1), last]
    }

    #[test]
    fn an_earlier_writer_is_not_accepted_after_a_later_one() {
        let late = two(applied(1, 60, 2));
        assert_eq!(fenced(&late, &[]), 2, "its epoch is an earlier one, and so is its take-over");
        assert_eq!(fenced(&late, &[EMPTIED]), 1, "nor across a loss");
        let mut blind = late.clone();
        blind[0].outcome = Outcome::Took { mark: mark(1), asks: false };
        assert_eq!(fenced(&blind, &[EMPTIED]), 0, "unless it cannot know");
        assert_eq!(fenced(&blind, &[Loss { since: 11, until: 15, left: None }]), 2, "and that loss came before");
        let refused = two(sent(1, 60, 2, "one", Said::Fail("Fenced".to_owned())));
        assert_eq!(fenced(&refused, &[]) + fenced(&refused, &[EMPTIED]), 0);
        let unanswered = two(sent(1, 60, 2, "one", Said::Unknown));
        assert_eq!(fenced(&unanswered, &[]), 0);
    }

    #[test]
    fn what_lies_in_time_beside_a_later_writer_shows_nothing() {
        let mut beside = two(applied(1, 13, 2));
        beside[4].at = 60;
        assert_eq!(fenced(&beside, &[]), 0, "it was sent before");
    }

    #[test]
    fn epochs_begin_anew_with_a_run_that_was_lost() {
        let again = [took(2, 10), applied(2, 12, 1), took(1, 60), applied(1, 62, 1)];
        assert_eq!(fenced(&again, &[]), 1);
        assert_eq!(fenced(&again, &[EMPTIED]), 0);
    }

    #[test]
    fn a_writer_that_puts_its_run_back_is_no_later_one() {
        let mut back = two(noted(1, 55, Outcome::Restored(mark(1)))).to_vec();
        back.push(applied(1, 60, 2));
        assert_eq!(fenced(&back, &[EMPTIED]), 1);
        let rescued = [took(1, 10), applied(1, 12, 1), noted(2, 55, Outcome::Restored(mark(2))), applied(2, 57, 1)];
        assert_eq!(fenced(&rescued, &[EMPTIED]), 0);
        assert_eq!(fenced(&[rescued.as_slice(), &[applied(1, 60, 2)]].concat(), &[EMPTIED]), 2);
    }

    #[test]
    fn a_take_over_that_a_failover_undid_fences_nobody() {
        let failover = |tip, later: Option<u64>| {
            let left = Left { tip: Some((mark(tip), 1)), later: later.map(mark), ..Left::default() };
            [Loss { since: 15, until: 30, left: Some(left) }]
        };
        let late = two(applied(1, 60, 2));
        assert_eq!(fenced(&late, &failover(1, Some(1))), 0, "nobody there has heard of the second one");
        assert_eq!(fenced(&late, &failover(2, None)), 1, "the replica had it");
        assert_eq!(fenced(&late, &failover(1, Some(2))), 1, "it took the run over from the new master");
    }

    #[test]
    fn a_number_is_applied_once_and_has_one_content() {
        let again = |hash, said| [took(1, 10), applied(1, 12, 7), sent(1, 60, 7, hash, said)];
        assert_eq!(found(Gate::Dup, &again("one", Said::Duplicate), &[]), 0);
        assert_eq!(found(Gate::Dup, &again("one", Said::Applied), &[]), 1);
        assert_eq!(found(Gate::WrongReply, &again("other", Said::Applied), &[]), 1);
        assert_eq!(found(Gate::WrongReply, &again("other", Said::Duplicate), &[]), 1);
        assert_eq!(found(Gate::WrongReply, &again("other", Said::Fail("Conflict".to_owned())), &[]), 0);
    }

    #[test]
    fn a_number_that_hot_storage_forgot_is_free() {
        let again = [took(1, 10), applied(1, 12, 7), sent(1, 60, 7, "other", Said::Applied)];
        assert_eq!(found(Gate::WrongReply, &again, &[EMPTIED]), 0);
        let failover = |seq| Loss { left: Some(Left { tip: Some((mark(1), seq)), ..Left::default() }), ..EMPTIED };
        assert_eq!(found(Gate::WrongReply, &again, &[failover(6)]), 0);
        assert_eq!(found(Gate::WrongReply, &again, &[failover(7)]), 1, "the replica had it");
    }
}
