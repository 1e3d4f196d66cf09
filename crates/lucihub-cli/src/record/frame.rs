//! One line of input as a frame.

use std::fmt;

use lucihub_models_core::{
    Channel, FinalValue, GapCause, HeadPatch, JsonText, Limits, LogLine, Overload, PhaseChange, RunState, StateChange,
    TimeBase, Timestamp,
};
use lucihub_store::record::End;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a worker says.
#[derive(Debug)]
pub(crate) enum Frame {
    State(StateChange),
    Phase(PhaseChange),
    Log(LogLine),
    Describe(Box<HeadPatch>),
    Samples(Samples),
    /// A gap from where the channel is up to the end of this one.
    Gap {
        channel: u32,
        end: u64,
        cause: GapCause,
    },
    Overload(Overload),
    Final(FinalValue),
    Flush,
    Finish(RunState, Box<End>),
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    Frame(Frame),
    /// Samples that follow the line as so many bytes.
    Announced {
        channel: u32,
        first: u64,
        bytes: u64,
    },
}

/// Samples of one channel. A stretch without samples is a gap with cause `device`.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) channel: u32,
    pub(crate) parts: Vec<Part>,
}

/// A stretch of the time axis.
#[derive(Debug)]
pub(crate) enum Part {
    /// Samples from an index on.
    Values(u64, Vec<f64>),
    /// None up to an index.
    Missing(u64),
}

/// The fields that tell frames apart.
const KINDS: [&str; 10] =
    ["state", "phase", "log", "describe", "samples", "gap", "overload", "final", "flush", "finish"];

/// Reads a line. What has no time of its own gets this one.
pub(super) fn parse(line: &str, now: Timestamp, limits: &Limits) -> Result<Line, Fault> {
    let Kind(kind) = read(line)?;
    Ok(Line::Frame(match kind {
        "state" => state(line, now)?,
        "phase" => phase(line, now)?,
        "log" => log(line, now)?,
        "describe" => describe(line)?,
        "samples" => return samples(line),
        "gap" => gap(line)?,
        "overload" => overload(line, now)?,
        "final" => Frame::Final(read::<Final>(line)?.r#final),
        "flush" if read::<Flush>(line)?.flush => Frame::Flush,
        "flush" => return Err(Fault::of("flush: false; leave the frame out")),
        _ => finish(line, limits)?,
    }))
}

/// Why a line is no frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) why: String,
    /// Whether the line only stops too early.
    pub(super) is_cut: bool,
}

impl Fault {
    pub(super) fn of(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_cut: false }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self { is_cut: error.is_eof(), why: error.to_string() }
    }
}

fn read<T: DeserializeOwned>(line: &str) -> Result<T, Fault> {
    Ok(serde_json::from_str(line)?)
}

/// Which of the kinds a line is of: it has the field of exactly one.
struct Kind(&'static str);

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Kind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a frame, which is a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Kind, A::Error> {
                let mut found = None;
                while let Some(name) = fields.next_key::<String>()? {
                    fields.next_value::<IgnoredAny>()?;
                    let Some(kind) = KINDS.into_iter().find(|kind| *kind == name) else { continue };
                    if let Some(other) = found.replace(kind) {
                        return Err(A::Error::custom(format!("both {other} and {kind}; a frame has one of them")));
                    }
                }
                let known = || format!("no kind of frame; it has one of the fields {}", KINDS.join(", "));
                found.map(Kind).ok_or_else(|| A::Error::custom(known()))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    state: RunState,
    reason: Option<String>,
    at: Option<Timestamp>,
}

fn state(line: &str, now: Timestamp) -> Result<Frame, Fault> {
    let State { state, reason, at } = read(line)?;
    if state.is_terminal() {
        return Err(Fault::of(format!("the state {state} ends a run; write {{\"finish\":\"{state}\"}}")));
    }
    let change = StateChange::new(state, at.unwrap_or(now));
    Ok(Frame::State(match reason {
        Some(reason) => change.because(reason),
        None => change,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Phase {
    phase: lucihub_models_core::Phase,
    carrier: Option<String>,
    device_ns: Option<u64>,
    at: Option<Timestamp>,
}

fn phase(line: &str, now: Timestamp) -> Result<Frame, Fault> {
    let Phase { phase, carrier, device_ns, at } = read(line)?;
    let mut change = PhaseChange::new(phase, at.unwrap_or(now));
    change.carrier = carrier;
    change.device_ns = device_ns;
    Ok(Frame::Phase(change))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    log: String,
    level: Option<String>,
    source: Option<String>,
    at: Option<Timestamp>,
}

fn log(line: &str, now: Timestamp) -> Result<Frame, Fault> {
    let Log { log, level, source, at } = read(line)?;
    let mut entry = LogLine::new(at.unwrap_or(now), log);
    entry.level = level;
    entry.source = source;
    Ok(Frame::Log(entry))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Describe {
    describe: Description,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    channels: Option<Vec<Channel>>,
    time_base: Option<TimeBase>,
    rate_hz: Option<f64>,
    op_time_ns: Option<u64>,
    ic_time_ns: Option<u64>,
    firmware: Option<String>,
    entity_digest: Option<String>,
}

fn describe(line: &str) -> Result<Frame, Fault> {
    let Description { channels, time_base, rate_hz, op_time_ns, ic_time_ns, firmware, entity_digest } =
        read::<Describe>(line)?.describe;
    if time_base.is_some() && rate_hz.is_some() {
        return Err(Fault::of("describe: both time_base and rate_hz; give one of them"));
    }
    let mut patch = HeadPatch::default();
    patch.channels = channels;
    patch.time_base = time_base.or_else(|| rate_hz.map(TimeBase::from_rate));
    patch.op_time_ns = op_time_ns;
    patch.ic_time_ns = ic_time_ns;
    patch.firmware = firmware;
    patch.entity_digest = entity_digest;
    Ok(Frame::Describe(Box::new(patch)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SamplesFrame {
    samples: Given,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    channel: u32,
    first: u64,
    values: Option<Vec<Option<f64>>>,
    bytes: Option<u64>,
}

fn samples(line: &str) -> Result<Line, Fault> {
    let Given { channel, first, values, bytes } = read::<SamplesFrame>(line)?.samples;
    match (values, bytes) {
        (Some(values), None) => Ok(Line::Frame(Frame::Samples(Samples { channel, parts: parts(first, &values)? }))),
        (None, Some(bytes)) => Ok(Line::Announced { channel, first, bytes }),
        _ => Err(Fault::of("samples: give values, or the bytes that follow, not both")),
    }
}

/// Stretches of values and of missing ones, in turn.
fn parts(first: u64, values: &[Option<f64>]) -> Result<Vec<Part>, Fault> {
    first.checked_add(values.len() as u64).ok_or_else(|| Fault::of("samples: the index is past 2^64"))?;
    let mut parts = Vec::new();
    let mut at = first;
    for alike in values.chunk_by(|a, b| a.is_some() == b.is_some()) {
        let end = at + alike.len() as u64;
        let present: Vec<f64> = alike.iter().copied().flatten().collect();
        parts.push(if present.is_empty() { Part::Missing(end) } else { Part::Values(at, present) });
        at = end;
    }
    Ok(parts)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GapFrame {
    gap: UpTo,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpTo {
    channel: u32,
    end: u64,
    cause: Option<GapCause>,
}

fn gap(line: &str) -> Result<Frame, Fault> {
    let UpTo { channel, end, cause } = read::<GapFrame>(line)?.gap;
    let cause = cause.unwrap_or(GapCause::Device);
    if cause == GapCause::Store {
        return Err(Fault::of("gap: the cause store is the storage's own; a worker says device or overflow"));
    }
    Ok(Frame::Gap { channel, end, cause })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverloadFrame {
    overload: Overloaded,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Overloaded {
    element: String,
    sample: Option<u64>,
    at: Option<Timestamp>,
}

fn overload(line: &str, now: Timestamp) -> Result<Frame, Fault> {
    let Overloaded { element, sample, at } = read::<OverloadFrame>(line)?.overload;
    let mut overload = Overload::new(element, at.unwrap_or(now));
    overload.sample = sample;
    Ok(Frame::Overload(overload))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Final {
    r#final: FinalValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flush {
    flush: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    finish: RunState,
    output: Option<Box<RawValue>>,
    error: Option<String>,
    reason: Option<String>,
}

fn finish(line: &str, limits: &Limits) -> Result<Frame, Fault> {
    let Finish { finish, output, error, reason } = read(line)?;
    if !finish.is_terminal() {
        return Err(Fault::of(format!("finish: {finish} ends no run; succeeded, failed and cancelled do")));
    }
    let mut end = End::default();
    if let Some(output) = output {
        let output = JsonText::parse("output", output.get(), limits).map_err(|error| Fault::of(error.to_string()))?;
        end = end.with_output(output);
    }
    end.error = error;
    end.reason = reason;
    Ok(Frame::Finish(finish, Box::new(end)))
}
