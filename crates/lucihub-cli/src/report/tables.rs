//! The tables of a page.

use lucihub_models_core::{Envelope, RunHead, RunState, TimeBase, Timestamp};
use maud::{Markup, html};

use super::contents::Contents;
use crate::output::{counted, one_line};
use crate::plot;

/// Tables longer than this are cut, and say so.
const MOST: usize = 1_000;

/// What the run is.
pub(super) fn facts(contents: &Contents) -> Markup {
    let status = &contents.status;
    let head = &status.head;
    let seconds = |ns: u64| format!("{} s", std::time::Duration::from_nanos(ns).as_secs_f64());
    let text = |text: &Option<String>| text.as_deref().map(one_line);
    let device = head.device.as_ref().map(|device| match &head.device_type {
        Some(kind) => format!("{} ({})", one_line(&device.to_string()), one_line(kind.as_str())),
        None => one_line(&device.to_string()),
    });
    let all = [
        ("type", Some(one_line(head.job_type.as_str()))),
        ("created", Some(head.created_at.to_string())),
        ("device", device),
        ("firmware", text(&head.firmware)),
        ("owner", text(&head.owner)),
        ("worker", text(&head.worker)),
        ("rate", head.time_base.map(|base| format!("{} Hz per channel", base.rate_hz))),
        ("k0", head.k0.map(|k0| k0.to_string())),
        ("op time", head.op_time_ns.map(seconds)),
        ("ic time", head.ic_time_ns.map(seconds)),
        ("samples", Some(counted(contents.envelopes.iter().map(present).sum(), "sample", "samples"))),
        ("log", Some(counted(status.positions.lines, "line", "lines"))),
        ("schema", text(&head.parameter_schema)),
        ("entity", text(&head.entity_digest)),
        ("source", Some(contents.source.to_owned())),
        ("archived", status.archived.map(|archived| archived.at.to_string())),
        ("digest", status.archived.map(|archived| archived.digest.to_string())),
    ];
    let labels = head.labels.iter().map(|(name, value)| format!("{}={}", one_line(name), one_line(value)));
    let related = head.related_to.iter().map(|other| format!("{} {}", one_line(other.kind.as_str()), other.run));
    html! {
        dl {
            @for (name, value) in all.into_iter().filter_map(|(name, value)| Some((name, value?))) {
                dt { (name) } dd { (value) }
            }
            @for label in labels { dt { "label" } dd { (label) } }
            @for other in related { dt { "relation" } dd { (other) } }
        }
    }
}

/// The state and what its name in the style sheet is; words of newer components have none.
pub(super) fn state(state: &RunState) -> Markup {
    let known = matches!(
        state,
        RunState::Queued | RunState::InProgress | RunState::Succeeded | RunState::Failed | RunState::Cancelled
    );
    let class = if known { state.as_str() } else { "unknown" };
    html! { span class={ "state " (class) } { (one_line(state.as_str())) } }
}

/// States and phases, with their times.
pub(super) fn history(head: &RunHead) -> Markup {
    let after = |at: Timestamp| seconds_between(head.created_at, at);
    html! {
        div class="columns" {
            table {
                tr { th { "state" } th { "at" } th class="number" { "after / s" } th { "reason" } }
                @for change in head.states.iter().take(MOST) {
                    tr {
                        td { (state(&change.state)) } td { (change.at) } td class="number" { (after(change.at)) }
                        td { (change.reason.as_deref().map(one_line).unwrap_or_default()) }
                    }
                }
            }
            @if !head.phases.is_empty() {
                table {
                    tr { th { "phase" } th { "at" } th class="number" { "after / s" } th { "carrier" } }
                    @for change in head.phases.iter().take(MOST) {
                        tr {
                            td { (one_line(change.phase.as_str())) } td { (change.at) }
                            td class="number" { (after(change.at)) }
                            td { (change.carrier.as_deref().map(one_line).unwrap_or_default()) }
                        }
                    }
                }
            }
        }
        (cut(head.states.len())) (cut(head.phases.len()))
    }
}

/// The channels: what was measured, and what is missing.
pub(super) fn channels(head: &RunHead, envelopes: &[Envelope]) -> Markup {
    html! {
        table {
            tr {
                th { "channel" } th { "carrier" } th { "probe" } th { "unit" } th class="number" { "samples" }
                th class="number" { "missing" } th class="number" { "NaN" } th class="number" { "least" }
                th class="number" { "greatest" }
            }
            @for ((number, channel), envelope) in (0..).zip(&head.channels).zip(envelopes) {
                tr {
                    td { (plot::name(head, number)) }
                    td { (channel.carrier.as_deref().map(one_line).unwrap_or_default()) }
                    td { (channel.probe.as_deref().map(one_line).unwrap_or_default()) }
                    td { (plot::unit(channel)) }
                    td class="number" { (present(envelope)) }
                    td class="number" { (envelope.gaps.iter().map(lucihub_models_core::Gap::len).sum::<u64>()) }
                    td class="number" { (envelope.buckets.iter().map(|bucket| bucket.nan).sum::<u64>()) }
                    td class="number" { (extreme(envelope.buckets.iter().map(|bucket| bucket.min), f64::min)) }
                    td class="number" { (extreme(envelope.buckets.iter().map(|bucket| bucket.max), f64::max)) }
                }
            }
        }
    }
}

/// What is missing, channels alike in one row.
pub(super) fn gaps(head: &RunHead, envelopes: &[Envelope]) -> Markup {
    let mut rows: Vec<(&lucihub_models_core::Gap, Vec<String>)> = Vec::new();
    let mut left_out = 0;
    for (number, envelope) in (0..).zip(envelopes) {
        for gap in &envelope.gaps {
            if let Some((_, channels)) = rows.iter_mut().find(|(known, _)| *known == gap) {
                channels.push(plot::name(head, number));
            } else if rows.len() < MOST {
                rows.push((gap, vec![plot::name(head, number)]));
            } else {
                left_out += 1;
            }
        }
    }
    let time =
        |base: Option<TimeBase>, index| base.map(|base| format!("{:.6}", base.seconds(index))).unwrap_or_default();
    html! {
        table {
            tr {
                th { "channels" } th class="number" { "first" } th class="number" { "last" }
                th class="number" { "from / s" } th class="number" { "to / s" } th { "cause" }
            }
            @for (gap, channels) in &rows {
                tr {
                    td { @if channels.len() == envelopes.len() { "all" } @else { (channels.join(", ")) } }
                    td class="number" { (gap.first) } td class="number" { (gap.end.saturating_sub(1)) }
                    td class="number" { (time(head.time_base, gap.first)) }
                    td class="number" { (time(head.time_base, gap.end)) }
                    td { (one_line(gap.cause.as_str())) @if gap.inferred { ", length inferred" } }
                }
            }
        }
        @if left_out > 0 { p class="note" { (left_out) " more gaps are not listed." } }
    }
}

/// The overloads.
pub(super) fn overloads(head: &RunHead) -> Markup {
    html! {
        table {
            tr { th { "element" } th { "at" } th class="number" { "sample" } }
            @for overload in head.overloads.iter().take(MOST) {
                tr {
                    td { (one_line(&overload.element)) } td { (overload.at) }
                    td class="number" { (overload.sample.map(|index| index.to_string()).unwrap_or_default()) }
                }
            }
        }
        (cut(head.overloads.len()))
    }
}

/// What elements read at the end.
pub(super) fn final_values(head: &RunHead) -> Markup {
    html! {
        table {
            tr { th { "element" } th class="number" { "value" } }
            @for last in head.final_values.iter().take(MOST) {
                tr { td { (one_line(&last.element)) } td class="number" { (last.value) } }
            }
        }
        (cut(head.final_values.len()))
    }
}

fn cut(count: usize) -> Markup {
    html! { @if count > MOST { p class="note" { "The first " (MOST) " of " (count) " are listed." } } }
}

fn present(envelope: &Envelope) -> u64 {
    envelope.buckets.iter().map(|bucket| bucket.count).sum()
}

fn extreme(values: impl Iterator<Item = f64>, better: fn(f64, f64) -> f64) -> String {
    values.filter(|value| !value.is_nan()).reduce(better).map(|value| value.to_string()).unwrap_or_default()
}

/// Clocks of several machines: it may be negative.
fn seconds_between(from: Timestamp, to: Timestamp) -> String {
    let micros = i128::from(to.as_micros()) - i128::from(from.as_micros());
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        assert_eq!(seconds_between(at(1_000_000), at(2_500_000)), "1.500000");
        assert_eq!(seconds_between(at(2_500_000), at(2_400_000)), "-0.100000");
    }
}
