//! What the first schema's code wrote into the files of `tests/fixtures/`; see the README there. Never changed: the
//! files cannot be made again.

use lucihub_models_core::cold::{Checkpoint, Commit};
use lucihub_models_core::{
    Channel, Device, DeviceType, Digest, FinalValue, Gap, GapCause, Grid, InputType, JobType, JsonText, LogCell,
    LogLine, Overload, Phase, PhaseChange, Positions, Relation, RelationKind, RunHead, RunId, RunState, SampleCell,
    Series, StateChange, TimeBase, Timestamp,
};

/// One run, in the order in which it was written.
pub(crate) struct Given {
    pub(crate) queued: RunHead,
    pub(crate) cells: Checkpoint,
    pub(crate) commit: Option<Commit>,
    pub(crate) released: bool,
}

impl Given {
    fn open(queued: RunHead) -> Self {
        Self { queued, cells: Checkpoint::default(), commit: None, released: false }
    }

    /// What reading it gives.
    pub(crate) fn head(&self) -> &RunHead {
        self.commit.as_ref().map_or(&self.queued, |commit| &commit.head)
    }
}

fn id(n: u64) -> RunId {
    format!("0198c1f0-3f5e-7000-8000-{n:012x}").parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_600_000_000_007 + seconds * 1_000_000).unwrap()
}

fn head(n: u64) -> RunHead {
    let mut head = RunHead::queued(id(n), JobType::Run, at(i64::try_from(n).unwrap()));
    head.grid = Grid { samples: 1_024, lines: 4 };
    head
}

/// The sample of a channel at an index.
fn value(channel: u32, index: u64) -> f64 {
    f64::from(u32::try_from(index % 7_919).unwrap()) / 8_192.0 - f64::from(channel)
}

/// All runs, oldest first.
pub(crate) fn runs() -> Vec<Given> {
    vec![Given::open(head(1)), archived(), under_way(), failed()]
}

/// Something in every field.
fn archived() -> Given {
    let mut queued = head(2);
    queued.states[0] = StateChange::new(RunState::Queued, at(2)).because("asked for");
    queued.device = Some("lucidac-0001".parse().unwrap());
    queued.device_type = Some(DeviceType::Lucidac);
    queued.owner = Some("ada".into());
    queued.labels = [("series", "pendulum"), ("step", "4")].map(|(k, v)| (k.into(), v.into())).into();
    queued.input_type = Some(InputType::Circuit);
    queued.input = Some(JsonText::from_stored("{ \"ic\": -0.0, \"k\": 1e4, \"nul\": \"\\u0000\" }\n"));
    queued.channels =
        vec![Channel::named("x").on("04-E9-E5-00-00-01", "ADC0").in_unit("V"), Channel::named("y"), Channel::default()];
    queued.time_base = Some(TimeBase { rate_hz: 12_500.5, origin_s: -0.25 });
    queued.op_time_ns = Some(u64::MAX);
    queued.ic_time_ns = Some(1);
    queued.k0 = Some(u32::MAX);
    queued.priority = Some(i32::MIN);
    queued.related_to = vec![Relation::new(RelationKind::Verifies, id(1))];
    queued.parameter_schema = Some("lucidac/7".into());

    let mut ended = queued.clone();
    ended.states.push(StateChange::new(RunState::InProgress, at(100)));
    ended.states.push(StateChange::new(RunState::from("calibrating"), at(101)).because("drift of 0.2 %"));
    ended.states.push(StateChange::new(RunState::Succeeded, at(110)));
    ended.worker = Some("worker-2".into());
    ended.firmware = Some("1.2.0-rc.1".into());
    ended.entity_digest = Some("2f".repeat(32));
    ended.phases = vec![PhaseChange::new(Phase::Ic, at(101)).at_device_ns(u64::MAX).on("04-E9-E5-00-00-01")];
    ended.overloads = vec![Overload::new("/0/M0/3", at(102)).at_sample(17)];
    ended.output = Some(JsonText::from_stored("[1, 2.50, -0.0]\n"));
    ended.final_values = vec![FinalValue::new("/0/M0/3", -0.0), FinalValue::new("/0/M0/4", f64::INFINITY)];

    let positions = Positions { states: 4, phases: 1, lines: 5, samples: vec![1_500, 1_024, 4] };
    let commit = Commit { head: ended, positions, digest: Digest::of(b"archived"), at: at(120) };
    let cells = Checkpoint {
        lines: vec![lines(0, 4), lines(1, 1)],
        samples: vec![samples(0, 0, 1_024), samples(0, 1, 476), with_a_gap(), odd_values()],
        ..Checkpoint::default()
    };
    Given { queued, cells, commit: Some(commit), released: true }
}

/// Texts that databases take badly, and cells of a run that still goes on.
fn under_way() -> Given {
    let mut queued = head(3);
    queued.owner = Some("nul \0, its symbol \u{2400}, \u{241b}, é\n\u{2028}'\"$1%_".into());
    queued.labels = [
        ("sql", "'); DROP TABLE runs; --"),
        ("nul \0 \u{2400} \u{241b}", "a\0\0b \u{2400} \u{241b} \\u0000 \\\0 \u{1} \u{1f9ee}"),
    ]
    .map(|(k, v)| (k.into(), v.into()))
    .into();
    queued.related_to = vec![
        Relation::new(RelationKind::Repeats, id(2)),
        Relation::new(RelationKind::Verifies, id(2)),
        Relation::new(RelationKind::Repeats, id(77)),
    ];
    queued.channels = vec![Channel::named("u")];
    Given {
        cells: Checkpoint { lines: vec![lines(0, 3)], samples: vec![samples(0, 0, 300)], ..Checkpoint::default() },
        ..Given::open(queued)
    }
}

fn failed() -> Given {
    let queued = head(4);
    let mut ended = queued.clone();
    ended.states.push(StateChange::new(RunState::Failed, at(9)).because("no device"));
    ended.error = Some("no device answered".into());
    let positions = Positions { states: 2, phases: 0, lines: 0, samples: Vec::new() };
    let commit = Commit { head: ended, positions, digest: Digest::of(b"failed"), at: at(130) };
    Given { commit: Some(commit), ..Given::open(queued) }
}

fn lines(cell: u64, count: u64) -> LogCell {
    let first = cell * 4;
    let line = |n: u64| LogLine::new(at(50), format!("line {n}, \0 and \u{2400}")).level("info").source("worker");
    LogCell { cell, first, lines: (first..first + count).map(line).collect() }
}

fn samples(channel: u32, cell: u64, count: u64) -> SampleCell {
    let mut series = Series::starting_at(cell * 1_024);
    let values: Vec<_> = (cell * 1_024..cell * 1_024 + count).map(|index| value(channel, index)).collect();
    series.push_values(&values);
    SampleCell { channel, cell, series }
}

fn with_a_gap() -> SampleCell {
    let mut series = Series::starting_at(0);
    series.push_values(&(0..200).map(|index| value(1, index)).collect::<Vec<_>>());
    series.push_gap(Gap::new(200..1_000, GapCause::Device));
    series.push_gap(Gap::new(1_000..1_010, GapCause::Store).inferred());
    series.push_values(&(1_010..1_024).map(|index| value(1, index)).collect::<Vec<_>>());
    SampleCell { channel: 1, cell: 0, series }
}

fn odd_values() -> SampleCell {
    let mut series = Series::starting_at(0);
    series.push_values(&[-0.0, f64::NAN, f64::NEG_INFINITY, f64::MIN_POSITIVE]);
    SampleCell { channel: 2, cell: 0, series }
}

/// All devices, by name.
pub(crate) fn devices() -> Vec<Device> {
    let mut first = Device::new("lucidac-0001".parse().unwrap(), DeviceType::Lucidac);
    first.firmware = Some("1.4.2".into());
    first.entity_digest = Some("2f".repeat(32));
    first.seen_at = Some(at(140));
    first.input_type = Some(InputType::Circuit);
    first.parameter_schema = Some(JsonText::from_stored("{\"type\": \"object\", \"maximum\": 1.0}"));
    let mut second = Device::new("redac-07".parse().unwrap(), DeviceType::from("REDAC-prototype"));
    second.seen_at = Some(at(141));
    vec![first, second]
}
