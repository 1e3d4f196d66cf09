//! What a batch does to a run: the checks that need the run, as pure code.

use std::sync::Arc;

use thiserror::Error;

use crate::batch::{BatchBody, HeadPatch};
use crate::error::Invalid;
use crate::latest::{Gap, GapCause, RunHead, RunState, StateChange};
use crate::limits::Limits;
use crate::position::Positions;
use crate::transition::Step;

/// Why a batch was refused. Nothing of it was written and its number is free.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reject {
    /// It passes a limit, or a part of it is malformed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Samples or a gap begin before the channel's next index, or overlap.
    #[error("channel {channel}: index {first} is before the next index {next}; samples are appended in order")]
    SampleOrder {
        /// The channel.
        channel: u32,
        /// Where the samples begin.
        first: u64,
        /// Where they may begin.
        next: u64,
    },
    /// A channel that the run does not have.
    #[error("channel {channel} is not one of the run's {channels}; describe it first")]
    NoChannel {
        /// The channel.
        channel: u32,
        /// How many the run has.
        channels: usize,
    },
    /// A state that may not follow the present one.
    #[error("a run in state {from} may not become {to}")]
    State {
        /// The present state.
        from: RunState,
        /// The state asked for.
        to: RunState,
    },
}

/// A stretch of one channel: samples, or a gap.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Consecutive samples.
    Block {
        /// The index of the first one.
        first: u64,
        /// The samples.
        values: Arc<[f64]>,
    },
    /// Missing samples.
    Gap(Gap),
}

impl Piece {
    /// The first index.
    #[must_use]
    pub const fn first(&self) -> u64 {
        match self {
            Self::Block { first, .. } => *first,
            Self::Gap(gap) => gap.first,
        }
    }

    /// The index after the last one.
    #[must_use]
    pub fn end(&self) -> u64 {
        match self {
            Self::Block { first, values } => first.saturating_add(values.len() as u64),
            Self::Gap(gap) => gap.end,
        }
    }
}

/// What a batch that passed all checks will write.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The changes of state that are changes, in order; repeats are left out.
    pub states: Vec<StateChange>,
    /// Per channel, ascending: stretches that tile its indices without a hole.
    pub pieces: Vec<(u32, Vec<Piece>)>,
}

impl Plan {
    /// Checks a body against limits and against the run it is for, and says
    /// what it will write.
    ///
    /// # Errors
    /// [`Reject`] with the first reason; nothing may be written then.
    pub fn new(body: &BatchBody, head: &RunHead, next: &Positions, limits: &Limits) -> Result<Self, Reject> {
        check_sizes(body, limits)?;
        check_entries(body, head, limits)?;
        check_patch(&body.patch, head, limits)?;
        let channels = body.patch.channels.as_ref().map_or(head.channels.len(), Vec::len);
        Ok(Self { states: plan_states(body, head)?, pieces: plan_pieces(body, channels, next, limits)? })
    }

    /// Moves positions on by what the batch writes.
    pub fn advance(&self, body: &BatchBody, at: &mut Positions) {
        at.states += self.states.len() as u64;
        at.phases += body.phases.len() as u64;
        at.lines += body.lines.len() as u64;
        for (channel, pieces) in &self.pieces {
            if let Some(last) = pieces.last() {
                at.set_sample(*channel, last.end());
            }
        }
    }

    /// The state that seals the run, if the batch ends it.
    #[must_use]
    pub fn seal(&self) -> Option<&RunState> {
        self.states.last().map(|change| &change.state).filter(|state| state.is_terminal())
    }
}

impl RunHead {
    /// Writes the head's part of a batch.
    pub fn apply(&mut self, body: &BatchBody, plan: &Plan) {
        self.states.extend_from_slice(&plan.states);
        self.phases.extend_from_slice(&body.phases);
        self.overloads.extend_from_slice(&body.overloads);
        self.final_values.extend_from_slice(&body.final_values);
        let HeadPatch { channels, time_base, op_time_ns, ic_time_ns, firmware, entity_digest, output, error } =
            body.patch.clone();
        if let Some(channels) = channels {
            self.channels = channels;
        }
        self.time_base = time_base.or(self.time_base);
        self.op_time_ns = op_time_ns.or(self.op_time_ns);
        self.ic_time_ns = ic_time_ns.or(self.ic_time_ns);
        self.firmware = firmware.or_else(|| self.firmware.take());
        self.entity_digest = entity_digest.or_else(|| self.entity_digest.take());
        self.output = output.or_else(|| self.output.take());
        self.error = error.or_else(|| self.error.take());
    }

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
        count("channels", self.channels.len(), limits.channels)?;
        check_labels(&self.labels, limits)?;
        let texts = [
            ("owner", &self.owner),
            ("error", &self.error),
            ("worker", &self.worker),
            ("firmware", &self.firmware),
            ("entity digest", &self.entity_digest),
            ("parameter schema", &self.parameter_schema),
        ];
        for (thing, value) in texts {
            text(thing, value.as_deref(), limits)?;
        }
        text("type", Some(self.job_type.as_str()), limits)?;
        text("input type", self.input_type.as_ref().map(crate::InputType::as_str), limits)?;
        check_channels(&self.channels, limits)?;
        self.time_base.map_or(Ok(()), check_time_base)
    }
}

/// Checks the labels of a run: how many, and how long.
///
/// # Errors
/// [`Invalid`] naming the label and the limit.
pub fn check_labels(labels: &std::collections::BTreeMap<String, String>, limits: &Limits) -> Result<(), Invalid> {
    count("labels", labels.len(), limits.labels)?;
    for (name, value) in labels {
        if name.is_empty() {
            return Err(Invalid::new("labels", "a label has no name"));
        }
        text("label name", Some(name), limits)?;
        text("label value", Some(value), limits)?;
    }
    Ok(())
}

fn count(thing: &str, count: usize, limit: usize) -> Result<(), Invalid> {
    if count > limit {
        return Err(Invalid::new(thing, format!("{count} of them")).hint(format!("the limit is {limit}")));
    }
    Ok(())
}

fn text(thing: &str, text: Option<&str>, limits: &Limits) -> Result<(), Invalid> {
    match text {
        Some(text) if text.len() > limits.text_bytes => Err(Invalid::new(thing, format!("{} bytes", text.len()))
            .hint(format!("the limit is {} bytes", limits.text_bytes))),
        _ => Ok(()),
    }
}

fn check_channels(channels: &[crate::Channel], limits: &Limits) -> Result<(), Invalid> {
    for channel in channels {
        for part in [&channel.carrier, &channel.probe, &channel.name, &channel.unit] {
            text("channel", part.as_deref(), limits)?;
        }
    }
    Ok(())
}

fn check_time_base(base: crate::TimeBase) -> Result<(), Invalid> {
    if base.rate_hz.is_finite() && base.rate_hz > 0.0 && base.origin_s.is_finite() {
        return Ok(());
    }
    Err(Invalid::new("time base", format!("rate {} Hz, origin {} s", base.rate_hz, base.origin_s))
        .hint("the rate is finite and greater than 0, the origin is finite"))
}

fn check_sizes(body: &BatchBody, limits: &Limits) -> Result<(), Invalid> {
    let size = body.size();
    if size > limits.batch_bytes {
        return Err(Invalid::new("batch", format!("{size} bytes"))
            .hint(format!("the limit is {} bytes; split it", limits.batch_bytes)));
    }
    if let Some(line) = body.lines.iter().find(|line| line.text.len() > limits.line_bytes) {
        return Err(Invalid::new("log line", format!("{} bytes", line.text.len()))
            .hint(format!("the limit is {} bytes; cut it", limits.line_bytes)));
    }
    for line in body.lines.iter() {
        text("log level", line.level.as_deref(), limits)?;
        text("log source", line.source.as_deref(), limits)?;
    }
    for change in &body.states {
        text("state", Some(change.state.as_str()), limits)?;
        text("reason", change.reason.as_deref(), limits)?;
    }
    for change in &body.phases {
        text("phase", Some(change.phase.as_str()), limits)?;
        text("carrier", change.carrier.as_deref(), limits)?;
    }
    for element in body.overloads.iter().map(|o| &o.element).chain(body.final_values.iter().map(|v| &v.element)) {
        text("element", Some(element), limits)?;
    }
    Ok(())
}

fn check_entries(body: &BatchBody, head: &RunHead, limits: &Limits) -> Result<(), Invalid> {
    let most = limits.head_entries;
    count("states", head.states.len() + body.states.len(), most)?;
    count("phases", head.phases.len() + body.phases.len(), most)?;
    count("overloads", head.overloads.len() + body.overloads.len(), most)?;
    count("final values", head.final_values.len() + body.final_values.len(), most)
}

fn check_patch(patch: &HeadPatch, head: &RunHead, limits: &Limits) -> Result<(), Invalid> {
    if let Some(channels) = &patch.channels {
        count("channels", channels.len(), limits.channels)?;
        if channels.len() < head.channels.len() {
            return Err(Invalid::new("channels", format!("{} of them", channels.len()))
                .hint(format!("the run has {} already, they never become fewer", head.channels.len())));
        }
        check_channels(channels, limits)?;
    }
    patch.time_base.map_or(Ok(()), check_time_base)?;
    for (thing, value) in
        [("firmware", &patch.firmware), ("entity digest", &patch.entity_digest), ("error", &patch.error)]
    {
        text(thing, value.as_deref(), limits)?;
    }
    patch.output.as_ref().map_or(Ok(()), |json| json.check("output", limits))
}

fn plan_states(body: &BatchBody, head: &RunHead) -> Result<Vec<StateChange>, Reject> {
    let mut present = head.state();
    let mut changes = Vec::new();
    for change in &body.states {
        match present.step_to(&change.state) {
            Some(Step::Change) => changes.push(change.clone()),
            Some(Step::Repeat) => {}
            None => return Err(Reject::State { from: present.clone(), to: change.state.clone() }),
        }
        present = &change.state;
    }
    Ok(changes)
}

fn plan_pieces(
    body: &BatchBody,
    channels: usize,
    next: &Positions,
    limits: &Limits,
) -> Result<Vec<(u32, Vec<Piece>)>, Reject> {
    let blocks = body.blocks.iter().map(|b| (b.channel, Piece::Block { first: b.first, values: b.values.clone() }));
    let gaps = body.gaps.iter().map(|mark| (mark.channel, Piece::Gap(mark.gap.clone())));
    let mut all: Vec<(u32, Piece)> = blocks.chain(gaps).collect();
    // Stable, so that blocks out of order stay so and are refused below.
    all.sort_by_key(|(channel, piece)| (*channel, piece.first()));
    let mut planned: Vec<(u32, Vec<Piece>)> = Vec::new();
    for (channel, piece) in all {
        if channel as usize >= channels {
            return Err(Reject::NoChannel { channel, channels });
        }
        let (first, end) = (piece.first(), piece.end());
        let at = match planned.last() {
            Some((last, pieces)) if *last == channel => pieces.last().map_or(0, Piece::end),
            _ => next.sample(channel),
        };
        check_stretch(channel, first..end, at, limits)?;
        if !matches!(planned.last(), Some((last, _)) if *last == channel) {
            planned.push((channel, Vec::new()));
        }
        let Some((_, pieces)) = planned.last_mut() else { continue };
        if first > at {
            pieces.push(Piece::Gap(Gap::new(at..first, GapCause::Device)));
        }
        pieces.push(piece);
    }
    Ok(planned)
}

fn check_stretch(channel: u32, range: std::ops::Range<u64>, next: u64, limits: &Limits) -> Result<(), Reject> {
    if range.is_empty() {
        return Err(Invalid::new(format!("channel {channel}"), format!("nothing at index {}", range.start))
            .hint("leave empty blocks and gaps out")
            .into());
    }
    if range.start < next {
        return Err(Reject::SampleOrder { channel, first: range.start, next });
    }
    if range.end > limits.samples {
        return Err(Invalid::new(format!("channel {channel}"), format!("{} samples", range.end))
            .hint(format!("the limit is {}", limits.samples))
            .into());
    }
    // Samples fit a batch, so all that passes this limit is a jump or a gap.
    let skipped = (range.start - next).max(range.end - range.start);
    if skipped > limits.gap {
        return Err(Invalid::new(format!("channel {channel}"), format!("a gap of {skipped} samples"))
            .hint(format!("the limit is {}", limits.gap))
            .into());
    }
    Ok(())
}
