//! Gathering what is pushed into the body of a batch.

use std::collections::HashMap;

use lucihub_models_core::{
    BatchBody, FinalValue, Gap, GapMark, HeadPatch, LogLine, Overload, PhaseChange, SampleBlock, StateChange,
};

/// A batch that is still growing.
#[derive(Debug, Default)]
pub(super) struct OpenBody {
    states: Vec<StateChange>,
    phases: Vec<PhaseChange>,
    lines: Vec<LogLine>,
    blocks: Vec<OpenBlock>,
    /// Per channel, its last block, if samples may still be added to it.
    growing: HashMap<u32, usize>,
    gaps: Vec<GapMark>,
    /// Per channel, its last gap.
    last_gap: HashMap<u32, usize>,
    overloads: Vec<Overload>,
    final_values: Vec<FinalValue>,
    patch: HeadPatch,
    bytes: usize,
}

#[derive(Debug)]
struct OpenBlock {
    channel: u32,
    first: u64,
    values: Vec<f64>,
}

impl OpenBody {
    /// What an entry costs beside its text; as [`BatchBody::size`] counts, or more.
    const ENTRY: usize = 64;

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn state(&mut self, change: StateChange) {
        self.bytes += change.size();
        self.states.push(change);
    }

    pub(super) fn phase(&mut self, change: PhaseChange) {
        self.bytes += change.size();
        self.phases.push(change);
    }

    pub(super) fn line(&mut self, line: LogLine) {
        self.bytes += line.size();
        self.lines.push(line);
    }

    pub(super) fn overload(&mut self, overload: Overload) {
        self.bytes += overload.size();
        self.overloads.push(overload);
    }

    pub(super) fn final_value(&mut self, value: FinalValue) {
        self.bytes += value.size();
        self.final_values.push(value);
    }

    /// Adds fields of the head; later ones win.
    pub(super) fn patch(&mut self, patch: HeadPatch) {
        self.bytes += Self::ENTRY + BatchBody { patch: patch.clone(), ..BatchBody::default() }.size();
        let mine = &mut self.patch;
        mine.channels = patch.channels.or_else(|| mine.channels.take());
        mine.time_base = patch.time_base.or(mine.time_base);
        mine.op_time_ns = patch.op_time_ns.or(mine.op_time_ns);
        mine.ic_time_ns = patch.ic_time_ns.or(mine.ic_time_ns);
        mine.firmware = patch.firmware.or_else(|| mine.firmware.take());
        mine.entity_digest = patch.entity_digest.or_else(|| mine.entity_digest.take());
        mine.output = patch.output.or_else(|| mine.output.take());
        mine.error = patch.error.or_else(|| mine.error.take());
    }

    /// Adds samples that follow the channel's last ones.
    pub(super) fn samples(&mut self, channel: u32, first: u64, values: &[f64]) {
        self.bytes += 8 * values.len();
        if let Some(&at) = self.growing.get(&channel) {
            self.blocks[at].values.extend_from_slice(values);
            return;
        }
        self.bytes += Self::ENTRY;
        self.growing.insert(channel, self.blocks.len());
        self.blocks.push(OpenBlock { channel, first, values: values.to_vec() });
    }

    /// Adds a gap that follows the channel's last samples. Gaps are put together up to so many samples.
    pub(super) fn gap(&mut self, channel: u32, gap: Gap, most: u64) {
        self.growing.remove(&channel);
        if let Some(&at) = self.last_gap.get(&channel) {
            let last = &mut self.gaps[at].gap;
            let goes_on = last.cause == gap.cause && last.inferred == gap.inferred && last.end == gap.first;
            if goes_on && gap.end - last.first <= most {
                last.end = gap.end;
                return;
            }
        }
        self.bytes += Self::ENTRY + gap.cause.as_str().len();
        self.last_gap.insert(channel, self.gaps.len());
        self.gaps.push(GapMark { channel, gap });
    }

    pub(super) fn close(self) -> BatchBody {
        BatchBody {
            states: self.states,
            phases: self.phases,
            lines: self.lines.into(),
            blocks: self
                .blocks
                .into_iter()
                .map(|b| SampleBlock { channel: b.channel, first: b.first, values: b.values.into() })
                .collect(),
            gaps: self.gaps,
            overloads: self.overloads,
            final_values: self.final_values,
            patch: self.patch,
        }
    }
}
