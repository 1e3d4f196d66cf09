//! The typical run: 8 channels of 100,000 samples as an ADC reads them, 500 lines, 6 states.

use lucihub_models_core::cold::{Checkpoint, Commit};
use lucihub_models_core::{
    Digest, LogCell, LogLine, Positions, RunHead, RunState, SampleCell, Series, StateChange, Timestamp,
};
use lucihub_testkit::models::{adc_series, lines, lorenz_head, run_id};

/// Channels of a run.
pub(crate) const CHANNELS: u32 = 8;
/// Samples of a cell.
pub(crate) const CELL: usize = 65_536;
/// Log lines of a run.
pub(crate) const LINES: usize = 500;
/// The states that a worker writes between `queued` and the end.
pub(crate) const STATES: [&str; 4] = ["inprogress", "calibrating", "sampling", "reading_out"];

/// What a typical run records.
#[derive(Debug)]
pub(crate) struct Typical {
    /// Samples, per channel.
    pub(crate) channels: Vec<Vec<f64>>,
    /// Log lines.
    pub(crate) lines: Vec<LogLine>,
}

impl Typical {
    /// With so many samples per channel.
    pub(crate) fn new(samples: usize) -> Self {
        Self { channels: (0..CHANNELS).map(|c| adc_series(c, samples)).collect(), lines: lines(LINES) }
    }

    /// All samples.
    pub(crate) fn samples(&self) -> usize {
        self.channels.iter().map(Vec::len).sum()
    }

    /// Its cells.
    pub(crate) fn cells(&self) -> Checkpoint {
        let samples = (0..).zip(&self.channels).flat_map(|(channel, values)| cells(channel, values)).collect();
        Checkpoint {
            lines: vec![LogCell { cell: 0, first: 0, lines: self.lines.clone() }],
            samples,
            ..Checkpoint::default()
        }
    }

    /// Its end, for a head that was created.
    pub(crate) fn commit(&self, head: &RunHead) -> Commit {
        let mut head = head.clone();
        let end = STATES.into_iter().chain(["succeeded"]).map(RunState::from);
        head.states.extend(end.map(|state| StateChange::new(state, Timestamp::EPOCH)));
        let mut positions =
            Positions { states: head.states.len() as u64, lines: self.lines.len() as u64, ..Positions::default() };
        for (channel, values) in (0..).zip(&self.channels) {
            positions.set_sample(channel, values.len() as u64);
        }
        // Any digest will do: who commits has computed it.
        Commit { head, positions, digest: Digest::of(b"bench"), at: Timestamp::EPOCH }
    }
}

/// A channel on the grid.
pub(crate) fn cells(channel: u32, values: &[f64]) -> impl Iterator<Item = SampleCell> {
    cells_from(channel, 0, values)
}

/// A part of a channel, from the beginning of a cell on.
pub(crate) fn cells_from(channel: u32, number: u64, values: &[f64]) -> impl Iterator<Item = SampleCell> {
    (number..).zip(values.chunks(CELL)).map(move |(cell, part)| {
        let mut series = Series::starting_at(cell * CELL as u64);
        series.push_values(part);
        SampleCell { channel, cell, series }
    })
}

/// A queued run of so many channels, its id from a seed.
pub(crate) fn head(seed: u64, channels: u32) -> RunHead {
    let mut head = lorenz_head(channels as usize);
    head.id = run_id(seed);
    head
}

/// Smooth samples that no ADC has rounded: every bit of the mantissa is in use.
pub(crate) fn smooth(channel: u32, n: usize) -> Vec<f64> {
    let shift = f64::from(channel);
    (0..n).map(|i| 0.8 * (0.0021 * i as f64 + shift).sin() + 0.15 * (0.013 * i as f64).cos()).collect()
}
