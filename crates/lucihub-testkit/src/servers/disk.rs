//! A disk that is full, for one server alone: its files may not grow past a size.
//!
//! The kernel then refuses a write with "File too large", where a full disk says "No space left on device"; servers treat
//! both alike. It needs neither a file system of its own nor the right to make one.

use super::command::output_of;
use super::process::{AtDeath, bound_to_this_process};
use super::program;
use super::until::PATIENCE;
use super::user::User;

/// Lets no file of a process grow past so many bytes, or lifts that; as the user whose process it is, which may do it without
/// any right beyond.
///
/// # Errors
/// Where the process is gone.
pub(super) fn limit_files(process: u32, user: Option<&User>, bytes: Option<u64>) -> Result<(), String> {
    let program = program::require("prlimit", "util-linux");
    let mut command = bound_to_this_process(&program, AtDeath::Kill, user);
    // The soft limit alone: it can be raised again.
    let soft = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    command.args(["--pid", &process.to_string(), &format!("--fsize={soft}:")]);
    output_of(command, "", PATIENCE).map(drop)
}
