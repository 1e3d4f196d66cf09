//! `lucihub check`

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use lucihub_models_core::DeviceId;

use super::Where;

/// `lucihub check`
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("against").args(["device", "schema"]).required(true).multiple(true),
    after_help = "\
Checks an input against the parameter schema of a device, of a file, or a built-in one, and \
says all that is wrong, each thing with its place as a JSON pointer. With --stored it checks \
the inputs of the runs that are there, before a device gets a new schema; nothing is written.

Exit code 0 if all is valid, 1 if something is not.

Examples:
  lucihub check circuit.json --device lucidac-1
  lucihub check circuit.json --schema lucidac
  my-compiler | lucihub check - --schema schema.json --json
  lucihub check --stored --device lucidac-1 --schema new-schema.json"
)]
pub(crate) struct CheckArgs {
    /// The input, `-` for standard input.
    #[arg(value_name = "FILE", required_unless_present = "stored", conflicts_with = "stored")]
    pub(crate) file: Option<PathBuf>,
    /// The schema of this device; with --stored the runs of this device.
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<DeviceId>,
    /// The schema in this file, or a built-in one: lucidac, redac. A file of that name is ./lucidac.
    #[arg(long, value_name = "FILE|NAME")]
    pub(crate) schema: Option<PathBuf>,
    /// Check the inputs of stored runs.
    #[arg(long)]
    pub(crate) stored: bool,
    #[command(flatten)]
    pub(crate) cold: Where,
    /// Print one JSON object; with --stored one per run that is not valid, and the counts last.
    #[arg(long)]
    pub(crate) json: bool,
}
