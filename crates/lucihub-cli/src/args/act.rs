//! What can be typed to create, cancel, label and delete runs.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lucihub_models_core::{DeviceId, RunId, RunPrefix};

use super::filter::label;
use super::{One, Place};

/// `lucihub runs create`
#[derive(Debug, Args)]
#[command(after_help = "\
The run is queued for a worker, and its id printed. Its input is checked against the parameter schema of its device, if \
that has one. A run that is created again under the same id with the same content is no error.

Examples:
  lucihub runs create --device lucidac-1 --input circuit.json --channel x --rate 10000
  lucihub runs create --type compile --input ode.json --input-type analang --owner ada
  id=$(lucihub runs create --device lucidac-1 --input circuit.json)")]
pub(crate) struct CreateArgs {
    /// What kind of job it is: compile, run, verify, simulate.
    #[arg(long = "type", value_name = "TYPE", default_value = "run")]
    pub(crate) job_type: String,
    /// The device that is to execute it.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceId>,
    /// Whose run it is: a name, never a key or password.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// The input, a JSON document that is kept byte for byte; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// What the input is: circuit, lucipy, analang, apb [default with --input: circuit].
    #[arg(long, value_name = "TYPE", requires = "input")]
    pub(crate) input_type: Option<String>,
    /// Take the input as it is, without asking the device's parameter schema.
    #[arg(long)]
    pub(crate) unchecked: bool,
    /// A label. Repeat for several.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,
    /// A channel that is measured, by name. Repeat for several, in their order.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Vec<String>,
    /// Samples per second and channel.
    #[arg(long, value_name = "HZ")]
    pub(crate) rate: Option<f64>,
    /// How long it computes, as in 100ms.
    #[arg(long, value_name = "TIME", value_parser = short_span)]
    pub(crate) op_time: Option<Duration>,
    /// How long initial values are loaded before, as in 50us.
    #[arg(long, value_name = "TIME", value_parser = short_span)]
    pub(crate) ic_time: Option<Duration>,
    /// The time scale factor of the integrators.
    #[arg(long, value_name = "N")]
    pub(crate) k0: Option<u32>,
    /// Higher goes first, for whoever hands runs out.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) priority: Option<i32>,
    /// A run that this one verifies. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) verifies: Vec<RunPrefix>,
    /// A run that this one executes again. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) repeats: Vec<RunPrefix>,
    /// The run that compiled this one's input. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) compiled_by: Vec<RunPrefix>,
    /// Its id, so that the same command can be repeated [default: a new one].
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<RunId>,
    #[command(flatten)]
    pub(crate) one: One,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub runs cancel`
#[derive(Debug, Args)]
#[command(after_help = "\
A queued run is cancelled at once; a running one goes on until its worker has learnt of it and ends it. Exit code 4 for a \
run that had ended before.

Examples:
  lucihub runs cancel ID
  lucihub runs cancel ID --reason 'wrong initial values'")]
pub(crate) struct CancelArgs {
    /// The runs: their ids, or as much of their beginnings as no other has.
    #[arg(value_name = "ID", required = true)]
    pub(crate) runs: Vec<RunPrefix>,
    /// Why, for whoever looks later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub runs label`
#[derive(Debug, Args)]
#[command(after_help = "\
Prints the labels that the run has then.

Examples:
  lucihub runs label ID series=chaos quality=good
  lucihub runs label ID quality-
  lucihub runs label ID")]
pub(crate) struct LabelArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    /// Labels to set, and with a `-` behind their name, to take away.
    #[arg(value_name = "NAME=VALUE|NAME-", value_parser = label_change)]
    pub(crate) changes: Vec<LabelChange>,
    #[command(flatten)]
    pub(crate) one: One,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub runs delete`
#[derive(Debug, Args)]
#[command(after_help = "\
Deletes runs with all that they recorded, in both storages. Asks first; off a terminal it wants --yes. A run that a worker \
holds is refused, unless it is forced: its worker meets a closed door then.

Examples:
  lucihub runs delete ID ID
  lucihub runs delete ID --dry-run
  lucihub runs list --state failed -o ids | xargs lucihub runs delete --yes")]
pub(crate) struct DeleteArgs {
    /// The runs: their ids, or as much of their beginnings as no other has.
    #[arg(value_name = "ID", required = true)]
    pub(crate) runs: Vec<RunPrefix>,
    /// Delete what a worker holds, too.
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would be deleted, and delete nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A label that is set, or one that is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LabelChange {
    Set(String, String),
    Remove(String),
}

fn label_change(text: &str) -> Result<LabelChange, String> {
    if text.contains('=') {
        return label(text).map(|(name, value)| LabelChange::Set(name, value));
    }
    match text.strip_suffix('-') {
        Some(name) if !name.is_empty() => Ok(LabelChange::Remove(name.to_owned())),
        _ => Err(format!("{text:?} is no label; use NAME=VALUE to set one, NAME- to take one away")),
    }
}

/// A span of time on a device: a number and its unit.
fn short_span(text: &str) -> Result<Duration, String> {
    let hint = || format!("{text:?} is no time; use a number with s, ms, us or ns, as in 100ms");
    let at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(hint)?;
    let (number, unit) = text.split_at(at);
    let nanoseconds = match unit {
        "s" => 1e9,
        "ms" => 1e6,
        "us" => 1e3,
        "ns" => 1.0,
        _ => return Err(hint()),
    };
    let number: f64 = number.parse().map_err(|_| hint())?;
    Duration::try_from_secs_f64(number * nanoseconds / 1e9).map_err(|_| hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_set_and_taken_away() {
        assert_eq!(label_change("a=b-").unwrap(), LabelChange::Set("a".into(), "b-".into()));
        assert_eq!(label_change("a-b-").unwrap(), LabelChange::Remove("a-b".into()));
        for bad in ["a", "-", ""] {
            assert!(label_change(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_of_a_device_are_short() {
        for (text, nanoseconds) in [("100ms", 100_000_000), ("0.5us", 500), ("2s", 2_000_000_000), ("7ns", 7)] {
            assert_eq!(short_span(text).unwrap().as_nanos(), nanoseconds, "{text}");
        }
        for bad in ["", "5", "ms", "-1ms", "1m", "1e400s"] {
            assert!(short_span(bad).is_err(), "{bad}");
        }
    }
}
