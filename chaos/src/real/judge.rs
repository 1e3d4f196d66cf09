//! The checker: what is there, beside what it must be and what the ledger says was acknowledged.

use std::ops::Range;

use lucihub_models_core::{LogLine, Positions, RunId, Series};

use super::archive::Stored;
use super::fences;
use super::ledger::{Entry, Loss, Outcome};
use super::people::Followed;
use super::raw::Told;
use crate::gates::{Findings, Gate};
use crate::signal;

/// How far an index that does not fit is looked for.
const REACH: u64 = 4_096;

/// Which part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Lines,
    Channel(u32),
}

impl Part {
    pub(super) fn of(self, positions: &Positions) -> u64 {
        match self {
            Self::Lines => positions.lines,
            Self::Channel(channel) => positions.sample(channel),
        }
    }
}

/// The samples of a channel as each was told.
pub(crate) fn told(series: &Series) -> Vec<Told<f64>> {
    let end = series.end;
    let mut all: Vec<Told<f64>> = Vec::new();
    let gap = |all: &mut Vec<Told<f64>>, until: u64| {
        while (all.len() as u64) < until - series.first {
            let index = series.first + all.len() as u64;
            let gap = series.gaps.iter().find(|gap| (gap.first..gap.end).contains(&index));
            all.push(Err(gap.map_or_else(|| "nothing".to_owned(), |gap| gap.cause.as_str().to_owned())));
        }
    };
    for (first, values) in series.segments() {
        gap(&mut all, first);
        all.extend(values.iter().map(|value| Ok(*value)));
    }
    gap(&mut all, end);
    all
}

/// The texts of lines as each was told.
pub(crate) fn texts(lines: &[LogLine]) -> Vec<Told<String>> {
    let lost = LogLine::lost();
    lines.iter().map(|line| if *line == lost { Err("store".to_owned()) } else { Ok(line.text.clone()) }).collect()
}

/// Whether everything is what belongs at its place; `first` is the place of the first one.
pub(crate) fn samples(findings: &mut Findings, run: RunId, channel: u32, first: u64, values: &[Told<f64>]) {
    let belongs = |at: u64, value: &f64| value.to_bits() == signal::sample(run, channel, at).to_bits();
    places(findings, &format!("{run} channel {channel}"), first, values, belongs);
}

/// As [`samples`], of lines.
pub(crate) fn lines(findings: &mut Findings, run: RunId, first: u64, lines: &[Told<String>]) {
    places(findings, &format!("{run} lines"), first, lines, |at, text: &String| *text == signal::line(run, at));
}

fn places<T>(findings: &mut Findings, what: &str, first: u64, all: &[Told<T>], belongs: impl Fn(u64, &T) -> bool) {
    // The place of which the next one must be, were each one where it belongs.
    let mut shift_told = false;
    let mut last = None;
    for (at, item) in (first..).zip(all) {
        match item {
            Err(cause) if cause == "store" => {}
            Err(cause) => return findings.add(Gate::Holes, format!("{what}: a gap at {at} with cause {cause}")),
            Ok(item) if belongs(at, item) => last = Some(at),
            Ok(item) => {
                let near = at.saturating_sub(REACH)..at + REACH;
                let Some(real) = near.clone().find(|place| belongs(*place, item)) else {
                    return findings.add(Gate::WrongReply, format!("{what}: what is at {at} belongs nowhere near"));
                };
                match last {
                    Some(last) if real == last => findings.add(Gate::Dup, format!("{what}: {real} again at {at}")),
                    Some(last) if real < last && !shift_told => {
                        findings.add(Gate::Dup, format!("{what}: {real} again at {at}"));
                        findings.add(Gate::Inversions, format!("{what}: {real} after {last}"));
                    }
                    Some(last) if real > last + 1 => {
                        findings.add(Gate::Holes, format!("{what}: {real} follows {last}, and no gap says so"));
                    }
                    None if real > at => findings.add(Gate::Holes, format!("{what}: begins with {real} at {at}")),
                    _ => {}
                }
                shift_told = true;
                last = Some(real);
            }
        }
    }
}

/// Whether anything that was acknowledged is missing without a loss that could have taken it.
///
/// A loss takes nothing that outlived it, nor what was confirmed before; and what its own writer was told to be
/// confirmed, no loss takes at all.
pub(crate) fn kept(
    findings: &mut Findings,
    run: RunId,
    part: Part,
    missing: &[Range<u64>],
    entries: &[Entry],
    losses: &[Loss],
) {
    let confirmed = |place: u64, by: Option<u64>| {
        let said = entries.iter().filter(|word| word.outcome == Outcome::Confirmed && part.of(&word.to) > place);
        said.filter(|word| by.is_none_or(|by| word.worker == by)).map(|word| word.at).min()
    };
    let acknowledged = entries.iter().filter(|entry| entry.outcome == Outcome::Ok);
    for entry in acknowledged {
        let range = part.of(&entry.from)..part.of(&entry.to);
        for lost in missing {
            let (first, end) = (lost.start.max(range.start), lost.end.min(range.end));
            if first >= end {
                continue;
            }
            let earliest = confirmed(first, None).unwrap_or(u64::MAX);
            let could_take = |loss: &Loss| {
                let left = loss.left.as_ref().map_or(0, |left| part.of(&left.next));
                loss.until >= entry.since && loss.since <= earliest && left <= first
            };
            let own = confirmed(first, Some(entry.worker)).is_some();
            if own || !losses.iter().any(could_take) {
                let word = if own { "confirmed" } else { "acknowledged" };
                let what = format!("{run} {part:?}: {first}..{end}, {word} to worker {}", entry.worker);
                findings.add(Gate::LostDurable, what);
                return;
            }
        }
    }
}

/// The ranges without content, up to what the ledger knows of.
fn missing<T>(all: &[Told<T>], part: Part, entries: &[Entry]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for (at, _) in (0..).zip(all).filter(|(_, item)| item.is_err()) {
        match ranges.last_mut() {
            Some(range) if range.end == at => range.end += 1,
            _ => ranges.push(at..at + 1),
        }
    }
    let known = entries.iter().map(|entry| part.of(&entry.to)).max().unwrap_or(0);
    ranges.push(all.len() as u64..known);
    ranges
}

/// Whether a follower had what the archive has. What it was told before the store lost it, it keeps; and the archive
/// may have what hot storage called lost.
pub(crate) fn followed(findings: &mut Findings, had: &Followed, stored: &Stored, losses: &[Loss]) {
    // Also an end is lost with what came before it, where the worker has gone home and no keeper came by.
    if had.state != stored.state && losses.is_empty() {
        let what = format!("a follower of {} saw it end as {}, not as {}", had.run, had.state, stored.state);
        findings.add(Gate::Holes, what);
    }
    alike(findings, &format!("{} lines", had.run), &had.lines, &texts(&stored.lines), losses);
    for (channel, (had_samples, series)) in had.samples.iter().zip(&stored.series).enumerate() {
        alike(findings, &format!("{} channel {channel}", had.run), had_samples, &told(series), losses);
    }
}

fn alike<T: PartialEq>(findings: &mut Findings, what: &str, had: &[Told<T>], stored: &[Told<T>], losses: &[Loss]) {
    let same = |(had, stored): (&Told<T>, &Told<T>)| {
        had == stored || ((had.is_err() || stored.is_err()) && !losses.is_empty())
    };
    if let Some(at) = had.iter().zip(stored).position(|pair| !same(pair)) {
        let lost = |told: &Told<T>| if told.is_err() { "a gap" } else { "content" };
        let pair = format!("{} at {at}, the archive {}", lost(&had[at]), lost(&stored[at]));
        findings.add(Gate::Holes, format!("a follower of {what} had {pair}"));
    } else if had.len() != stored.len() && losses.is_empty() {
        findings.add(Gate::Holes, format!("a follower of {what} had {}, the archive {}", had.len(), stored.len()));
    }
}

/// Everything about an archived run.
pub(crate) fn archived(findings: &mut Findings, run: RunId, stored: &Stored, entries: &[Entry], losses: &[Loss]) {
    for what in &stored.twice {
        findings.add(Gate::ColdDup, format!("{run}: {what}"));
    }
    for what in &stored.holes {
        findings.add(Gate::Holes, format!("{run}: {what}"));
    }
    match stored.digest {
        Some(digest) if digest == stored.content_digest() => {}
        Some(_) => findings.add(Gate::DigestMismatch, format!("{run}: its row has another digest than its content")),
        None => return findings.add(Gate::LostDurable, format!("{run} was never archived")),
    }
    for entry in entries {
        if let Outcome::Ended(state) = &entry.outcome {
            let excused = losses.iter().any(|loss| loss.until >= entry.since);
            if *state != stored.state && !excused {
                findings.add(Gate::LostDurable, format!("{run} ended as {state}, its row says {}", stored.state));
            }
        }
    }
    let all = texts(&stored.lines);
    lines(findings, run, 0, &all);
    kept(findings, run, Part::Lines, &missing(&all, Part::Lines, entries), entries, losses);
    let mut gaps = all.iter().any(Result::is_err);
    for (channel, series) in (0..).zip(&stored.series) {
        let all = told(series);
        samples(findings, run, channel, 0, &all);
        let part = Part::Channel(channel);
        kept(findings, run, part, &missing(&all, part, entries), entries, losses);
        gaps |= all.iter().any(Result::is_err);
    }
    if gaps && losses.is_empty() {
        findings.add(Gate::LostDurable, format!("{run} has a gap with cause store, and the store lost nothing"));
    }
    fences::writers(findings, run, u32::try_from(stored.series.len()).unwrap_or(u32::MAX), entries, losses);
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{IdSource, SystemIds};

    use super::*;
    use crate::real::ledger::Left;

    fn run() -> RunId {
        SystemIds.run_id()
    }

    fn at(lines: u64) -> Positions {
        Positions { lines, ..Positions::default() }
    }

    fn told(worker: u64, at_time: u64, range: Range<u64>, outcome: Outcome) -> Entry {
        let (from, to) = (at(range.start), at(range.end));
        Entry { run: run(), worker, since: at_time, at: at_time + 1, from, to, outcome }
    }

    /// Lines 5..10 are missing, of 0..10 that worker 1 was told are there; a loss left so many.
    fn lost(left: u64, more: &[Entry]) -> u64 {
        let mut entries = vec![told(1, 10, 0..10, Outcome::Ok)];
        entries.extend_from_slice(more);
        let mut findings = Findings::default();
        let losses = [Loss { since: 20, until: 30, left: Some(Left { next: at(left), ..Left::default() }) }];
        kept(&mut findings, run(), Part::Lines, std::slice::from_ref(&(5..10)), &entries, &losses);
        findings.count(Gate::LostDurable)
    }

    #[test]
    fn a_loss_takes_what_did_not_outlive_it() {
        assert_eq!(lost(0, &[]), 0);
        assert_eq!(lost(5, &[]), 0);
        assert_eq!(lost(6, &[]), 1, "line 5 has outlived it");
    }

    #[test]
    fn a_loss_takes_nothing_that_was_confirmed_before() {
        assert_eq!(lost(0, &[told(2, 15, 0..5, Outcome::Confirmed)]), 0);
        assert_eq!(lost(0, &[told(2, 15, 0..6, Outcome::Confirmed)]), 1);
        // Another writer may be told so of the gap.
        assert_eq!(lost(0, &[told(2, 25, 0..6, Outcome::Confirmed)]), 0);
        assert_eq!(lost(0, &[told(1, 25, 0..6, Outcome::Confirmed)]), 1, "its own writer had sent it again");
    }

    #[test]
    fn what_came_after_a_loss_is_not_excused_by_it() {
        assert_eq!(lost(0, &[told(1, 40, 5..10, Outcome::Ok)]), 1);
    }
}
