//! The command `lucihub`: record, look at and keep runs of analog-digital
//! hybrid computers.

mod archive;
mod args;
mod check;
mod confirm;
mod demo;
mod devices;
mod failure;
mod gc;
mod hot;
mod list;
mod logs;
mod migrate;
mod models;
mod outage;
mod output;
mod place;
mod plot;
mod progress;
mod report;
mod runs;
mod secret;
mod stop;
mod sweep;
mod verify;
mod watch;
mod whole_file;
mod why;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, DevicesVerb, RunsVerb, Verb};
use clap::Parser;
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are answers; anything else was refused. 2 means `cancelled` here.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(anstream::stderr(), "lucihub: {failure}");
            failure.code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Broken(error.to_string()))?;
    runtime.block_on(async {
        match cli.verb {
            Verb::Demo(args) => demo::run(args).await,
            Verb::Runs(RunsVerb::List(args)) => list::list(args).await,
            Verb::Runs(RunsVerb::Search(args)) => list::search(args).await,
            Verb::Runs(RunsVerb::Show(args)) => runs::show(args).await,
            Verb::Runs(RunsVerb::Why(args)) => why::run(args).await,
            Verb::Runs(RunsVerb::Logs(args)) => logs::logs(args).await,
            Verb::Runs(RunsVerb::Watch(args)) => watch::run(args).await,
            Verb::Runs(RunsVerb::Plot(args)) => plot::run(args).await,
            Verb::Runs(RunsVerb::Report(args)) => report::run(args).await,
            Verb::Devices(DevicesVerb::List(args)) => devices::list(args).await,
            Verb::Archive(args) => archive::run(args).await,
            Verb::Sweep(args) => sweep::run(args).await,
            Verb::Gc(args) => gc::run(args).await,
            Verb::Verify(args) => verify::run(args).await,
            Verb::Check(args) => check::run(args).await,
            Verb::Models(verb) => models::run(verb).await,
            Verb::Migrate(verb) => migrate::run(verb).await,
        }
    })
}
