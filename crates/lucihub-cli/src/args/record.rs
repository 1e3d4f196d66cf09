//! What can be typed after `lucihub record`.

use std::time::Duration;

use clap::Args;
use lucihub_models_core::{DeviceId, Invalid, RunPrefix, WriterId};

use super::Place;

/// `lucihub record`
#[derive(Debug, Args)]
#[command(after_help = "\
Frames come in on standard input, one JSON object per line: state, phase, log, describe, samples, gap, overload, final, \
flush, finish. Samples may follow their line as raw little-endian f64. Answers go out on standard output, one JSON object \
per line: taken, applied, confirmed, cancel, error, ended. docs/record-protocol.md has them all, and \
examples/python-worker is a worker. A whole ID needs the server alone; the beginning of one, and --device, need the \
database too.

Exit codes: 0 the run has ended as the worker said, 1 a frame was refused or the input ended without a finish, 2 stopped, \
or the run was cancelled before it was taken, 3 the server was away for too long, 4 another worker has the run, or it has \
ended, 124 no run is queued. With 1, 2 and 3 a run that was taken is left open, and the last line on standard error says \
how to go on.

Examples:
  lucihub record --device lucidac-1 --worker bench-3
  lucihub record ID --worker bench-3 < frames.jsonl
  lucihub record ID --worker bench-3 --writer WRITER
  echo '{\"finish\":\"failed\"}' | lucihub record ID --worker me")]
pub(crate) struct RecordArgs {
    /// The run: its id, or as much of its beginning as no other has; or else --device.
    #[arg(value_name = "ID", required_unless_present = "device", conflicts_with = "device")]
    pub(crate) run: Option<RunPrefix>,
    /// Take the run that has been queued longest for this device, and wait for one.
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<DeviceId>,
    /// The name of the worker, for people.
    #[arg(long, value_name = "NAME")]
    pub(crate) worker: String,
    /// Do not wait for a run to be queued.
    #[arg(long, visible_alias = "once", conflicts_with = "run")]
    pub(crate) no_wait: bool,
    /// Go on as the writer of an earlier call, by the id in its `taken`, without waiting for its lease to run out.
    #[arg(long, value_name = "WRITER", value_parser = writer, conflicts_with = "device")]
    pub(crate) writer: Option<WriterId>,
    /// End the run as failed if the input ends without a finish, instead of leaving it open.
    #[arg(long)]
    pub(crate) fail_on_eof: bool,
    /// How long the run stays this worker's without a word, in seconds; a word goes out every quarter of it, and brings back
    /// whether the run shall end.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    lease: u64,
    /// How long the server may be away, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    #[command(flatten)]
    pub(crate) place: Place,
}

impl RecordArgs {
    pub(crate) const fn lease(&self) -> Duration {
        Duration::from_secs(self.lease)
    }

    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

fn writer(text: &str) -> Result<WriterId, Invalid> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = if digits { u128::from_str_radix(text, 16).ok() } else { None };
    bits.map(WriterId::from_bits).ok_or_else(|| {
        Invalid::new("writer id", "not 32 hexadecimal digits").hint("give it as it stands in the answer `taken`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_read_as_it_is_shown() {
        let id = WriterId::from_bits(0x00ff_u128 << 64 | 7);
        assert_eq!(writer(&id.to_string()), Ok(id));
        for bad in ["", "7", &format!("+{}", &id.to_string()[1..]), &format!("{id}0")] {
            assert!(writer(bad).is_err(), "{bad}");
        }
    }
}
