//! What can be typed after `lucihub runs export`, `import` and `samples`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lucihub_models_core::{DeviceId, RunPrefix};

use super::Place;
use super::filter::label;
use crate::plot::{Edge, Which};

/// `lucihub runs export`
#[derive(Debug, Args)]
#[command(after_help = "\
Columns are `index`, `time_s` (seconds from the start of OP, if the run has a time base), one per channel by its name or \
`channel_N`, and one per channel that says where samples are missing. Samples keep every bit; text knows one NaN only. \
The file is there whole or not at all. Arrow and Parquet need a lucihub that was built with the feature `export`.

Examples:
  lucihub runs export ID --out run.csv
  lucihub runs export ID --format jsonl --channels 0,2 --from 640ms --to 0.7s | head
  lucihub runs export ID --out run.npz --force
  lucihub runs export ID --out run.parquet --channels x,y")]
pub(crate) struct ExportArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    /// The format [default: what the name of --out ends with].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ExportFormat>,
    /// Which channels, by number or name, in this order [default: all].
    #[arg(long, visible_alias = "channel", value_name = "N,..", value_delimiter = ',')]
    pub(crate) channels: Vec<Which>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    /// The file to write; - is standard output [default: -].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct WindowArgs {
    /// Where to begin: a sample index, or a time after the start of OP in s, ms or us.
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    pub(crate) from: Option<Edge>,
    /// Where to end: the first sample, or the time, that is left out again.
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    pub(crate) to: Option<Edge>,
}

/// A format of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object per sample index.
    Jsonl,
    /// Arrays for `numpy.load`.
    Npz,
    /// One JSON document with a list per channel.
    Json,
    /// An Arrow IPC file, also known as Feather.
    Arrow,
    /// A Parquet file.
    Parquet,
}

impl ExportFormat {
    /// The format that the name of a file speaks of.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "npz" => Some(Self::Npz),
            "json" => Some(Self::Json),
            "arrow" | "feather" => Some(Self::Arrow),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// Whether a terminal can show it.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl | Self::Json)
    }
}

/// `lucihub runs import`
#[derive(Debug, Args)]
#[command(after_help = "\
Takes what `runs export` writes, and a plain file: a header, then optionally a column `index` and a column `time_s` (or \
`time`, or `t`, in seconds), then a column per channel. An empty cell, or null, is a missing sample. All of the file is \
checked before the run is created, and nothing is left of a run that was not imported whole.

Examples:
  lucihub runs import run.csv
  lucihub runs import scope.csv --rate 250000 --device lucidac-1 --owner ada --label series=chaos
  lucihub runs export ID --format jsonl | lucihub runs import - --format jsonl --dir elsewhere")]
pub(crate) struct ImportArgs {
    /// The file to read; - is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The format [default: what the name of the file ends with].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ImportFormat>,
    /// The device that it was recorded on.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceId>,
    /// Whose run it is.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// A label. Repeat for several.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,
    /// Samples per second and channel, in Hz [default: what the time column says].
    #[arg(long, value_name = "HZ")]
    pub(crate) rate: Option<f64>,
    /// The type of the run: run, verify, simulate.
    #[arg(long = "type", value_name = "TYPE", default_value = "run")]
    pub(crate) job_type: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object per sample index.
    Jsonl,
}

/// `lucihub runs samples`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub runs samples ID --channel 0
  lucihub runs samples ID --channel x --from 640ms --limit 100
  lucihub runs samples ID --channel 2 --from 43000 --to 43010 --output json")]
pub(crate) struct SamplesArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    /// Which channel, by number or name.
    #[arg(long, value_name = "N")]
    pub(crate) channel: Which,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    /// How many samples at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u64,
    /// How to print them.
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: SamplesFormat,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A form of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SamplesFormat {
    /// Columns for people.
    Table,
    /// As `runs export --format csv` writes them.
    Csv,
    /// As `runs export --format jsonl` writes them.
    Jsonl,
    /// As `runs export --format json` writes them.
    Json,
}
