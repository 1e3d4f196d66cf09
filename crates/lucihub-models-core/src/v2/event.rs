//! What a device reports beside samples: phases, overloads, final values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extra::Extra;
use crate::open_text::open_text;
use crate::timestamp::Timestamp;

open_text! {
    /// What a carrier does, in the firmware's words. The list is open.
    Phase, "The phase of a carrier" {
        /// Known to the carrier.
        New = "NEW",
        /// Waiting on the carrier.
        Queued = "QUEUED",
        /// About to start.
        TakeOff = "TAKE_OFF",
        /// Integrators load their initial values.
        Ic = "IC",
        /// Integrating and sampling.
        Op = "OP",
        /// Integration has ended.
        OpEnd = "OP_END",
        /// All is over; stragglers may still come.
        Done = "DONE",
        /// Failed; final for the carrier.
        Error = "ERROR",
        /// Halted; it may resume.
        TmpHalt = "TMP_HALT",
    }
}

/// A carrier changed its phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PhaseChange {
    /// The phase from then on.
    pub phase: Phase,
    /// When the message came, by the worker's clock.
    pub at: Timestamp,
    /// The device's own time, in nanoseconds since it took the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "ns"))]
    pub device_ns: Option<u64>,
    /// Which carrier, by MAC; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl PhaseChange {
    /// A change of phase on all carriers.
    #[must_use]
    pub fn new(phase: Phase, at: Timestamp) -> Self {
        Self { phase, at, device_ns: None, carrier: None, extra: Extra::default() }
    }

    /// Gives the device's own time, in nanoseconds.
    #[must_use]
    pub const fn at_device_ns(mut self, ns: u64) -> Self {
        self.device_ns = Some(ns);
        self
    }

    /// Says which carrier.
    #[must_use]
    pub fn on(mut self, carrier: impl Into<String>) -> Self {
        self.carrier = Some(carrier.into());
        self
    }
}

/// A computing element left its range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Overload {
    /// Which element, by its path on the device.
    pub element: String,
    /// When the message came, by the worker's clock.
    pub at: Timestamp,
    /// The sample index at that moment, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "sample"))]
    pub sample: Option<u64>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Overload {
    /// An overload of an element.
    #[must_use]
    pub fn new(element: impl Into<String>, at: Timestamp) -> Self {
        Self { element: element.into(), at, sample: None, extra: Extra::default() }
    }

    /// Gives the sample index at that moment.
    #[must_use]
    pub const fn at_sample(mut self, index: u64) -> Self {
        self.sample = Some(index);
        self
    }
}

/// What an element read when the run had ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FinalValue {
    /// Which element, by its path on the device.
    pub element: String,
    /// The value, in machine units, bit for bit.
    #[serde(with = "crate::exact::one")]
    #[schemars(with = "crate::exact::ExactF64", extend("x-unit" = "machine unit"))]
    pub value: f64,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl FinalValue {
    /// A final value of an element.
    #[must_use]
    pub fn new(element: impl Into<String>, value: f64) -> Self {
        Self { element: element.into(), value, extra: Extra::default() }
    }
}
