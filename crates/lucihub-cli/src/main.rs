//! The command `lucihub`: record, look at and keep runs of analog-digital
//! hybrid computers.

mod act;
mod archive;
mod args;
mod channels;
mod check;
mod config;
mod confirm;
mod demo;
mod devices;
mod export;
mod failure;
mod gc;
mod hot;
mod import;
mod list;
mod logs;
mod migrate;
mod models;
mod outage;
mod output;
mod place;
mod plot;
mod progress;
mod record;
mod report;
mod runs;
mod samples;
mod secret;
mod shell;
mod states;
mod status;
mod stop;
mod sweep;
mod verify;
mod watch;
mod whole_file;
mod why;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, ConfigVerb, RunsVerb, Verb};
use clap::{CommandFactory, FromArgMatches};
use failure::Failure;

fn main() -> ExitCode {
    let settings = config::read();
    let parsed = config::with_defaults(Cli::command()).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are answers; anything else was refused. 2 means `cancelled` here.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match settings.and_then(|()| run(cli)) {
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
            Verb::Runs(RunsVerb::Samples(args)) => samples::run(args).await,
            Verb::Runs(RunsVerb::Export(args)) => export::run(args).await,
            Verb::Runs(RunsVerb::Import(args)) => import::run(args).await,
            Verb::Runs(RunsVerb::States(args)) => states::run(args).await,
            Verb::Runs(RunsVerb::Create(args)) => act::create(*args).await,
            Verb::Runs(RunsVerb::Cancel(args)) => act::cancel(args).await,
            Verb::Runs(RunsVerb::Label(args)) => act::label(args).await,
            Verb::Runs(RunsVerb::Delete(args)) => act::delete(args).await,
            Verb::Devices(verb) => devices::run(verb).await,
            Verb::Record(args) => record::run(args).await,
            Verb::Runs(RunsVerb::Report(args)) => report::run(args).await,
            Verb::Archive(args) => archive::run(args).await,
            Verb::Sweep(args) => sweep::run(args).await,
            Verb::Gc(args) => gc::run(args).await,
            Verb::Verify(args) => verify::run(args).await,
            Verb::Check(args) => check::run(args).await,
            Verb::Models(verb) => models::run(verb).await,
            Verb::Migrate(verb) => migrate::run(verb).await,
            Verb::Status(args) => status::run(args).await,
            Verb::Config(ConfigVerb::Show(args)) => config::show(&args),
            Verb::Completions(args) => shell::completions(&args),
            Verb::Man(args) => shell::man(&args),
        }
    })
}
