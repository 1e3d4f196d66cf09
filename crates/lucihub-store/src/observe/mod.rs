//! What the store tells of itself: metrics, spans and events, and how both storages are.
//!
//! Everything goes through the facades `metrics` and `tracing`. This library installs neither a recorder nor a
//! subscriber: a process that wants none pays for a look at a flag, once per batch, never per sample or line. No event
//! carries a payload, and no metric is labelled with a run.
//!
//! The names are stable: those of metrics stand in [`METRICS`], those of targets, spans and events in the project's
//! `docs/operations.md`, "Observability".

mod health;
pub(crate) mod keeping;
pub(crate) mod metrics;
pub(crate) mod reading;
pub(crate) mod recording;
pub(crate) mod telling;

pub use self::metrics::{METRICS, Metric, MetricKind, MetricUnit, describe};
pub use health::{ColdStanding, HotStanding, StoreHealth};

/// Where the events of recorders come from.
const RECORD: &str = "lucihub::record";
/// Where the spans and events of keepers come from.
const KEEPER: &str = "lucihub::keeper";
/// Where the events of readers come from.
const READ: &str = "lucihub::read";
/// Where it comes from that a store event was not noted.
const EVENTS: &str = "lucihub::events";
