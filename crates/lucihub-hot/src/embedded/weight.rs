//! What each thing counts against the room, in bytes.
//!
//! Close to what it takes in memory, and a pure function of the thing, so that
//! what is given back is what was taken.

use lucihub_models_core::hot::HotAttachment;
use lucihub_models_core::{
    BatchBody, Channel, Extra, FinalValue, LogLine, Overload, PhaseChange, Piece, Plan, RunHead, StateChange,
    StoreEvent,
};

/// A run with an empty head.
const RUN: u64 = 1024;
/// A stored chunk of log lines, without the lines.
pub(super) const CHUNK: u64 = 64;
/// An entry of a list, without its texts.
const ENTRY: u64 = 64;

fn text(text: Option<&str>) -> u64 {
    text.map_or(0, |text| text.len() as u64)
}

fn extra(extra: &Extra) -> u64 {
    if extra.is_empty() { 0 } else { extra.to_json().len() as u64 }
}

/// One log line.
pub(super) fn line(line: &LogLine) -> u64 {
    ENTRY + line.size() as u64
}

/// A stored chunk of log lines; nothing if there are none.
pub(super) fn lines(lines: &[LogLine]) -> u64 {
    if lines.is_empty() { 0 } else { CHUNK + lines.iter().map(line).sum::<u64>() }
}

/// A stored stretch of a channel.
pub(super) fn piece(piece: &Piece) -> u64 {
    match piece {
        Piece::Block { values, .. } => ENTRY + 8 * values.len() as u64,
        Piece::Gap(gap) => ENTRY + gap.cause.as_str().len() as u64,
    }
}

fn channels(channels: &[Channel]) -> u64 {
    let weigh = |c: &Channel| {
        let texts = [&c.carrier, &c.probe, &c.name, &c.unit];
        2 * ENTRY + texts.iter().map(|t| text(t.as_deref())).sum::<u64>() + extra(&c.extra)
    };
    channels.iter().map(weigh).sum()
}

fn entries(states: &[StateChange], phases: &[PhaseChange], overloads: &[Overload], values: &[FinalValue]) -> u64 {
    let states = states.iter().map(state).sum::<u64>();
    let phases =
        phases.iter().map(|p| ENTRY + p.phase.as_str().len() as u64 + text(p.carrier.as_deref()) + extra(&p.extra));
    let overloads = overloads.iter().map(|o| ENTRY + o.element.len() as u64 + extra(&o.extra));
    let values = values.iter().map(|v| ENTRY + v.element.len() as u64 + extra(&v.extra));
    states + phases.sum::<u64>() + overloads.sum::<u64>() + values.sum::<u64>()
}

/// An attachment with its bytes.
pub(super) fn attachment(known: &HotAttachment) -> u64 {
    let texts = 2 * known.info.name.as_str().len() + known.info.media_type.len();
    2 * ENTRY + texts as u64 + known.info.size
}

/// Store events.
pub(super) fn events(events: &[StoreEvent]) -> u64 {
    let weigh = |e: &StoreEvent| ENTRY + e.kind.as_str().len() as u64 + text(e.by.as_deref()) + text(e.text.as_deref());
    events.iter().map(|event| weigh(event) + extra(&event.extra)).sum()
}

/// One change of state.
pub(super) fn state(change: &StateChange) -> u64 {
    ENTRY + change.state.as_str().len() as u64 + text(change.reason.as_deref()) + extra(&change.extra)
}

/// A run without lines and samples.
pub(super) fn head(head: &RunHead) -> u64 {
    let labels = head.labels.iter().map(|(name, value)| ENTRY + (name.len() + value.len()) as u64).sum::<u64>();
    let texts = [
        head.owner.as_deref(),
        head.worker.as_deref(),
        head.parameter_schema.as_deref(),
        head.device.as_ref().map(lucihub_models_core::DeviceId::as_str),
        head.device_type.as_ref().map(lucihub_models_core::DeviceType::as_str),
        head.input_type.as_ref().map(lucihub_models_core::InputType::as_str),
        head.input.as_ref().map(lucihub_models_core::JsonText::as_str),
        head.output.as_ref().map(lucihub_models_core::JsonText::as_str),
        head.firmware.as_deref(),
        head.entity_digest.as_deref(),
        head.error.as_deref(),
    ];
    RUN + entries(&head.states, &head.phases, &head.overloads, &head.final_values)
        + channels(&head.channels)
        + labels
        + head.related_to.len() as u64 * ENTRY
        + texts.into_iter().map(text).sum::<u64>()
        + extra(&head.extra)
}

/// What [`RunHead::apply`] will add to a head's weight, and what it will take
/// from it. Costs as much as the batch, not as the head.
pub(super) fn growth(head: &RunHead, body: &BatchBody, plan: &Plan) -> (u64, u64) {
    let patch = &body.patch;
    let mut added = entries(&plan.states, &body.phases, &body.overloads, &body.final_values);
    let mut removed = 0;
    if let Some(new) = &patch.channels {
        added += channels(new);
        removed += channels(&head.channels);
    }
    let replaced = [
        (patch.firmware.as_deref(), head.firmware.as_deref()),
        (patch.entity_digest.as_deref(), head.entity_digest.as_deref()),
        (patch.error.as_deref(), head.error.as_deref()),
        (
            patch.output.as_ref().map(lucihub_models_core::JsonText::as_str),
            head.output.as_ref().map(lucihub_models_core::JsonText::as_str),
        ),
    ];
    for (new, old) in replaced.into_iter().filter(|(new, _)| new.is_some()) {
        added += text(new);
        removed += text(old);
    }
    (added, removed)
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{
        BatchBody, Channel, FinalValue, JobType, JsonText, Limits, Overload, Phase, PhaseChange, Plan, Positions,
        RunHead, RunState, StateChange, Timestamp,
    };

    use super::{growth, head};

    #[test]
    fn growth_is_the_difference_of_the_heads() {
        let at = Timestamp::EPOCH;
        let mut run = RunHead::queued("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap(), JobType::Run, at);
        for (n, output) in ["[1,2,3,4,5,6,7,8,9]", "[]"].into_iter().enumerate() {
            let mut body = BatchBody {
                states: vec![StateChange::new(RunState::InProgress, at).because("a worker has it")],
                phases: vec![PhaseChange::new(Phase::Op, at).on("04-E9-E5-00-00-01")],
                overloads: vec![Overload::new("/0/m0", at)],
                final_values: vec![FinalValue::new("/0/m0/1", 0.5)],
                ..BatchBody::default()
            };
            body.patch.channels = Some(vec![Channel::named("x").in_unit("V"); n + 1]);
            body.patch.output = Some(JsonText::from_stored(output));
            body.patch.error = (n == 0).then(|| "overload".to_owned());
            body.patch.firmware = Some("1.".repeat(10 - n));
            let plan = Plan::new(&body, &run, &Positions::default(), &Limits::default()).unwrap();
            let before = head(&run);
            let (added, removed) = growth(&run, &body, &plan);
            run.apply(&body, &plan);
            assert_eq!(head(&run), before + added - removed, "batch {n}");
            assert_eq!(removed > 0, n > 0, "the second batch replaces what the first wrote");
        }
    }
}
