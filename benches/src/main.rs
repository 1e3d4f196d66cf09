//! Benchmarks: what the storage costs, beside the limits of what it stands on, in one run and interleaved.
//!
//! | file | what is there |
//! | --- | --- |
//! | `hot.rs`, `redis/`, `cold/`, `store/` | the figures, by group |
//! | `peers/` | the same work in plain Python |
//! | `builds.rs` | how long clean builds take; only when asked for |
//! | `growth/` | the same as one number grows, and pictures of it; only for those who ask |
//! | `load/` | a lab at work for a minute: fails where something is lost, late, or grows |
//! | `memory.rs` | memory above idle, in a process of its own |
//! | `typical.rs`, `plain.rs` | the run that is measured; SQLite without us |
//! | `measure.rs` | repeats, turn by turn with the limit; medians and ratios |
//! | `goals.rs` | how far a figure should come, by name |
//! | `report.rs`, `machine.rs`, `compare.rs` | the table, the JSON file, the machine; two files beside each other |
//!
//! Another figure is a line in its group, and its name in `tests/quick.rs`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user on the terminal")]

mod builds;
mod cold;
mod compare;
mod goals;
mod growth;
mod hot;
mod lab;
mod load;
mod machine;
mod measure;
mod memory;
mod peers;
mod plain;
mod redis;
mod report;
mod store;
mod typical;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{ArgGroup, Parser, ValueEnum};

use crate::lab::Lab;
use crate::measure::Figures;

/// Measures LuciHub's storage beside the limits of what it stands on.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
#[command(group = ArgGroup::new("use").args(["compare", "draw"]).multiple(true))]
struct Arguments {
    /// Write the figures to a file: a JSON object, name -> value, unit, limit, ratio, the goals, whether they are met.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Say what changed since a file of earlier figures, and what is noise.
    #[arg(long, value_name = "OLD.json")]
    compare: Option<PathBuf>,
    /// Compare this file with the earlier one, or draw it, and measure nothing.
    #[arg(long, value_name = "NEW.json", requires = "use")]
    with: Option<PathBuf>,
    /// Draw the figures of growth as SVG into a folder, one picture for each number that grows.
    #[arg(long, value_name = "DIR")]
    draw: Option<PathBuf>,
    /// Measure beside plain Python too, with this interpreter; `cargo xtask bench --peers` makes an environment for it.
    #[arg(long, value_name = "PYTHON")]
    peers: Option<PathBuf>,
    /// Measure one group alone.
    #[arg(long)]
    only: Option<Group>,
    /// Measure only figures whose name has this part; what they need is prepared all the same.
    #[arg(long, value_name = "PART")]
    figure: Option<String>,
    /// Small sizes: checks that everything runs; the figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Repeats of each figure; a gigabyte is measured two or three times.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// How long the load lasts.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// The folder for temporary files; its disk is what is measured. Default: the system's.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Be the process whose memory is measured.
    #[arg(long, hide = true)]
    memory_child: bool,
}

/// What belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    /// Hot storage, embedded, on a Redis of its own and on a cluster.
    Hot,
    /// Cold storage on SQLite, and on a PostgreSQL of its own.
    Cold,
    /// Both together: the way of a run.
    Store,
    /// What things cost as one number grows: minutes, and measured only where it is asked for.
    Growth,
    /// Workers, keepers and followers together, for a minute.
    Load,
    /// The same work in plain Python; needs --peers.
    Peers,
    /// Clean builds with two jobs: minutes, measured only when this is asked for.
    Builds,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let lab = Lab::new(&folder, arguments.quick, arguments.repeats)?;
    if arguments.memory_child {
        return memory::child(&lab);
    }
    let earlier = arguments.compare.as_deref().map(compare::read).transpose()?;
    if let Some(new) = &arguments.with {
        let new = compare::read(new)?;
        if let Some(old) = &earlier {
            println!("{}", compare::table(old, &new));
        }
        return arguments.draw.as_deref().map_or(Ok(()), |folder| growth::draw::draw(&new, folder));
    }
    let is_growth = arguments.only == Some(Group::Growth);
    // Before anything is measured for minutes.
    ensure!(arguments.draw.is_none() || is_growth, "--draw draws growth: add --only growth, or --with FIGURES.json");
    let machine = machine::Machine::look(&folder);
    println!("{machine}");
    let mut figures = Figures::new(arguments.figure.clone().unwrap_or_default());
    let wanted = |group| arguments.only.is_none_or(|only| only == group);
    if wanted(Group::Hot) {
        hot::measure(&lab, &mut figures).context("hot, embedded")?;
        redis::measure(&lab, &mut figures).context("hot, Redis")?;
    }
    if wanted(Group::Cold) {
        cold::measure(&lab, &mut figures).context("cold")?;
    }
    if wanted(Group::Store) {
        store::measure(&lab, &mut figures).context("store")?;
        memory::measure(&lab, &folder, &mut figures).context("store, memory")?;
    }
    if let Some(python) = arguments.peers.as_deref().filter(|_| wanted(Group::Peers)) {
        peers::measure(&lab, &mut figures, python).context("peers")?;
    }
    if arguments.only == Some(Group::Builds) {
        builds::measure(&lab, &mut figures).context("builds")?;
    }
    if is_growth {
        growth::measure(&lab, &mut figures).context("growth")?;
    }
    let load = if wanted(Group::Load) { load::measure(&lab, arguments.seconds, &mut figures) } else { Ok(()) };
    println!("{}", report::table(&figures));
    let json = report::json(&machine, &figures);
    if let Some(old) = &earlier {
        println!("{}", compare::table(old, &json));
    }
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&json)?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(folder) = &arguments.draw {
        growth::draw::draw(&json, folder)?;
    }
    // Last, so that the figures of a load that did not hold are seen.
    load.context("load")
}
