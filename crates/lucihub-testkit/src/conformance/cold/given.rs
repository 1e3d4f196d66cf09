//! What cases begin with: runs, cells and times made from small numbers.

use std::fmt::Debug;
use std::ops::Range;

use lucihub_models_core::cold::{Checkpoint, ColdStore, Commit, Committed, Created};
use lucihub_models_core::{
    Channel, DeviceId, DeviceType, Digest, FinalValue, Gap, GapCause, Grid, InputType, JobType, JsonText, LogCell,
    LogLine, Overload, Phase, PhaseChange, Positions, Relation, RelationKind, Result, RunHead, RunId, RunState,
    SampleCell, Series, StateChange, StoreError, TimeBase, Timestamp,
};

/// The run with a number.
pub(super) fn id(n: u64) -> RunId {
    format!("0198c1f0-3f5e-7000-8000-{n:012x}").parse().unwrap()
}

/// A device by name.
pub(super) fn device(name: &str) -> DeviceId {
    name.parse().unwrap()
}

/// A number of seconds after 2026-01-05T08:00:00Z.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_600_000_000_000 + seconds * 1_000_000).unwrap()
}

/// A document that stays as it is written.
pub(super) fn json(text: &str) -> JsonText {
    JsonText::from_stored(text)
}

/// A queued run created at its number of seconds, with the smallest cells.
pub(super) fn head(n: u64) -> RunHead {
    let mut head = RunHead::queued(id(n), JobType::Run, at(i64::try_from(n).unwrap()));
    head.grid = Grid { samples: 1_024, lines: 4 };
    head
}

/// A queued run with a value in every field that a new run may have.
pub(super) fn full_head(n: u64) -> RunHead {
    let mut head = head(n);
    head.states[0] = StateChange::new(RunState::Queued, at(1)).because("asked for");
    head.device = Some(device("lucidac-04:e9:e5"));
    head.device_type = Some(DeviceType::Lucidac);
    head.owner = Some("ada".into());
    head.labels = [("series", "pendulum"), ("step", "4")].map(|(k, v)| (k.into(), v.into())).into();
    head.input_type = Some(InputType::Circuit);
    head.input = Some(json("{ \"ic\": -0.0, \"k\": 1e4 }\n"));
    head.channels = vec![Channel::named("x").on("04-E9-E5-00-00-01", "ADC0").in_unit("V"), Channel::default()];
    head.time_base = Some(TimeBase { rate_hz: 12_500.5, origin_s: -0.25 });
    head.op_time_ns = Some(u64::MAX);
    head.ic_time_ns = Some(1);
    head.k0 = Some(u32::MAX);
    head.priority = Some(i32::MIN);
    head.related_to = vec![Relation::new(RelationKind::Verifies, id(900))];
    head.parameter_schema = Some("lucidac/7".into());
    head
}

/// A run as its worker has it after a number of states, 1 to 4; the last one
/// has ended.
pub(super) fn after_states(queued: &RunHead, states: usize) -> RunHead {
    let script = [
        StateChange::new(RunState::InProgress, at(100)),
        StateChange::new(RunState::from("calibrating"), at(90)).because("drift of 0.2 %"),
        StateChange::new(RunState::Succeeded, at(110)),
    ];
    let mut head = queued.clone();
    head.states.truncate(1);
    head.states.extend_from_slice(&script[..states - 1]);
    if states > 1 {
        head.worker = Some("worker-2".into());
        head.firmware = Some("1.2.0-rc.1".into());
        head.entity_digest = Some("2f".repeat(32));
        head.phases = vec![PhaseChange::new(Phase::Ic, at(101)).at_device_ns(u64::MAX).on("04-E9-E5-00-00-01")];
        head.overloads = vec![Overload::new("/0/M0/3", at(102)).at_sample(17)];
    }
    if states == 4 {
        head.output = Some(json("[1, 2.50, -0.0]\n"));
        head.error = Some("one element was overloaded".into());
        head.final_values = vec![FinalValue::new("/0/M0/3", -0.0), FinalValue::new("/0/M0/4", f64::INFINITY)];
    }
    head
}

/// The commit of a run that has ended.
pub(super) fn commit(queued: &RunHead, digest: u8) -> Commit {
    let head = after_states(queued, 4);
    let positions = Positions { states: 4, phases: 1, lines: 5, samples: vec![1_500, 0, 700] };
    Commit { head, positions, digest: Digest::of(&[digest]), at: at(120) }
}

/// Enters a run.
pub(super) async fn create(store: &dyn ColdStore, head: &RunHead) {
    assert_eq!(store.create(head).await.unwrap(), Created::Created);
}

/// Archives a run that was entered.
pub(super) async fn archive(store: &dyn ColdStore, queued: &RunHead) -> Commit {
    let commit = commit(queued, 1);
    assert_eq!(store.commit(&commit).await.unwrap(), Committed::Committed);
    commit
}

/// The sample of a channel at an index: a function, so that each one can be
/// checked without a record of what was written.
pub(super) fn value(channel: u32, index: u64) -> f64 {
    // Multiplying by an odd constant is a bijection of u32, so neighbours differ.
    let noise = u32::try_from(index & 0xffff_ffff).unwrap().wrapping_mul(2_654_435_761) ^ channel;
    (f64::from(noise) / f64::from(u32::MAX)).mul_add(2.5, -1.25)
}

/// Samples of a channel without a gap; they begin at the start of a cell of 1,024.
pub(super) fn samples(channel: u32, range: Range<u64>) -> SampleCell {
    assert_eq!(range.start % 1_024, 0, "a cell begins on the grid");
    let mut series = Series::starting_at(range.start);
    series.push_values(&range.clone().map(|index| value(channel, index)).collect::<Vec<_>>());
    SampleCell { channel, cell: range.start / 1_024, series }
}

/// A gap of known length, as a device leaves it.
pub(super) fn gap(range: Range<u64>) -> Gap {
    Gap::new(range, GapCause::Device)
}

/// Log lines in a cell of 4; `range` begins at the start of it.
pub(super) fn lines(range: Range<u64>) -> LogCell {
    assert_eq!(range.start % 4, 0, "a cell begins on the grid");
    let lines = range.clone().map(|n| LogLine::new(at(50), format!("line {n}")).level("info")).collect();
    LogCell { cell: range.start / 4, first: range.start, lines }
}

/// Both kinds of cells as one checkpoint.
pub(super) fn cells(lines: impl Into<Vec<LogCell>>, samples: impl Into<Vec<SampleCell>>) -> Checkpoint {
    Checkpoint { lines: lines.into(), samples: samples.into(), ..Checkpoint::default() }
}

/// Writes cells of a run that is open.
pub(super) async fn checkpoint(store: &dyn ColdStore, run: RunId, cells: &Checkpoint) {
    assert!(store.checkpoint(run, cells).await.unwrap(), "an open run takes cells");
}

/// The name of the error that an answer is; of a success it is `Ok`.
pub(super) fn refusal<T: Debug>(answer: &Result<T>) -> &'static str {
    match answer {
        Ok(_) => "Ok",
        Err(StoreError::NotFound { .. }) => "NotFound",
        Err(StoreError::AlreadyExists { .. }) => "AlreadyExists",
        Err(StoreError::Precondition { .. }) => "Precondition",
        Err(StoreError::Invalid(_)) => "Invalid",
        Err(StoreError::QuotaExceeded { .. }) => "QuotaExceeded",
        Err(StoreError::Unavailable { .. }) => "Unavailable",
        Err(StoreError::Unknown { .. }) => "Unknown",
        Err(StoreError::Full { .. }) => "Full",
        Err(StoreError::Corrupt { .. }) => "Corrupt",
        Err(StoreError::Model(_)) => "Model",
        Err(_) => "another error",
    }
}
