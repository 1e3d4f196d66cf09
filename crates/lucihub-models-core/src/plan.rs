//! What a batch does to a run: the checks that need the run, as pure code.

use std::sync::Arc;

use thiserror::Error;

use crate::batch::{BatchBody, HeadPatch};
use crate::check::{check_entries, check_parts, check_patch};
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
        check_parts(body, limits)?;
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
    // The order within a batch says nothing: it is applied whole.
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
