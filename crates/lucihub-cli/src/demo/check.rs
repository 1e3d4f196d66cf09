//! Comparing what was read back with what was recorded.

use lucihub_models_core::{Gap, GapCause, Run, RunHead, RunState, Series};

use super::lorenz::{CHANNELS, Signals};
use crate::failure::Failure;

/// Compares every bit: samples, gaps, input, number of channels, state.
pub(super) fn compare(back: &Run, created: &RunHead, signals: &Signals) -> Result<(), Failure> {
    let same = back.series.len() == CHANNELS
        && back.series.iter().enumerate().all(|(channel, series)| *series == expected(signals, channel))
        && back.head.input == created.input
        && back.head.labels == created.labels
        && back.head.state() == &RunState::Succeeded;
    if same { Ok(()) } else { Err(Failure::Differs(created.id)) }
}

/// `Series` compares bit for bit.
fn expected(signals: &Signals, channel: usize) -> Series {
    let lost = signals.lost();
    let mut series = Series::starting_at(0);
    series.push_values(signals.values(channel, 0..lost.start));
    series.push_gap(Gap::new(lost.clone(), GapCause::Device));
    series.push_values(signals.values(channel, lost.end..signals.samples()));
    series
}
