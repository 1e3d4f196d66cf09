//! `lucihub runs watch`: one run on a live screen.
//!
//! [`feed`] follows the run and asks how it stands, in tasks of its own; [`watched`] is what is known of it so far;
//! [`draw`] shows that, as [`view`] says, which the keys change; [`screen`] holds the terminal and gives it back.

mod draw;
mod feed;
mod screen;
mod view;
mod watched;

use std::io::IsTerminal;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use lucihub_models_core::RunId;
use ratatui::buffer::Buffer;
use tokio::time::{Instant, sleep_until};

use crate::args::{LogsArgs, WatchArgs};
use crate::failure::Failure;
use crate::output::counted;
use crate::{logs, output, place, plot, stop};
use feed::{Feed, News};
use screen::Screen;
use view::{Change, View};
use watched::Watched;

/// The shortest time between two pictures.
const PICTURE: Duration = Duration::from_millis(100);

/// Watches a run until it or the person has had enough.
pub(crate) async fn run(args: WatchArgs) -> Result<(), Failure> {
    if !is_screen() {
        return logs::logs(LogsArgs { run: args.run, place: args.place, follow: true, tail: None, json: false }).await;
    }
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    // Without hot storage it might never learn of the end.
    let store = reading.nothing_less()?;
    let first = store.status(run).await?;
    let mut watched = Watched::new(&first, store.now());
    let mut feed = Feed::start(&store, run, args.place.hot.server(), &first);
    let mut screen = Screen::open()?;
    let last = show(&mut screen, &mut feed, &mut watched, args.stay).await;
    // The terminal is the person's again before anything is said, errors included.
    drop(screen);
    let last = last?;
    if watched.status.ended {
        output::line(plot::printed(&last))?;
    }
    output::line(summary(run, &watched))
}

/// Whether there is a terminal to draw on, and one to press keys on.
fn is_screen() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    !is_dumb && std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}

/// Draws what comes until the end, and returns the last picture.
async fn show(screen: &mut Screen, feed: &mut Feed, watched: &mut Watched, stay: bool) -> Result<Buffer, Failure> {
    let mut keys = EventStream::new();
    let mut due = Instant::now();
    let mut stopped = std::pin::pin!(stop::asked());
    let mut view = View::default();
    let mut held: Option<Watched> = None;
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => return screen.draw(watched, &view),
            key = keys.next() => match key {
                Some(Ok(Event::Key(key))) => match view.press(&key, held.as_ref().unwrap_or(watched)) {
                    Change::Quit => return screen.draw(watched, &view),
                    Change::Hold => held = if view.held { Some(watched.clone()) } else { None },
                    Change::Other => {}
                },
                Some(Ok(_)) => {}
                Some(Err(why)) => return Err(why.into()),
                // The terminal has gone.
                None => return screen.draw(watched, &view),
            },
            () = sleep_until(due) => {
                let begun = Instant::now();
                screen.draw(held.as_ref().unwrap_or(watched), &view)?;
                // However long a picture takes, what comes has as much time before the next.
                due = Instant::now() + begun.elapsed().max(PICTURE);
            }
            news = feed.next() => match news {
                News::Event(event) => watched.take(event),
                News::Look(look) => {
                    watched.look(*look);
                    if watched.is_over() && !stay {
                        return screen.draw(watched, &view);
                    }
                }
                News::Away(why) => watched.away = Some(why),
                News::Failed(why) => return Err(why),
            },
        }
    }
}

/// The line that stays.
fn summary(run: RunId, watched: &Watched) -> String {
    let head = &watched.status.head;
    let goes_on = if watched.status.ended { "" } else { "; it goes on" };
    format!(
        "run {run} {}: {}, {}, {}{goes_on}",
        output::one_line(head.state().as_str()),
        counted(head.channels.len() as u64, "channel", "channels"),
        counted(watched.samples(), "sample", "samples"),
        counted(watched.status.positions.lines, "log line", "log lines"),
    )
}
