//! A disk that is full, for one server alone: its files may not grow past a size.
//!
//! The kernel then refuses a write with "File too large", where a full disk says "No space left on device"; servers treat
//! both alike. It needs neither a file system of its own nor the right to make one.

use std::process::Command;

use super::command::output_of;
use super::program;
use super::until::PATIENCE;

/// Lets no file of a process grow past so many bytes, or lifts that.
///
/// # Errors
/// Where the process is gone.
pub(super) fn limit_files(process: u32, bytes: Option<u64>) -> Result<(), String> {
    let mut command = Command::new(program::require("prlimit", "util-linux"));
    // The soft limit alone: it can be raised again.
    let soft = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    command.args(["--pid", &process.to_string(), &format!("--fsize={soft}:")]);
    output_of(command, "", PATIENCE).map(drop)
}
