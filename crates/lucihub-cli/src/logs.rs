//! `lucihub runs logs`

use lucihub_models_core::hot::LineSlice;
use lucihub_models_core::{Cursor, LogLine, Positions, RunId, StateChange};
use lucihub_store::{Event, Follower, Located, Select, Store};

use crate::args::LogsArgs;
use crate::failure::Failure;
use crate::{outage, output, place};

/// Prints the log of a run, a line each; with `--follow` until the run has ended.
pub(crate) async fn logs(args: LogsArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    if args.follow {
        // Without hot storage it might never learn of the end.
        follow(&reading.nothing_less()?, run, &args).await
    } else {
        print_all(&reading.whatever_is_there(), run, &args).await
    }
}

async fn print_all(store: &Store, run: RunId, args: &LogsArgs) -> Result<(), Failure> {
    const AT_ONCE: u64 = 4_096;
    let located = store.locate(run).await?;
    let mut at = first(args, &located);
    loop {
        let slice = store.lines_at(&located, at..at + AT_ONCE).await?;
        if slice.lines.is_empty() {
            return Ok(());
        }
        at = slice.end();
        slice.lines.iter().try_for_each(|line| print(line, args.json))?;
    }
}

/// The line to begin with.
fn first(args: &LogsArgs, located: &Located) -> u64 {
    args.tail.map_or(0, |tail| located.positions().lines.saturating_sub(tail))
}

/// Lines go to standard output; what the run does beside them is talk.
async fn follow(store: &Store, run: RunId, args: &LogsArgs) -> Result<(), Failure> {
    let server = args.place.hot.server();
    let first = if args.tail.is_some() { first(args, &store.locate(run).await?) } else { 0 };
    let cursor = Cursor::new(run, Positions { lines: first, ..Positions::default() });
    let printed = Printed { lines: first, ..Printed::default() };
    let following = print_events(store.follow_from(cursor, Select::logs()), server.as_deref(), printed, args.json);
    let watching = async {
        match &server {
            Some(server) => outage::watch(store, server, || "following waits for it".to_owned(), output::say).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        followed = following => followed,
        never = watching => match never {},
        // Enough seen: the run goes on without us.
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Prints what comes, and nothing that comes again because the store fell behind.
async fn print_events(
    mut follower: Follower,
    server: Option<&str>,
    mut printed: Printed,
    json: bool,
) -> Result<(), Failure> {
    while let Some(event) = outage::next(&mut follower, server).await? {
        match event {
            Event::Lines(slice) => printed.news(&slice).iter().try_for_each(|line| print(line, json))?,
            Event::State(number, change) if number >= printed.states => {
                printed.states = number + 1;
                output::say(state(&change));
            }
            Event::Rewound(to) if !std::mem::replace(&mut printed.fell_behind, true) => {
                let to = to.lines;
                output::say(format!(
                    "the store fell behind, to line {to}; lines that it gets again are not printed twice"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How far the printing is.
#[derive(Debug, Default)]
struct Printed {
    lines: u64,
    states: u64,
    fell_behind: bool,
}

impl Printed {
    /// The lines that were not printed yet.
    fn news<'a>(&mut self, slice: &'a LineSlice) -> &'a [LogLine] {
        let known = usize::try_from(self.lines.saturating_sub(slice.first)).unwrap_or(usize::MAX);
        self.lines = self.lines.max(slice.end());
        slice.lines.get(known..).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_printed_twice_after_the_store_fell_behind() {
        let slice =
            |first: u64, end: u64| LineSlice { first, lines: (first..end).map(|n| n.to_string().into()).collect() };
        let mut printed = Printed::default();
        let mut news = |slice: &LineSlice| printed.news(slice).iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        assert_eq!(news(&slice(0, 3)), ["0", "1", "2"]);
        assert_eq!(news(&slice(1, 2)), [""; 0], "told again");
        assert_eq!(news(&slice(2, 5)), ["3", "4"]);
        assert_eq!(news(&slice(5, 6)), ["5"]);
    }
}
