//! The checks on a batch, written again from their description.

use lucihub_models_core::{BatchBody, Channel, Gap, GapMark, Invalid, Limits, Reject, RunState, Step};

use super::run::Kept;

/// The first rule that a batch breaks.
pub(super) fn broken_rule(body: &BatchBody, kept: &Kept, limits: &Limits) -> Option<Reject> {
    sizes(body, limits)
        .or_else(|| entries(body, kept, limits))
        .or_else(|| patch(body, kept, limits))
        .map(|thing| Reject::Invalid(Invalid::new(thing, "past its limit, or malformed")))
        .or_else(|| states(body, kept))
        .or_else(|| samples(body, kept, limits))
}

fn sizes(body: &BatchBody, limits: &Limits) -> Option<&'static str> {
    let long = |text: &str| text.len() > limits.text_bytes;
    let long_option = |text: &Option<String>| text.as_deref().is_some_and(long);
    if body.size() > limits.batch_bytes {
        return Some("batch");
    }
    if body.lines.iter().any(|line| line.text.len() > limits.line_bytes) {
        return Some("log line");
    }
    let entries = body.lines.iter().any(|line| long_option(&line.level) || long_option(&line.source))
        || body
            .states
            .iter()
            .any(|change| change.state.as_str().len() > limits.word_bytes || long_option(&change.reason))
        || body.phases.iter().any(|change| long(change.phase.as_str()) || long_option(&change.carrier))
        || body.gaps.iter().any(|mark| mark.gap.cause.as_str().len() > limits.word_bytes)
        || body.overloads.iter().any(|overload| long(&overload.element))
        || body.final_values.iter().any(|value| long(&value.element));
    entries.then_some("text")
}

fn entries(body: &BatchBody, kept: &Kept, limits: &Limits) -> Option<&'static str> {
    let head = &kept.head;
    [
        head.states.len() + body.states.len(),
        head.phases.len() + body.phases.len(),
        head.overloads.len() + body.overloads.len(),
        head.final_values.len() + body.final_values.len(),
    ]
    .into_iter()
    .any(|count| count > limits.head_entries)
    .then_some("entries")
}

fn patch(body: &BatchBody, kept: &Kept, limits: &Limits) -> Option<&'static str> {
    let patch = &body.patch;
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > limits.text_bytes);
    let texts = |c: &Channel| long(&c.carrier) || long(&c.probe) || long(&c.name) || long(&c.unit);
    if let Some(channels) = &patch.channels
        && (channels.len() > limits.channels || channels.len() < kept.head.channels.len() || channels.iter().any(texts))
    {
        return Some("channels");
    }
    let sound = |rate: f64, origin: f64| rate.is_finite() && rate > 0.0 && origin.is_finite();
    if patch.time_base.is_some_and(|base| !sound(base.rate_hz, base.origin_s)) {
        return Some("time base");
    }
    if long(&patch.firmware) || long(&patch.entity_digest) || long(&patch.error) {
        return Some("text");
    }
    patch.output.as_ref().and_then(|json| json.check("output", limits).err()).map(|_| "output")
}

fn states(body: &BatchBody, kept: &Kept) -> Option<Reject> {
    let mut present: &RunState = kept.head.state();
    for change in &body.states {
        if !matches!(present.step_to(&change.state), Some(Step::Change | Step::Repeat)) {
            return Some(Reject::State { from: present.clone(), to: change.state.clone() });
        }
        present = &change.state;
    }
    None
}

fn samples(body: &BatchBody, kept: &Kept, limits: &Limits) -> Option<Reject> {
    let channels = body.patch.channels.as_ref().map_or(kept.head.channels.len(), Vec::len);
    let blocks = body.blocks.iter().map(|b| (b.channel, b.first, b.end()));
    let gaps = body.gaps.iter().map(|GapMark { channel, gap: Gap { first, end, .. } }| (*channel, *first, *end));
    let mut all: Vec<(u32, u64, u64)> = blocks.chain(gaps).collect();
    all.sort_by_key(|(channel, first, _)| (*channel, *first));
    let mut at = (0, kept.next_sample(0));
    for (channel, first, end) in all {
        if channel as usize >= channels {
            return Some(Reject::NoChannel { channel, channels });
        }
        if at.0 != channel {
            at = (channel, kept.next_sample(channel));
        }
        let next = at.1;
        if first >= end {
            return Some(Invalid::new("stretch", "empty").into());
        }
        if first < next {
            return Some(Reject::SampleOrder { channel, first, next });
        }
        if end > limits.samples || first - next > limits.gap || end - first > limits.gap {
            return Some(Invalid::new("stretch", "past a limit").into());
        }
        at.1 = end;
    }
    None
}
