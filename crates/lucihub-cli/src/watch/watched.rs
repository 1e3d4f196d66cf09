//! What is known of a watched run.

use std::collections::VecDeque;

use lucihub_models_core::{Envelope, Gap, LogLine, Positions, Timestamp};
use lucihub_store::{Event, RunStatus, Source};

use super::feed::Look;

/// The most log lines that are kept.
const LINES: usize = 1_000;
/// The time over which the rate is measured, in microseconds.
const RATE_MICROS: i64 = 2_000_000;
/// How long a note is shown, in microseconds.
const NOTE_MICROS: i64 = 5_000_000;

/// A run as it was seen so far.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) status: RunStatus,
    pub(super) confirmed: Option<Positions>,
    pub(super) now: Timestamp,
    /// Each channel that has something, by number.
    pub(super) traces: Vec<(u32, Envelope)>,
    /// The last log lines.
    pub(super) lines: VecDeque<LogLine>,
    /// The number of the line after the last one.
    pub(super) next_line: u64,
    /// What cannot be reached, if anything.
    pub(super) away: Option<String>,
    /// What happened to what was shown.
    pub(super) note: Option<(Timestamp, String)>,
    /// When how many samples were there, in the last seconds.
    seen: VecDeque<(Timestamp, u64)>,
    /// Whether all of a run that has ended was followed.
    all_followed: bool,
}

impl Watched {
    /// A run of which nothing but this is known.
    pub(super) fn new(status: &RunStatus, now: Timestamp) -> Self {
        Self {
            status: status.clone(),
            confirmed: None,
            now,
            traces: Vec::new(),
            lines: VecDeque::new(),
            next_line: 0,
            away: None,
            note: None,
            seen: VecDeque::new(),
            all_followed: false,
        }
    }

    /// Takes in what the follower brought.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Lines(slice) => {
                let known = usize::try_from(self.next_line.saturating_sub(slice.first)).unwrap_or(usize::MAX);
                self.next_line = self.next_line.max(slice.end());
                self.lines.extend(slice.lines.into_iter().skip(known));
                self.lines.drain(..self.lines.len().saturating_sub(LINES));
            }
            Event::Buckets { channel, envelope } => self.grow(channel, envelope),
            Event::Rewound(to) => {
                self.traces.clear();
                self.seen.clear();
                let note = format!("the store fell behind, to line {}; it goes on from there", to.lines);
                self.note = Some((self.now, note));
            }
            Event::Ended(_) => self.all_followed = true,
            _ => {}
        }
    }

    fn grow(&mut self, channel: u32, envelope: Envelope) {
        match self.traces.binary_search_by_key(&channel, |(number, _)| *number) {
            Err(place) => self.traces.insert(place, (channel, envelope)),
            Ok(place) => {
                let trace = &mut self.traces[place].1;
                let width = trace.width.max(envelope.width);
                if trace.width < width {
                    *trace = trace.coarser(width);
                }
                if envelope.width < width {
                    trace.join(&envelope.coarser(width));
                } else {
                    trace.join(&envelope);
                }
            }
        }
    }

    /// Takes in how it stands.
    pub(super) fn look(&mut self, look: Look) {
        // An answer of cold storage alone is older than what was shown.
        self.away = (look.status.source == Source::Stale).then(|| "hot storage cannot be reached, waiting".to_owned());
        if self.away.is_some() {
            self.status.source = Source::Stale;
        } else {
            self.status = look.status;
        }
        self.confirmed = look.confirmed;
        self.now = look.now;
        self.note.take_if(|(at, _)| look.now.as_micros() - at.as_micros() > NOTE_MICROS);
        self.seen.push_back((self.now, self.samples()));
        let old = |at: &Timestamp| look.now.as_micros() - at.as_micros() > RATE_MICROS;
        while self.seen.len() > 2 && self.seen.front().is_some_and(|(at, _)| old(at)) {
            self.seen.pop_front();
        }
    }

    /// Whether it has ended and all of it is here.
    pub(super) fn is_over(&self) -> bool {
        self.all_followed && self.status.ended
    }

    /// Samples that are there.
    pub(super) fn samples(&self) -> u64 {
        self.traces.iter().map(|(_, trace)| trace.end - trace.gaps.iter().map(Gap::len).sum::<u64>()).sum()
    }

    /// The index after the last sample of any channel.
    pub(super) fn end(&self) -> u64 {
        self.traces.iter().map(|(_, trace)| trace.end).max().unwrap_or(0)
    }

    /// Samples per second on all channels, in the last seconds.
    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    pub(super) fn rate(&self) -> f64 {
        let (Some((from, before)), Some((to, after))) = (self.seen.front(), self.seen.back()) else { return 0.0 };
        let micros = to.as_micros() - from.as_micros();
        if micros <= 0 { 0.0 } else { after.saturating_sub(*before) as f64 * 1e6 / micros as f64 }
    }

    /// How much of the time that it shall integrate was recorded, from 0 to 1, if that is known.
    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    pub(super) fn progress(&self) -> Option<f64> {
        let head = &self.status.head;
        let expected = head.time_base?.rate_hz * (head.op_time_ns? as f64 / 1e9);
        (expected > 0.0).then(|| (self.end() as f64 / expected).clamp(0.0, 1.0))
    }

    /// Samples and lines that cold storage does not have yet, if that is known.
    pub(super) fn lag(&self) -> Option<(u64, u64)> {
        let (next, safe) = (&self.status.positions, self.confirmed.as_ref()?);
        let samples = (0..).zip(&next.samples).map(|(channel, at)| at.saturating_sub(safe.sample(channel))).sum();
        Some((samples, next.lines.saturating_sub(safe.lines)))
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::hot::LineSlice;

    use super::super::draw::tests::{queued, ramp};
    use super::*;

    #[test]
    fn buckets_join_whatever_their_widths() {
        let mut watched = queued();
        for (from, to, width) in [(0, 100, 1), (100, 300, 4), (300, 310, 2)] {
            watched.take(Event::Buckets { channel: 0, envelope: ramp(from..to, width) });
        }
        assert_eq!(watched.traces[0].1, ramp(0..310, 4));
        assert_eq!((watched.samples(), watched.end()), (310, 310));
    }

    #[test]
    fn after_the_store_fell_behind_curves_come_again_and_lines_do_not() {
        let mut watched = queued();
        let lines = |range: std::ops::Range<u64>| {
            Event::Lines(LineSlice { first: range.start, lines: range.map(|n| n.to_string().into()).collect() })
        };
        watched.take(lines(0..5));
        watched.take(Event::Buckets { channel: 0, envelope: ramp(0..100, 1) });
        watched.take(Event::Rewound(Positions { lines: 3, ..Positions::default() }));
        assert!(watched.traces.is_empty() && watched.note.as_ref().unwrap().1.contains("to line 3"));
        watched.take(Event::Buckets { channel: 0, envelope: ramp(0..80, 1) });
        watched.take(lines(3..7));
        assert_eq!(watched.samples(), 80);
        let texts: Vec<&str> = watched.lines.iter().map(|line| &*line.text).collect();
        assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6"]);
        watched.take(lines(7..2_000));
        assert_eq!((watched.lines.len(), &*watched.lines[0].text), (1_000, "1000"), "bounded");
    }
}
