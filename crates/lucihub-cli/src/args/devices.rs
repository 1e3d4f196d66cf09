//! What can be typed after `lucihub devices`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lucihub_models_core::DeviceId;

use super::{Lists, One, Place};

/// `lucihub devices ...`
#[derive(Debug, Subcommand)]
pub(crate) enum DevicesVerb {
    /// List the registry of devices, by name.
    List(DevicesArgs),
    /// List the devices that answer now.
    Active(DevicesArgs),
    /// Show one device.
    Show(DeviceArgs),
    /// Enter a device into the registry.
    Add(AddArgs),
    /// Change what the operator says of a device.
    Set(SetArgs),
    /// Print the parameter schema of a device.
    Schema(DeviceArgs),
    /// Take a device off the list of active ones.
    Withdraw(WithdrawArgs),
}

/// `lucihub devices list` and `active`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub devices list
  lucihub devices active --json
  lucihub devices list -o csv")]
pub(crate) struct DevicesArgs {
    #[command(flatten)]
    pub(crate) lists: Lists,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub devices show` and `schema`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub devices show lucidac-1
  lucihub devices schema lucidac-1 > schema.json")]
pub(crate) struct DeviceArgs {
    /// The device.
    #[arg(value_name = "DEVICE")]
    pub(crate) device: DeviceId,
    #[command(flatten)]
    pub(crate) one: One,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What the operator says of a device.
#[derive(Debug, Args)]
pub(crate) struct Says {
    /// The type of input it takes: circuit, lucipy, analang, apb.
    #[arg(long, value_name = "TYPE")]
    pub(crate) input_type: Option<String>,
    /// The parameter schema in this file, or a built-in one: lucidac, redac. Inputs of new runs are checked against it.
    #[arg(long, value_name = "FILE|NAME")]
    pub(crate) schema: Option<PathBuf>,
}

/// `lucihub devices add`
#[derive(Debug, Args)]
#[command(after_help = "\
Scanners enter what answers by themselves, so this is for what no scanner sees, as a simulator. With --always-active it is \
on the list of active devices too, until it is withdrawn; that needs the server.

Examples:
  lucihub devices add lucidac-1 --kind LUCIDAC --schema lucidac --input-type circuit
  lucihub devices add simulator-1 --kind SIMULATOR --always-active")]
pub(crate) struct AddArgs {
    /// Its name: 1 to 128 characters of A-Z a-z 0-9 . _ : -
    #[arg(value_name = "DEVICE")]
    pub(crate) device: DeviceId,
    /// Which kind of machine: LUCIDAC, REDAC, SIMULATOR.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: String,
    /// Its firmware.
    #[arg(long, value_name = "TEXT")]
    pub(crate) firmware: Option<String>,
    #[command(flatten)]
    pub(crate) says: Says,
    /// It answers always.
    #[arg(long)]
    pub(crate) always_active: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub devices set`
#[derive(Debug, Args)]
#[command(after_help = "\
A new schema is for new runs; `lucihub check --stored` says first which stored inputs it would refuse.

Examples:
  lucihub check --stored --device lucidac-1 --schema new-schema.json
  lucihub devices set lucidac-1 --schema new-schema.json
  lucihub devices set lucidac-1 --input-type circuit")]
pub(crate) struct SetArgs {
    /// The device.
    #[arg(value_name = "DEVICE")]
    pub(crate) device: DeviceId,
    #[command(flatten)]
    pub(crate) says: Says,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub devices withdraw`
#[derive(Debug, Args)]
#[command(after_help = "\
Its scanner puts it back with the next scan, if it still answers. The registry keeps it.

Examples:
  lucihub devices withdraw simulator-1")]
pub(crate) struct WithdrawArgs {
    /// The device.
    #[arg(value_name = "DEVICE")]
    pub(crate) device: DeviceId,
    #[command(flatten)]
    pub(crate) place: Place,
}
