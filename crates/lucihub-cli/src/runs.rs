//! `lucihub runs show`

use std::fmt;

use lucihub_models_core::{Envelope, HeadDocument, JsonText, RunHead};
use lucihub_store::{RunStatus, Source};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::ShowArgs;
use crate::failure::Failure;
use crate::{output, place};

/// Prints one run.
pub(crate) async fn show(args: ShowArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let store = reading.whatever_is_there();
    let located = store.locate(run).await?;
    let status = located.status();
    let mut measured = Vec::new();
    for channel in 0..u32::try_from(status.head.channels.len()).unwrap_or(u32::MAX) {
        // As coarse as can be: what is counted is exact all the same.
        measured.push(Measured::of(&store.envelope_at(&located, channel, 0..u64::MAX, 1).await?));
    }
    if args.one.is_json() {
        return show_json(&status, &measured);
    }
    let head = &status.head;
    let field = |name: &str, value: String| output::line(format!("{name:<12}{value}"));
    field("run", head.id.to_string())?;
    field("source", source_in_words(status.source, args.place.hot.is_shared()).to_owned())?;
    field("type", output::one_line(head.job_type.as_str()))?;
    for change in &head.states {
        let reason = change.reason.as_deref().map(|r| format!(": {}", output::one_line(r))).unwrap_or_default();
        field("state", format!("{}  {}{reason}", change.at, output::one_line(change.state.as_str())))?;
    }
    for (name, value) in texts(head) {
        field(name, output::one_line(&value))?;
    }
    for (name, value) in &head.labels {
        field("label", format!("{}={}", output::one_line(name), output::one_line(value)))?;
    }
    for change in &head.phases {
        let phase = output::one_line(change.phase.as_str());
        field("phase", format!("{}  {phase}", change.at))?;
    }
    field("log lines", status.positions.lines.to_string())?;
    for (number, (channel, measured)) in head.channels.iter().zip(&measured).enumerate() {
        let name = channel.name.as_deref().map(output::one_line).unwrap_or_default();
        field("channel", format!("{number:<4}{name:<12}{measured}"))?;
    }
    for value in &head.final_values {
        field("final", format!("{} = {}", output::one_line(&value.element), value.value))?;
    }
    match &status.archived {
        Some(archived) => field("archived", format!("{}  digest {}", archived.at, archived.digest)),
        None => field("archived", "not yet".to_owned()),
    }
}

/// Where an answer came from, in one word.
const fn source(source: Source) -> &'static str {
    match source {
        Source::Archive => "archive",
        Source::Live => "live",
        Source::Checkpoint => "checkpoint",
        Source::Stale => "stale",
    }
}

/// The same word, and what it means.
pub(crate) const fn source_in_words(source: Source, is_shared: bool) -> &'static str {
    match source {
        Source::Checkpoint if !is_shared => {
            "checkpoint, the last one: no REDIS_URL is set, so only cold storage was asked"
        }
        Source::Archive => "archive, final",
        Source::Live => "live, the present",
        Source::Checkpoint => "checkpoint, the last one: hot storage does not have the run",
        Source::Stale => "stale, the last checkpoint: hot storage cannot be reached",
    }
}

/// What was measured on a channel.
#[derive(Debug, Serialize)]
struct Measured {
    /// Without those that are missing.
    samples: u64,
    gaps: usize,
}

impl Measured {
    fn of(envelope: &Envelope) -> Self {
        Self { samples: envelope.buckets.iter().map(|bucket| bucket.count).sum(), gaps: envelope.gaps.len() }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&output::counted(self.samples, "sample", "samples"))?;
        match self.gaps {
            0 => Ok(()),
            some => write!(f, ", {}", output::counted(some as u64, "gap", "gaps")),
        }
    }
}

/// The parts of a head that are there, for people.
fn texts(head: &RunHead) -> Vec<(&'static str, String)> {
    let seconds = |ns: u64| format!("{} s", std::time::Duration::from_nanos(ns).as_secs_f64());
    let bytes = |json: &JsonText| output::counted(json.as_str().len() as u64, "byte", "bytes");
    let all = [
        ("device", head.device.as_ref().map(ToString::to_string)),
        ("owner", head.owner.clone()),
        ("worker", head.worker.clone()),
        ("firmware", head.firmware.clone()),
        (
            "input",
            head.input.as_ref().map(|json| {
                let kind = head.input_type.as_ref().map_or("of no stated type", lucihub_models_core::InputType::as_str);
                format!("{}, {kind}", bytes(json))
            }),
        ),
        ("output", head.output.as_ref().map(bytes)),
        ("error", head.error.clone()),
        ("rate", head.time_base.map(|base| format!("{} Hz", base.rate_hz))),
        ("op time", head.op_time_ns.map(seconds)),
        ("ic time", head.ic_time_ns.map(seconds)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn show_json(status: &RunStatus, measured: &[Measured]) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(rename = "run")]
        head: Box<RawValue>,
        source: &'static str,
        positions: &'a lucihub_models_core::Positions,
        measured: &'a [Measured],
        archived_at: Option<String>,
        digest: Option<String>,
    }
    let head = HeadDocument::write(&status.head).map_err(lucihub_models_core::StoreError::from)?;
    output::json(&Shown {
        head: RawValue::from_string(head).map_err(std::io::Error::from)?,
        source: source(status.source),
        positions: &status.positions,
        measured,
        archived_at: status.archived.map(|archived| archived.at.to_string()),
        digest: status.archived.map(|archived| archived.digest.to_string()),
    })
}
