//! What is recorded: each value says where it belongs, so that any of it can be checked without a ledger.

use lucihub_models_core::RunId;

/// The value of a sample: a number that no other place of this or another run has, but for chance.
///
/// The low 48 bits are drawn from run, channel and index; the exponent keeps it an ordinary number near 1.
pub(crate) fn sample(run: RunId, channel: u32, index: u64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    f64::from_bits(0x3ff0_0000_0000_0000 | (drawn(run, u64::from(channel) + 1, index) & MANTISSA))
}

/// The text of a log line: where it belongs, in words.
pub(crate) fn line(run: RunId, number: u64) -> String {
    format!("{run} line {number} {:016x}", drawn(run, 0, number))
}

/// The output function of splitmix64 over the three, one after the other.
fn drawn(run: RunId, channel: u64, index: u64) -> u64 {
    let (high, low) = run.as_uuid().as_u64_pair();
    [low, channel, index].into_iter().fold(mix(high), |state, part| mix(state ^ mix(part)))
}

const fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
