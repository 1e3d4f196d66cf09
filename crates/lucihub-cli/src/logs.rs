//! `lucihub runs logs`

use lucihub_models_core::{LogLine, StateChange};
use lucihub_store::{Event, Select, Store};

use crate::args::LogsArgs;
use crate::failure::Failure;
use crate::{output, place};

/// Prints the log of a run, a line each; with `--follow` until the run has ended.
pub(crate) async fn logs(args: LogsArgs) -> Result<(), Failure> {
    let reading = place::read_run(&args.place, args.run).await?;
    if args.follow {
        // Without hot storage it might never learn of the end.
        follow(&reading.nothing_less()?, &args).await
    } else {
        print_all(&reading.whatever_is_there(), &args).await
    }
}

async fn print_all(store: &Store, args: &LogsArgs) -> Result<(), Failure> {
    const AT_ONCE: u64 = 4_096;
    let located = store.locate(args.run).await?;
    let mut at = 0;
    loop {
        let slice = store.lines_at(&located, at..at + AT_ONCE).await?;
        if slice.lines.is_empty() {
            return Ok(());
        }
        at = slice.end();
        slice.lines.iter().try_for_each(|line| print(line, args.json))?;
    }
}

/// Lines go to standard output; what the run does beside them is talk.
async fn follow(store: &Store, args: &LogsArgs) -> Result<(), Failure> {
    let mut follower = store.follow(args.run, Select::logs());
    loop {
        let event = tokio::select! {
            event = follower.next() => event?,
            // Enough seen: the run goes on without us.
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        match event {
            Some(Event::Lines(slice)) => slice.lines.iter().try_for_each(|line| print(line, args.json))?,
            Some(Event::State(_, change)) => output::say(state(&change)),
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

fn state(change: &StateChange) -> String {
    let reason = change.reason.as_deref().map(|r| format!(": {}", output::one_line(r))).unwrap_or_default();
    format!("{}  {}{reason}", change.at, output::one_line(change.state.as_str()))
}

fn print(line: &LogLine, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(line);
    }
    let time = line.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let level = line.level.as_deref().map(output::one_line).unwrap_or_default();
    output::line(format!("{time}  {level:<5} {}", output::one_line(&line.text)))
}
