//! Limits on heads and batches, checked before anything is written.

use std::collections::BTreeMap;

use crate::batch::{BatchBody, HeadPatch};
use crate::error::Invalid;
use crate::extra::Extra;
use crate::latest::{
    Channel, DeviceType, FinalValue, Gap, InputType, LogLine, Overload, PhaseChange, RunHead, RunState, StateChange,
    TimeBase,
};
use crate::limits::Limits;

impl RunHead {
    /// Checks a head that is to be created: limits, strict JSON, the grid, and
    /// that it is queued and has recorded nothing yet.
    ///
    /// # Errors
    /// [`Invalid`] naming the part, the limit and what to do.
    pub fn check_new(&self, limits: &Limits) -> Result<(), Invalid> {
        let queued = matches!(self.states.as_slice(), [only] if only.state == RunState::Queued);
        if !queued {
            return Err(Invalid::new("states", "a new run has exactly one").hint("it is `queued`"));
        }
        let recorded = !(self.phases.is_empty() && self.overloads.is_empty() && self.final_values.is_empty());
        if recorded || self.output.is_some() {
            return Err(Invalid::new("run", "a new run has recorded nothing").hint("its worker appends that"));
        }
        self.grid.check()?;
        self.check(limits)
    }

    /// Checks the limits of a head, whatever its state.
    ///
    /// # Errors
    /// [`Invalid`] naming the part, the limit and what to do.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        for (thing, json) in [("input", &self.input), ("output", &self.output)] {
            json.as_ref().map_or(Ok(()), |json| json.check(thing, limits))?;
        }
        let most = limits.head_entries;
        let lists = [
            ("states", self.states.len(), most),
            ("phases", self.phases.len(), most),
            ("overloads", self.overloads.len(), most),
            ("final values", self.final_values.len(), most),
            ("relations", self.related_to.len(), most),
            ("channels", self.channels.len(), limits.channels),
        ];
        lists.into_iter().try_for_each(|(thing, length, most)| count(thing, length, most))?;
        check_labels(&self.labels, limits)?;
        let texts = [
            ("error", &self.error),
            ("worker", &self.worker),
            ("firmware", &self.firmware),
            ("entity digest", &self.entity_digest),
            ("parameter schema", &self.parameter_schema),
        ];
        for (thing, value) in texts {
            text(thing, value.as_deref(), limits)?;
        }
        word("owner", self.owner.as_deref(), limits)?;
        word("type", Some(self.job_type.as_str()), limits)?;
        word("device type", self.device_type.as_ref().map(DeviceType::as_str), limits)?;
        text("input type", self.input_type.as_ref().map(InputType::as_str), limits)?;
        for relation in &self.related_to {
            text("relation", Some(relation.kind.as_str()), limits)?;
            extra("relation", &relation.extra, limits)?;
        }
        self.states.iter().try_for_each(|change| check_state(change, limits))?;
        self.phases.iter().try_for_each(|change| check_phase(change, limits))?;
        self.overloads.iter().try_for_each(|overload| check_overload(overload, limits))?;
        self.final_values.iter().try_for_each(|value| check_final_value(value, limits))?;
        self.channels.iter().try_for_each(|channel| check_channel(channel, limits))?;
        extra("run", &self.extra, limits)?;
        self.time_base.map_or(Ok(()), check_time_base)
    }
}

/// Checks the labels of a run: how many, and how long.
///
/// # Errors
/// [`Invalid`] naming the label and the limit.
pub fn check_labels(labels: &BTreeMap<String, String>, limits: &Limits) -> Result<(), Invalid> {
    count("labels", labels.len(), limits.labels)?;
    for (name, value) in labels {
        if name.is_empty() {
            return Err(Invalid::new("labels", "a label has no name"));
        }
        bytes("label name", Some(name), limits.label_name_bytes)?;
        bytes("label value", Some(value), limits.label_value_bytes)?;
    }
    Ok(())
}

/// Checks the parts of a batch, each for itself.
pub(crate) fn check_parts(body: &BatchBody, limits: &Limits) -> Result<(), Invalid> {
    let size = body.size();
    if size > limits.batch_bytes {
        return Err(Invalid::new("batch", format!("{size} bytes"))
            .hint(format!("the limit is {} bytes; split it", limits.batch_bytes)));
    }
    body.lines.iter().try_for_each(|line| check_line(line, limits))?;
    body.states.iter().try_for_each(|change| check_state(change, limits))?;
    body.phases.iter().try_for_each(|change| check_phase(change, limits))?;
    body.gaps.iter().try_for_each(|mark| check_gap(&mark.gap, limits))?;
    body.overloads.iter().try_for_each(|overload| check_overload(overload, limits))?;
    body.final_values.iter().try_for_each(|value| check_final_value(value, limits))
}

/// Checks that the lists of a head have room for those of a batch.
pub(crate) fn check_entries(body: &BatchBody, head: &RunHead, limits: &Limits) -> Result<(), Invalid> {
    let most = limits.head_entries;
    count("states", head.states.len() + body.states.len(), most)?;
    count("phases", head.phases.len() + body.phases.len(), most)?;
    count("overloads", head.overloads.len() + body.overloads.len(), most)?;
    count("final values", head.final_values.len() + body.final_values.len(), most)
}

/// Checks the fields of the head that a batch writes.
pub(crate) fn check_patch(patch: &HeadPatch, head: &RunHead, limits: &Limits) -> Result<(), Invalid> {
    if let Some(channels) = &patch.channels {
        count("channels", channels.len(), limits.channels)?;
        if channels.len() < head.channels.len() {
            return Err(Invalid::new("channels", format!("{} of them", channels.len()))
                .hint(format!("the run has {} already, they never become fewer", head.channels.len())));
        }
        channels.iter().try_for_each(|channel| check_channel(channel, limits))?;
    }
    patch.time_base.map_or(Ok(()), check_time_base)?;
    let texts = [("firmware", &patch.firmware), ("entity digest", &patch.entity_digest), ("error", &patch.error)];
    texts.into_iter().try_for_each(|(thing, value)| text(thing, value.as_deref(), limits))?;
    patch.output.as_ref().map_or(Ok(()), |json| json.check("output", limits))
}

pub(crate) fn check_line(line: &LogLine, limits: &Limits) -> Result<(), Invalid> {
    if line.text.len() > limits.line_bytes {
        return Err(Invalid::new("log line", format!("{} bytes", line.text.len()))
            .hint(format!("the limit is {} bytes; cut it", limits.line_bytes)));
    }
    text("log level", line.level.as_deref(), limits)?;
    text("log source", line.source.as_deref(), limits)?;
    extra("log line", &line.extra, limits)
}

pub(crate) fn check_state(change: &StateChange, limits: &Limits) -> Result<(), Invalid> {
    word("state", Some(change.state.as_str()), limits)?;
    text("reason", change.reason.as_deref(), limits)?;
    extra("state", &change.extra, limits)
}

pub(crate) fn check_phase(change: &PhaseChange, limits: &Limits) -> Result<(), Invalid> {
    text("phase", Some(change.phase.as_str()), limits)?;
    text("carrier", change.carrier.as_deref(), limits)?;
    extra("phase", &change.extra, limits)
}

pub(crate) fn check_overload(overload: &Overload, limits: &Limits) -> Result<(), Invalid> {
    check_element(&overload.element, &overload.extra, limits)
}

pub(crate) fn check_final_value(value: &FinalValue, limits: &Limits) -> Result<(), Invalid> {
    check_element(&value.element, &value.extra, limits)
}

/// Checks the cause of a gap: every cell that the gap covers repeats it.
pub(crate) fn check_gap(gap: &Gap, limits: &Limits) -> Result<(), Invalid> {
    word("cause of a gap", Some(gap.cause.as_str()), limits)
}

fn check_element(element: &str, unknown: &Extra, limits: &Limits) -> Result<(), Invalid> {
    text("element", Some(element), limits)?;
    extra("element", unknown, limits)
}

fn check_channel(channel: &Channel, limits: &Limits) -> Result<(), Invalid> {
    for part in [&channel.carrier, &channel.probe, &channel.name, &channel.unit] {
        text("channel", part.as_deref(), limits)?;
    }
    extra("channel", &channel.extra, limits)
}

fn check_time_base(base: TimeBase) -> Result<(), Invalid> {
    if base.rate_hz.is_finite() && base.rate_hz > 0.0 && base.origin_s.is_finite() {
        return Ok(());
    }
    Err(Invalid::new("time base", format!("rate {} Hz, origin {} s", base.rate_hz, base.origin_s))
        .hint("the rate is finite and greater than 0, the origin is finite"))
}

fn count(thing: &str, count: usize, limit: usize) -> Result<(), Invalid> {
    if count > limit {
        return Err(Invalid::new(thing, format!("{count} of them")).hint(format!("the limit is {limit}")));
    }
    Ok(())
}

fn text(thing: &str, text: Option<&str>, limits: &Limits) -> Result<(), Invalid> {
    bytes(thing, text, limits.text_bytes)
}

/// Checks what runs are filtered by.
pub(crate) fn word(thing: &str, word: Option<&str>, limits: &Limits) -> Result<(), Invalid> {
    bytes(thing, word, limits.word_bytes)
}

fn bytes(thing: &str, text: Option<&str>, limit: usize) -> Result<(), Invalid> {
    match text {
        Some(text) if text.len() > limit => {
            Err(Invalid::new(thing, format!("{} bytes", text.len())).hint(format!("the limit is {limit} bytes")))
        }
        _ => Ok(()),
    }
}

/// Unknown fields are kept, so they are bounded too. Their depth counts from
/// inside the document that holds them, which adds a few levels when it is read.
fn extra(thing: &str, unknown: &Extra, limits: &Limits) -> Result<(), Invalid> {
    if unknown.is_empty() {
        return Ok(());
    }
    let thing = || format!("unknown fields of a {thing}");
    let size = unknown.to_json().len();
    if size > limits.extra_bytes {
        return Err(
            Invalid::new(thing(), format!("{size} bytes")).hint(format!("the limit is {} bytes", limits.extra_bytes))
        );
    }
    if unknown.depth() > limits.json_depth {
        return Err(Invalid::new(thing(), format!("nested {} levels deep", unknown.depth()))
            .hint(format!("the limit is {}", limits.json_depth)));
    }
    Ok(())
}
