//! The machine that was measured on, without its name.

use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

/// What the figures depend on.
#[derive(Debug)]
pub(crate) struct Machine {
    cores: usize,
    cpu: String,
    memory_bytes: u64,
    kernel: String,
    file_system: String,
    rustc: &'static str,
}

impl Machine {
    /// Looks around; what cannot be read is `unknown`.
    pub(crate) fn look(folder: &Path) -> Self {
        let unknown = || "unknown".to_owned();
        let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
        let kib = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let kernel =
            std::fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(|_| unknown(), |t| t.trim().to_owned());
        Self {
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            cpu,
            memory_bytes: kib.unwrap_or(0) * 1024,
            kernel,
            file_system: file_system(folder).unwrap_or_else(unknown),
            rustc: env!("LUCIHUB_BENCH_RUSTC"),
        }
    }

    /// As an entry of the JSON file.
    pub(crate) fn json(&self) -> Value {
        let Self { cores, cpu, memory_bytes, kernel, file_system, rustc } = self;
        json!({
            "value": cores, "unit": "cores", "cpu": cpu, "memory_bytes": memory_bytes,
            "kernel": kernel, "file_system": file_system, "rustc": rustc,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, cpu, memory_bytes, kernel, file_system, rustc } = self;
        let gib = *memory_bytes as f64 / f64::from(1 << 30);
        write!(f, "{cores} cores ({cpu}), {gib:.0} GiB, kernel {kernel}, {file_system}, {rustc}")
    }
}

/// A line `name : value` of a file.
pub(crate) fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// The type of file system that a folder is on: that of the longest mount point above it.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        folder.starts_with(at).then(|| (at.len(), kind.to_owned()))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}
