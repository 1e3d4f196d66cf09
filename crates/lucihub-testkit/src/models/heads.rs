//! Heads of queued runs.

use lucihub_models_core::{
    Channel, DeviceType, IdSource, InputType, JobType, JsonText, RunHead, RunId, TimeBase, Timestamp,
};

use super::devices::device_id;
use crate::ids::SeededIds;

/// The carrier that every built channel is measured on.
const CARRIER: &str = "04-E9-E5-16-09-92";

/// When built runs are created: 2026-01-05T08:00:00Z, where a
/// [`ManualClock`](crate::ManualClock) begins.
const CREATED: i64 = 1_767_600_000_000_000;

/// The run id that a seed gives.
#[must_use]
pub fn run_id(seed: u64) -> RunId {
    SeededIds::new(seed).run_id()
}

/// A queued run with four channels, a device, an owner, labels and an input.
///
/// Different seeds give different ids; seed `n` is created `n` milliseconds
/// after 2026-01-05T08:00:00Z, for seeds up to a million.
///
/// ```
/// use lucihub_models_core::Limits;
/// let head = lucihub_testkit::models::run_head(7);
/// assert!(head.check_new(&Limits::default()).is_ok());
/// assert_eq!(head.channels.len(), 4);
/// ```
#[must_use]
pub fn run_head(seed: u64) -> RunHead {
    let millis = i64::try_from(seed % 1_000_000).unwrap_or(0);
    let mut head = queued(run_id(seed), CREATED + millis * 1_000, 4);
    head.owner = Some(format!("owner-{}", seed % 3));
    head.labels = [("experiment".to_owned(), format!("e{}", seed % 5)), ("note".to_owned(), "é\n\u{2028}".to_owned())]
        .into_iter()
        .collect();
    head
}

/// A queued run of the Lorenz system with this many channels, from 0 up.
#[must_use]
pub fn lorenz_head(channels: usize) -> RunHead {
    let mut head = queued(run_id(0x4c6f_7265_6e7a_0000 ^ channels as u64), CREATED, channels);
    head.labels = [("system".to_owned(), "lorenz".to_owned())].into_iter().collect();
    head
}

fn queued(id: RunId, created: i64, channels: usize) -> RunHead {
    let at = Timestamp::from_micros(created).unwrap_or(Timestamp::EPOCH);
    let mut head = RunHead::queued(id, JobType::Run, at);
    head.device = Some(device_id(1));
    head.device_type = Some(DeviceType::Lucidac);
    head.input_type = Some(InputType::Analang);
    head.input = Some(JsonText::from_stored(
        "{\"ode\": \"x' = 10*(y-x)\\ny' = x*(28-z)-y\\nz' = x*y-8/3*z\", \"ic\": [-0.0, 0.1, 1e-3]}",
    ));
    head.channels = (0..channels).map(channel).collect();
    head.time_base = Some(TimeBase::from_rate(10_000.0));
    head.op_time_ns = Some(100_000_000);
    head.k0 = Some(10_000);
    head
}

fn channel(number: usize) -> Channel {
    let name = ["x", "y", "z"].get(number).map_or_else(|| format!("u{number}"), |&name| name.to_owned());
    Channel::named(name).on(CARRIER, format!("ADC{number}"))
}
