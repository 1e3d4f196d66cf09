//! What the demo's device measures: the built-in circuit, solved with RK4 and
//! read through a 14-bit ADC.

use std::ops::Range;

/// Channels of one LUCIDAC.
pub(super) const CHANNELS: usize = 8;
/// What they measure: the states of both systems and two products of the first.
pub(super) const NAMES: [&str; CHANNELS] = ["x1", "y1", "z1", "x2", "y2", "z2", "x1*z1", "x1*y1"];
/// Samples per second and channel: 500 kS/s over eight channels.
pub(super) const RATE_HZ: u32 = 62_500;
/// The time scale factor of the integrators.
pub(super) const K0: u32 = 10_000;
/// Samples of one channel in one message of the device.
pub(super) const CHUNK: u64 = 200;

/// One step of the ADC: 2.5 machine units over 14 bits.
const LSB: f64 = 2.5 / 16_384.0;

type State = [f64; 6];

/// Everything the device measures, whether or not it arrives.
#[derive(Debug)]
pub(super) struct Signals {
    channels: Vec<Vec<f64>>,
    samples: u64,
}

impl Signals {
    /// Solves the circuit for so many samples per channel.
    pub(super) fn solve(samples: u64) -> Self {
        let mut channels = vec![Vec::new(); CHANNELS];
        let mut state: State = [0.05, 0.0333, 0.4, 0.0505, 0.0333, 0.4];
        let step = f64::from(K0) / f64::from(RATE_HZ);
        for _ in 0..samples {
            let [x1, y1, z1, x2, y2, z2] = state;
            let probes = [x1, y1, z1, x2, y2, z2, x1 * z1, x1 * y1];
            for (channel, probe) in channels.iter_mut().zip(probes) {
                channel.push(measure(probe));
            }
            state = advance(&state, step);
        }
        Self { channels, samples }
    }

    /// Samples per channel over the whole run.
    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    /// The measured values of a channel in a range of indices.
    pub(super) fn values(&self, channel: usize, range: Range<u64>) -> &[f64] {
        // The range is within what was solved, which is in memory.
        let at = |index: u64| usize::try_from(index).unwrap_or(usize::MAX);
        &self.channels[channel][at(range.start)..at(range.end)]
    }

    /// The chunk that gets lost on its way, as a range of indices: the same on
    /// all channels, since a message carries all of them.
    pub(super) fn lost(&self) -> Range<u64> {
        let first = self.samples / CHUNK * 434 / 1_000 * CHUNK;
        first..first + CHUNK
    }

    /// Samples that arrive, over all channels.
    pub(super) fn expected_samples(&self) -> u64 {
        (self.samples - CHUNK) * CHANNELS as u64
    }

    /// What a channel reads when the run has ended.
    pub(super) fn last(&self, channel: usize) -> f64 {
        self.channels[channel].last().copied().unwrap_or(0.0)
    }
}

/// The ADC maps raw 0..=16383 to +1.25..-1.25 machine units, inverted.
fn measure(value: f64) -> f64 {
    let raw = ((1.25 - value) / LSB).round().clamp(0.0, 16_383.0);
    1.25 - raw * LSB
}

/// The right-hand sides as the circuit's coefficients give them: Lorenz scaled by
/// 20, 30 and 50, and slowed down fortyfold.
fn derive(s: &State) -> State {
    let lorenz = |x: f64, y: f64, z: f64| {
        [0.375 * y - 0.25 * x, 0.4667 * x - 0.025 * y - 0.8333 * x * z, 0.3 * x * y - 0.0667 * z]
    };
    let ([a, b, c], [d, e, f]) = (lorenz(s[0], s[1], s[2]), lorenz(s[3], s[4], s[5]));
    [a, b, c, d, e, f]
}

/// One classical Runge-Kutta step.
fn advance(s: &State, h: f64) -> State {
    let along = |d: &State, h: f64| -> State { std::array::from_fn(|i| s[i] + h * d[i]) };
    let k1 = derive(s);
    let k2 = derive(&along(&k1, h / 2.0));
    let k3 = derive(&along(&k2, h / 2.0));
    let k4 = derive(&along(&k3, h));
    std::array::from_fn(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}
