//! The worker in Python that the front page shows: it needs python3 and nothing else.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lucihub_models_core::{Run, RunId, RunState};

use crate::record::lab::{Lab, Worker, bits};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/python-worker/worker.py");
const RATE: u64 = 10_000;

/// The program, with the built command in its path.
fn worker(lab: &Lab, args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg(PROGRAM).args(args);
    lab.settle(&mut command);
    let folder = Path::new(env!("CARGO_BIN_EXE_lucihub")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command
}

/// A run that takes so many samples of a channel.
fn queue(lab: &Lab, samples: u64) -> RunId {
    lab.queue_with("lucidac-1", |head| head.op_time_ns = Some(samples * 1_000_000_000 / RATE))
}

fn is_whole(run: &Run, samples: usize) {
    let saw: Vec<f64> = (0..samples).map(|n| f64::from(u32::try_from(n % 1000).unwrap()) / 1000.0 - 0.5).collect();
    let decay: Vec<f64> = (0..samples).map(|n| 1.0 / f64::from(u32::try_from(n + 1).unwrap())).collect();
    assert_eq!((run.series.len(), run.head.channels[0].name.as_deref()), (2, Some("saw")));
    for (series, values) in run.series.iter().zip([saw, decay]) {
        assert_eq!((bits(&series.values), series.gaps.len()), (bits(&values), 0));
    }
}

/// Waits until the run has so many samples.
fn reaches(lab: &Lab, run: RunId, samples: u64) {
    let begun = std::time::Instant::now();
    loop {
        let status = lab.runtime.block_on(lab.store.status(run)).unwrap();
        if status.positions.sample(1) >= samples {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{status:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_worker_in_python_takes_the_next_run_and_records_it() {
    let lab = Lab::new();
    let run = queue(&lab, 12_000);
    let folder = lab.dir.path().to_str().unwrap();
    let done = worker(&lab, &["--device", "lucidac-1", "--dir", folder]).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let stored = lab.archived(run);
    assert_eq!((stored.head.state(), stored.head.worker.as_deref()), (&RunState::Succeeded, Some("python")));
    assert_eq!(stored.logs[0].text, "recording 12000 samples from [0, 0]");
    assert_eq!(stored.logs[0].source.as_deref(), Some("worker.py"));
    is_whole(&stored, 12_000);
}

#[test]
fn a_worker_in_python_stops_when_it_is_told_to() {
    let lab = Lab::new();
    let run = queue(&lab, 100_000_000);
    let mut python = Worker::start(worker(&lab, &[&run.to_string()]));
    reaches(&lab, run, 1_000);
    lab.cancel(run);
    python.has_ended_with(0);
    let stored = lab.archived(run);
    assert_eq!(stored.head.state(), &RunState::Cancelled);
    assert_eq!(stored.head.states.last().unwrap().reason.as_deref(), Some("asked for"));
    is_whole(&stored, stored.series[0].values.len());
}

#[test]
fn a_worker_in_python_that_was_killed_goes_on_from_the_next_positions() {
    let lab = Lab::new();
    let run = queue(&lab, 15_000);
    let mut python = Worker::start(worker(&lab, &[&run.to_string()]));
    reaches(&lab, run, 5_000);
    python.child.kill().unwrap();
    // The command sees its input end, says how to go on, and leaves what it has in the store.
    let said = python.said();
    let writer = said.split("--writer ").nth(1).unwrap().split('`').next().unwrap();
    assert!(said.contains("standard input ended"), "{said}");
    let mut again = Worker::start(worker(&lab, &[&run.to_string(), "--writer", writer]));
    again.has_ended_with(0);
    let stored = lab.archived(run);
    assert_eq!(stored.head.state(), &RunState::Succeeded);
    assert_eq!(stored.logs.len(), 2, "both lives have said where they begin: {:?}", stored.logs);
    is_whole(&stored, 15_000);
}
