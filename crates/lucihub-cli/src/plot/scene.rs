//! What is to be drawn, whatever it is drawn on.

use std::ops::Range;

use lucihub_models_core::{Channel, Envelope, Gap, RunHead, RunId};

use super::axis::Axis;
use super::marks::{self, Mark};
use super::portrait;
use super::trace::{self, Piece};
use crate::output::{counted, one_line};

/// A picture of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) run: RunId,
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) view: View,
    /// Shared by all panels.
    pub(super) x: Axis,
    pub(super) panels: Vec<Panel>,
    pub(super) marks: Vec<Mark>,
    /// What a drawing may be too coarse to show, in words.
    pub(super) notes: Vec<String>,
}

/// What kind of picture it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Channels over time.
    Time,
    /// One channel over another, as a line.
    Portrait,
    /// One channel over another, as points.
    Scatter,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panel {
    pub(super) name: String,
    pub(super) y: Axis,
    pub(super) pieces: Vec<Piece>,
    /// Where samples are missing on the x axis.
    pub(super) holes: Vec<(f64, f64)>,
}

/// Lists longer than this are cut, and say so.
const NOTES: usize = 4;

/// The unit of a channel.
pub(crate) fn unit(channel: &Channel) -> String {
    channel.unit.as_deref().map_or_else(|| "machine units".to_owned(), one_line)
}

/// The name of a channel.
pub(crate) fn name(head: &RunHead, number: u32) -> String {
    let channel = usize::try_from(number).ok().and_then(|n| head.channels.get(n));
    channel.and_then(|c| c.name.as_deref()).map_or_else(|| format!("channel {number}"), one_line)
}

fn unit_of(head: &RunHead, number: u32) -> String {
    let channel = usize::try_from(number).ok().and_then(|n| head.channels.get(n));
    channel.map_or_else(|| "machine units".to_owned(), unit)
}

/// Where an index is drawn: seconds from the start of OP, or the index itself.
#[expect(clippy::cast_precision_loss, reason = "drawn")]
pub(crate) fn place(head: &RunHead) -> impl Fn(u64) -> f64 {
    let base = head.time_base;
    move |index| base.map_or(index as f64, |base| base.seconds(index))
}

fn subtitle(head: &RunHead, window: &Range<u64>) -> String {
    let mut parts = vec![format!("run {}", head.id), format!("samples {} to {}", window.start, window.end - 1)];
    parts.extend(head.device.iter().map(ToString::to_string));
    parts.join(", ")
}

fn listed(names: &[String]) -> String {
    names.join(", ")
}

/// The channels over time, one panel each.
pub(super) fn over_time(head: &RunHead, window: &Range<u64>, envelopes: &[(u32, Envelope)]) -> Scene {
    let x = place(head);
    let label = if head.time_base.is_some() { "time / s" } else { "sample" };
    let axis = Axis::over(label, x(window.start), x(window.end));
    let panels: Vec<Panel> = envelopes
        .iter()
        .map(|(number, envelope)| {
            let pieces = trace::pieces(envelope, window, &x);
            let slabs = pieces.iter().flat_map(|piece| &piece.slabs).flat_map(|slab| [slab.low, slab.high]);
            let line = pieces.iter().flat_map(|piece| &piece.line).map(|point| point.1);
            Panel {
                name: name(head, *number),
                y: Axis::around(unit_of(head, *number), slabs.chain(line)),
                holes: trace::holes(envelope, window).iter().map(|hole| (x(hole.start), x(hole.end))).collect(),
                pieces,
            }
        })
        .collect();
    let rate = head.time_base.map(|base| format!(", {} Hz", base.rate_hz));
    let names: Vec<String> = panels.iter().map(|panel| panel.name.clone()).collect();
    Scene {
        run: head.id,
        title: format!("{} over time", listed(&names)),
        subtitle: subtitle(head, window) + &rate.unwrap_or_default(),
        view: View::Time,
        marks: marks::marks(head, &x, &(axis.low..=axis.high)),
        notes: gap_notes(head, window, envelopes),
        x: axis,
        panels,
    }
}

/// The second channel over the first.
pub(super) fn over_channel(head: &RunHead, window: &Range<u64>, pair: &[(u32, Envelope); 2]) -> Scene {
    let [(a, across), (b, up)] = pair;
    let drawn = portrait::portrait(across, up, window);
    let points = || drawn.pieces.iter().flat_map(|piece| &piece.line);
    let axis = |number: u32, pick: fn(&(f64, f64)) -> f64| {
        Axis::around(format!("{} / {}", name(head, number), unit_of(head, number)), points().map(pick))
    };
    let mut notes = Vec::new();
    if drawn.every > 1 {
        let form = if drawn.scattered { "as points: too much happens between them for lines" } else { "joined" };
        notes.push(format!("every {}th sample, {form}", drawn.every));
    }
    notes.extend(gap_notes(head, window, pair));
    Scene {
        run: head.id,
        title: format!("{} over {}", name(head, *b), name(head, *a)),
        subtitle: subtitle(head, window),
        view: if drawn.scattered { View::Scatter } else { View::Portrait },
        x: axis(*a, |point| point.0),
        panels: vec![Panel {
            name: name(head, *b),
            y: axis(*b, |point| point.1),
            holes: Vec::new(),
            pieces: drawn.pieces,
        }],
        marks: Vec::new(),
        notes,
    }
}

/// What is missing in the window; channels that miss the same are named together.
fn gap_notes(head: &RunHead, window: &Range<u64>, envelopes: &[(u32, Envelope)]) -> Vec<String> {
    let mut alike: Vec<(Vec<Gap>, Vec<String>)> = Vec::new();
    for (number, envelope) in envelopes {
        let gaps: Vec<Gap> = envelope.gaps.iter().filter_map(|gap| gap.clip(window)).collect();
        if gaps.is_empty() {
            continue;
        }
        match alike.iter_mut().find(|(known, _)| *known == gaps) {
            Some((_, names)) => names.push(name(head, *number)),
            None => alike.push((gaps, vec![name(head, *number)])),
        }
    }
    let mut notes = Vec::new();
    for (gaps, names) in &alike {
        let on = if names.len() == envelopes.len() { String::new() } else { format!(" on {}", listed(names)) };
        if gaps.len() > NOTES {
            let missing: u64 = gaps.iter().map(Gap::len).sum();
            notes.push(format!("{} gaps{on}, {} missing", gaps.len(), counted(missing, "sample", "samples")));
            continue;
        }
        for gap in gaps {
            let range = format!("samples {} to {}", gap.first, gap.end - 1);
            let when = head.time_base.map(|base| {
                let digits = decimals(base.rate_hz);
                format!(", {:.digits$} s to {:.digits$} s", base.seconds(gap.first), base.seconds(gap.end))
            });
            notes.push(format!("gap{on}: {range}{} ({})", when.unwrap_or_default(), one_line(gap.cause.as_str())));
        }
    }
    notes
}

/// Decimals that tell two samples apart.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn decimals(rate_hz: f64) -> usize {
    rate_hz.log10().ceil().clamp(0.0, 9.0) as usize
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{EnvelopeBuilder, GapCause, JobType, Series, TimeBase, Timestamp};

    use super::*;

    fn head(channels: usize) -> RunHead {
        let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let mut head = RunHead::queued(id, JobType::Run, Timestamp::EPOCH);
        head.channels = vec![Channel::default(); channels];
        head
    }

    fn envelope(gap: Option<Range<u64>>) -> Envelope {
        let mut series = Series::starting_at(0);
        if let Some(gap) = gap {
            series.push_values(&vec![0.5; usize::try_from(gap.start).unwrap()]);
            series.push_gap(Gap::new(gap, GapCause::Overflow));
        }
        series.push_values(&vec![-0.5; usize::try_from(1_000 - series.end).unwrap()]);
        let mut builder = EnvelopeBuilder::new(0, 16);
        builder.series(&series);
        builder.finish()
    }

    #[test]
    fn without_a_time_base_the_axis_counts_samples() {
        let mut head = head(1);
        let scene = over_time(&head, &(100..900), &[(0, envelope(None))]);
        assert_eq!((scene.x.label.as_str(), scene.x.low, scene.x.high), ("sample", 100.0, 900.0));
        assert_eq!(scene.panels[0].name, "channel 0");
        head.time_base = Some(TimeBase { rate_hz: 1_000.0, origin_s: 0.5 });
        let scene = over_time(&head, &(100..900), &[(0, envelope(None))]);
        assert_eq!((scene.x.label.as_str(), scene.x.low, scene.x.high), ("time / s", 0.6, 1.4));
    }

    #[test]
    fn gaps_are_told_once_for_all_that_share_them() {
        let mut head = head(3);
        head.time_base = Some(TimeBase::from_rate(1_000.0));
        let torn = || envelope(Some(300..400));
        let all = over_time(&head, &(0..1_000), &[(0, torn()), (1, torn())]);
        assert_eq!(all.notes, ["gap: samples 300 to 399, 0.300 s to 0.400 s (overflow)"]);
        assert_eq!(all.panels[1].holes, [(0.3, 0.4)]);
        let some = over_time(&head, &(0..350), &[(0, torn()), (2, envelope(None))]);
        assert_eq!(some.notes, ["gap on channel 0: samples 300 to 349, 0.300 s to 0.350 s (overflow)"]);
    }

    #[test]
    fn a_window_inside_a_gap_is_an_empty_picture_and_no_failure() {
        let scene = over_time(&head(1), &(320..330), &[(0, envelope(Some(300..400)))]);
        assert_eq!(scene.panels[0].pieces, []);
        assert_eq!((scene.panels[0].y.low, scene.panels[0].y.high), (-1.1, 1.1));
        assert_eq!(scene.panels[0].holes, [(320.0, 330.0)]);
    }
}
