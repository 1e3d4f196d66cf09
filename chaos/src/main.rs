//! Chaos: the storage under faults that are drawn from a seed, judged by what it left behind.
//!
//! | file | what is there |
//! | --- | --- |
//! | `sim/` | one thread, simulated time, stores in memory: thousands of short histories, each of which its seed repeats |
//! | `real/` | servers of their own, killed, frozen, emptied and cut, while workers record |
//! | `signal.rs` | what is recorded: each value says where it belongs |
//! | `forward.rs` | what wrappers of hot storage hand on as it is |
//! | `ledger.rs` | what was asked and answered, as the clients saw it |
//! | `gates.rs` | what must not happen, and the line that says whether it did |
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user on the terminal")]

#[macro_use]
mod forward;
mod gates;
mod ledger;
mod real;
mod signal;
mod sim;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use lucihub_models_core::{Clock, SystemClock};

use crate::gates::Report;

/// Records runs under faults, and checks what is left.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos", bin_name = "cargo xtask chaos")]
struct Arguments {
    /// Simulated time and stores in memory, or real servers. Default: both, one after the other.
    #[arg(long)]
    level: Option<Level>,
    /// The seed of all that is drawn; printed, so that a failure can be repeated. Default: from the clock.
    #[arg(long)]
    seed: Option<u64>,
    /// How many histories the simulation goes through, each with a seed of its own.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    histories: u64,
    /// Minutes of real faults, one round after another, instead of one round.
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "120")]
    long: Option<u64>,
    /// What the supervisor tells a process that it starts.
    #[arg(long, hide = true)]
    child: Option<String>,
}

/// What the storage runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// One thread, simulated time, stores in memory.
    Sim,
    /// Servers of their own.
    Real,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.child {
        Some(role) => real::live(role).map(|()| true),
        None => run(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every gate held. The last line on standard output is one JSON object.
fn run(arguments: &Arguments) -> Result<bool> {
    let seed = arguments.seed.unwrap_or_else(seed_of_now);
    let mut reports: Vec<Report> = Vec::new();
    if arguments.level != Some(Level::Real) {
        reports.push(sim::run(seed, arguments.histories)?);
    }
    if arguments.level != Some(Level::Sim) {
        reports.push(real::run(seed, arguments.long)?);
    }
    for report in &reports {
        eprintln!("{report}");
    }
    println!("{}", gates::line(seed, &reports));
    Ok(reports.iter().all(Report::holds))
}

/// A seed nobody chose.
fn seed_of_now() -> u64 {
    SystemClock.now().as_micros().unsigned_abs() / 1_000_000
}
