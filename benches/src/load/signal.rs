//! What is recorded: a function of run, channel and index.

use std::time::Duration;

use anyhow::{Result, ensure};
use lucihub_models_core::Series;
use lucihub_models_core::hot::LineSlice;

/// Channels of a run.
pub(super) const CHANNELS: u32 = 4;
/// Samples per second and channel.
pub(super) const RATE: u64 = 5_000;
/// Samples that come at once, per channel; a line comes with each.
pub(super) const CHUNK: u64 = 100;

/// A sample: a sawtooth of 14 bits, another one for every run and channel.
pub(super) fn sample(seed: u64, channel: u32, index: u64) -> f64 {
    let step = 3 + u64::from(channel);
    let at = index.wrapping_mul(step).wrapping_add(seed.wrapping_mul(977)).wrapping_add(u64::from(channel) * 131);
    (at % 16_384) as f64 / 8_192.0 - 1.0
}

/// A line.
pub(super) fn line(seed: u64, number: u64) -> String {
    format!("run {seed}, chunk {number}: integrators in range, ADC read")
}

/// When a sample is taken, from the beginning of OP.
pub(super) fn taken(index: u64) -> Duration {
    Duration::from_micros(index * 1_000_000 / RATE)
}

/// Whether a series goes on where the one before ended, has no gap, and has the right samples. Returns where it ends.
pub(super) fn check(seed: u64, channel: u32, next: u64, series: &Series) -> Result<u64> {
    let at = (series.first, series.end, series.values.len() as u64, series.gaps.len());
    ensure!(
        series.first == next && series.end - series.first == at.2 && at.3 == 0,
        "run {seed}, channel {channel}: (first, end, values, gaps) are {at:?} after {next}"
    );
    for (index, value) in (series.first..).zip(&series.values) {
        let right = sample(seed, channel, index);
        ensure!(value.to_bits() == right.to_bits(), "run {seed}, channel {channel}: {value} at {index} is not {right}");
    }
    Ok(series.end)
}

/// The same of lines.
pub(super) fn check_lines(seed: u64, next: u64, slice: &LineSlice) -> Result<u64> {
    ensure!(slice.first == next, "run {seed}: line {} after {next}", slice.first);
    for (number, found) in (slice.first..).zip(&slice.lines) {
        ensure!(found.text == line(seed, number), "run {seed}: line {number} is {:?}", found.text);
    }
    Ok(slice.end())
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{Gap, GapCause};

    use super::*;

    #[test]
    fn what_is_lost_doubled_or_another_is_noticed() {
        let series = |seed, range: std::ops::Range<u64>| {
            let mut series = Series::starting_at(range.start);
            series.push_values(&range.map(|index| sample(seed, 1, index)).collect::<Vec<_>>());
            series
        };
        assert_eq!(check(7, 1, 10, &series(7, 10..30)).ok(), Some(30));
        for (next, wrong) in [(11, series(7, 10..30)), (9, series(7, 10..30)), (10, series(8, 10..30))] {
            assert!(check(7, 1, next, &wrong).is_err());
        }
        let mut gap = series(7, 10..20);
        gap.push_gap(Gap::new(20..21, GapCause::Store));
        gap.append(&series(7, 21..30));
        assert!(check(7, 1, 10, &gap).is_err());
    }
}
