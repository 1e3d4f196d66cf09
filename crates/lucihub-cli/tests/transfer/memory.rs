//! Memory is bounded by cells, whatever the length of a run.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};

use super::command::runs;
use super::recorded::{RUN, recorded};

#[tokio::test]
async fn a_longer_run_takes_no_more_memory() {
    let (short, long) = (recorded(200_000).await, recorded(1_000_000).await);
    for format in ["csv", "npz", "json"].into_iter().chain(cfg!(feature = "export").then_some("arrow")) {
        let [small, large] =
            [&short, &long].map(|dir| peak_kib(runs(dir.path(), &["export", RUN, "--format", format])));
        // The longer one has 17 MiB of samples more.
        assert!(large < small + 8 * 1024, "{format}: {small} KiB, and {large} KiB for the longer run");
    }
}

/// The most memory that a command had, as the system counts it. It only grows, so the last look at it is the one.
fn peak_kib(mut command: Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap()));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert!(ended.success() && peak > 0);
    peak
}
