//! What a channel is, and how its index becomes a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extra::Extra;

/// One channel. Its number is its place in the run's list, from 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Channel {
    /// The carrier it is measured on, by MAC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["04-E9-E5-00-00-01"]))]
    pub carrier: Option<String>,
    /// The probe on the carrier, for example the ADC input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["ADC0"]))]
    pub probe: Option<String>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["x"]))]
    pub name: Option<String>,
    /// The unit of its values; machine units if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["V"]))]
    pub unit: Option<String>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Channel {
    /// A channel with a name.
    ///
    /// ```
    /// use lucihub_models_core::Channel;
    /// let x = Channel::named("x").on("04-E9-E5-00-00-01", "ADC0");
    /// assert_eq!(x.probe.as_deref(), Some("ADC0"));
    /// ```
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// Says where it is measured.
    #[must_use]
    pub fn on(mut self, carrier: impl Into<String>, probe: impl Into<String>) -> Self {
        self.carrier = Some(carrier.into());
        self.probe = Some(probe.into());
        self
    }

    /// Says what unit its values have.
    #[must_use]
    pub fn in_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }
}

/// How a sample index becomes a time: `t = origin_s + index / rate_hz`. Closed,
/// as all coordinates are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeBase {
    /// Samples per second and channel.
    #[serde(serialize_with = "finite")]
    #[schemars(extend("x-unit" = "Hz", "examples" = [10_000.0]))]
    pub rate_hz: f64,
    /// The time of sample 0, in seconds from the start of OP.
    #[serde(default, serialize_with = "finite")]
    #[schemars(extend("x-unit" = "s", "examples" = [0.0]))]
    pub origin_s: f64,
}

/// JSON has no other numbers: they would become `null`, which no reader takes.
fn finite<S: serde::Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if !number.is_finite() {
        return Err(serde::ser::Error::custom(format!("a time base with {number}")));
    }
    serializer.serialize_f64(*number)
}

impl TimeBase {
    /// A time base whose sample 0 is at the start of OP.
    #[must_use]
    pub const fn from_rate(rate_hz: f64) -> Self {
        Self { rate_hz, origin_s: 0.0 }
    }

    /// The time of a sample, in seconds from the start of OP.
    #[expect(clippy::cast_precision_loss, reason = "an index past 2^53 lasts 285 years at 1 MHz")]
    #[must_use]
    pub fn seconds(&self, index: u64) -> f64 {
        self.origin_s + index as f64 / self.rate_hz
    }

    /// The first sample at or after a time in seconds from the start of OP.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate, NaN becomes 0")]
    #[must_use]
    pub fn index(&self, seconds: f64) -> u64 {
        let exact = (seconds - self.origin_s) * self.rate_hz;
        // 0.3 s at 10 Hz is sample 3, though 0.3 * 10 is a little more or less than 3.
        let nearest = exact.round();
        // Far from 0 the numbers are further apart than that.
        let near = (nearest.abs() * 4.0 * f64::EPSILON).max(1e-6);
        if (exact - nearest).abs() <= near { nearest as u64 } else { exact.ceil() as u64 }
    }
}
