//! Whether a server has exactly what writers brought.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{HotLogs, HotRuns, HotSamples};
use lucihub_models_core::{RunId, StoreError};
use lucihub_testkit::models::sample_value;

use super::writer::{CHANNELS, SAMPLES, line};

use crate::redis::raw::Raw;

/// Asserts that a run is what its first `batches` bring: nothing lost, twice, or in another order.
pub(super) async fn exact(hot: &RedisHot, run: RunId, batches: u64) {
    let seen = hot.get(run).await.unwrap().expect("the run is there");
    assert_eq!((seen.last_seq, seen.next.lines), (batches, batches), "run {run}");
    assert_eq!(seen.next.samples, vec![batches * SAMPLES; CHANNELS as usize], "run {run}");
    let lines = hot.lines(run, 0..u64::MAX).await.unwrap().unwrap();
    assert!(lines.first == 0 && lines.lines.len() as u64 == batches, "run {run}: {} lines", lines.lines.len());
    assert!((0..).zip(&lines.lines).all(|(number, have)| *have == line(run, number)), "run {run}: other lines");
    for channel in 0..CHANNELS {
        let series = hot.window(run, channel, 0..u64::MAX).await.unwrap().unwrap();
        assert!(series.first == 0 && series.gaps.is_empty(), "run {run}, channel {channel}: {:?}", series.gaps);
        assert_values(run, channel, 0, &series.values);
        assert_eq!(series.values.len() as u64, batches * SAMPLES, "run {run}, channel {channel}");
    }
}

#[track_caller]
fn assert_values(run: RunId, channel: u32, first: u64, values: &[f64]) {
    let wrong = (first..).zip(values).find(|(index, v)| v.to_bits() != sample_value(run, channel, *index).to_bits());
    assert!(wrong.is_none(), "run {run}, channel {channel}: {wrong:?} is of another place");
}

/// The same of the samples, past the adapter: entry by entry, as the server has them.
pub(super) fn exact_stored(raw: &dyn Raw, prefix: &str, run: RunId, batches: u64) {
    const HEX: &str = "local all = {} for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do \
        all[#all + 1] = entry[1] .. ' ' .. string.gsub(entry[2][2], '.', function(c) \
        return string.format('%02x', string.byte(c)) end) end return all";
    /// Format, checksum, kind.
    const HEADER: usize = 6;
    let stem = format!("{prefix}:{{{run}}}");
    // Incarnation, writer, epoch, the number of the last batch, its digest.
    let tip = raw.cli(&stem, &["HGET", &format!("{stem}:run"), "tip"]);
    assert_eq!(tip.split('.').nth(3), Some(&*batches.to_string()), "run {run}: {tip}");
    assert_eq!(raw.cli(&stem, &["XLEN", &format!("{stem}:log")]), batches.to_string(), "run {run}: its log");
    for channel in 0..CHANNELS {
        let key = format!("{stem}:s:{channel}");
        let mut end = 0;
        for entry in raw.cli(&key, &["EVAL", HEX, "1", &key]).lines() {
            let (id, hex) = entry.split_once("-0 ").unwrap_or_else(|| panic!("{key}: {entry}"));
            let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| hex[at..at + 2].parse_hex()).collect();
            let values: Vec<f64> =
                bytes[HEADER..].chunks_exact(8).map(|v| f64::from_le_bytes(v.try_into().unwrap())).collect();
            assert_values(run, channel, end, &values);
            end += values.len() as u64;
            assert_eq!(id, end.to_string(), "{key}");
        }
        assert_eq!(end, batches * SAMPLES, "{key}");
    }
}

trait Hex {
    fn parse_hex(&self) -> u8;
}

impl Hex for str {
    fn parse_hex(&self) -> u8 {
        u8::from_str_radix(self, 16).unwrap()
    }
}

/// Reads runs again and again, until it is told to stop; returns how often it read one. All that is read must be whole
/// and right; that the store cannot be reached is no fault.
pub(super) async fn read_along(hot: RedisHot, runs: Vec<RunId>, stop: Arc<AtomicBool>) -> u64 {
    let mut reads = 0;
    while !stop.load(Ordering::SeqCst) {
        for &run in &runs {
            match read_once(&hot, run).await {
                Ok(()) => reads += 1,
                Err(StoreError::Unavailable { .. }) => {}
                Err(error) => panic!("a reader: {error}"),
            }
        }
        tokio::task::yield_now().await;
    }
    reads
}

async fn read_once(hot: &RedisHot, run: RunId) -> Result<(), StoreError> {
    let seen = hot.get(run).await?.expect("the run is there").next;
    let samples = seen.lines * SAMPLES;
    assert!((0..CHANNELS).all(|channel| seen.sample(channel) == samples), "run {run}: torn at {seen:?}");
    let channel = CHANNELS - 1;
    // In the middle of a block, and some blocks long.
    let first = samples.saturating_sub(40 * SAMPLES + 7);
    let series = hot.window(run, channel, first..samples).await?.expect("the run is there");
    assert_values(run, channel, series.first, &series.values);
    let lines = hot.lines(run, seen.lines.saturating_sub(3)..seen.lines).await?.expect("the run is there");
    assert!((lines.first..).zip(&lines.lines).all(|(number, have)| *have == line(run, number)), "run {run}");
    Ok(())
}
