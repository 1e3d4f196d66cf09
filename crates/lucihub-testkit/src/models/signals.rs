//! Signals: one that looks like an ADC's, and one that verifies itself.

use lucihub_models_core::RunId;

use crate::ids::mix;

/// One step of the 14-bit ADC, in machine units: 2.5 / 16384.
pub const ADC_LSB: f64 = 2.5 / 16_384.0;

/// The first `n` samples of a channel of the Lorenz system, as the ADC reads
/// them: whole steps of [`ADC_LSB`] from -1.25 to just below 1.25.
///
/// Channels 0, 1, 2 are x, y and z; further ones show the same from other
/// initial values.
///
/// ```
/// use lucihub_testkit::models::{ADC_LSB, adc_series};
/// let x = adc_series(0, 1_000);
/// assert!(x.iter().all(|v| (v / ADC_LSB).fract() == 0.0 && (-1.25..1.25).contains(v)));
/// assert_eq!(x[..500], adc_series(0, 500));
/// ```
#[must_use]
pub fn adc_series(channel: u32, n: usize) -> Vec<f64> {
    const STEP: f64 = 0.005;
    let axis = (channel % 3) as usize;
    let mut state = [0.1 + 0.01 * f64::from(channel / 3), 0.0, 25.0];
    let mut samples = Vec::with_capacity(n);
    for _ in 0..n {
        // x and y stay within about 30, z within 0 to 55: scaled into the machine unit.
        let scaled = [state[0] / 30.0, state[1] / 40.0, (state[2] - 25.0) / 30.0][axis];
        samples.push(quantise(scaled));
        state = runge_kutta(state, STEP);
    }
    samples
}

/// A sample as a pure function of where it is, so that any reader can verify
/// any sample without a ledger. It fills all 53 bits of the mantissa's range in
/// -1.25 to 1.25: two places agree by chance once in 2^52.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "the value has 53 bits")]
pub fn sample_value(run: RunId, channel: u32, index: u64) -> f64 {
    let (high, low) = run.as_uuid().as_u64_pair();
    let bits = mix(high ^ mix(low ^ mix(u64::from(channel) ^ mix(index))));
    let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    2.5 * share - 1.25
}

fn quantise(value: f64) -> f64 {
    (value / ADC_LSB).round().clamp(-8_192.0, 8_191.0) * ADC_LSB
}

fn lorenz([x, y, z]: [f64; 3]) -> [f64; 3] {
    [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z]
}

/// One step of the classical Runge-Kutta method of fourth order.
fn runge_kutta(at: [f64; 3], h: f64) -> [f64; 3] {
    let go = |slope: [f64; 3], h: f64| [0, 1, 2].map(|i| at[i] + h * slope[i]);
    let k1 = lorenz(at);
    let k2 = lorenz(go(k1, h / 2.0));
    let k3 = lorenz(go(k2, h / 2.0));
    let k4 = lorenz(go(k3, h));
    [0, 1, 2].map(|i| at[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}
