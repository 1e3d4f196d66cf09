//! The command as a child process.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::recorded::RUN;

/// `lucihub runs ...` on a folder, with nothing of the tester's own environment.
pub(crate) fn runs<A: AsRef<OsStr>>(dir: &Path, args: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.arg("runs").args(args).arg("--dir").arg(dir).stdin(Stdio::null());
    for name in ["DATABASE_URL", "REDIS_URL", "LUCIHUB_WRITE_VERSION"] {
        command.env_remove(name);
    }
    command
}

/// `lucihub runs export` of the run.
pub(crate) fn export(dir: &Path, args: &[&str]) -> Output {
    runs(dir, &[&["export", RUN], args].concat()).output().unwrap()
}

/// What a command printed that succeeded.
pub(crate) fn printed(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}: {}", output.status, said(&output));
    output.stdout
}

pub(crate) fn text(output: Output) -> String {
    String::from_utf8(printed(output)).unwrap()
}

/// What a command said.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it said when it refused.
pub(crate) fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    assert!(output.stdout.is_empty());
    said(output)
}

/// What is in a folder beside the database.
pub(crate) fn files(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("lucihub.sqlite")).collect();
    names.sort();
    names
}
