//! `lucihub runs plot`: pictures of a run.
//!
//! A run becomes a [`Scene`](scene::Scene), read from envelopes and independent
//! of what it is drawn on; [`terminal`] and [`svg`] draw it. The same run gives
//! the same picture, to the byte.

mod axis;
mod compose;
mod marks;
mod portrait;
mod scene;
mod svg;
mod terminal;
mod trace;
mod window;

use std::io::{IsTerminal, Write};
use std::path::Path;

use lucihub_store::Store;

pub(crate) use compose::Request;
pub(crate) use terminal::Size;
pub(crate) use window::{Edge, Pair, Which, resolve};

use crate::args::PlotArgs;
use crate::failure::Failure;
use crate::whole_file::WholeFile;
use crate::{output, place};

/// Draws a run.
pub(crate) async fn run(args: PlotArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let store = reading.whatever_is_there();
    let request = Request { run, channels: args.channel, xy: args.xy, from: args.from, to: args.to };
    if let Some(file) = &args.svg {
        write_svg(&store, &request, file).await?;
        output::say(format!("written: {}", file.display()));
        return Ok(());
    }
    let here = size();
    let size = Size { width: args.width.unwrap_or(here.width), height: args.height.unwrap_or(here.height) };
    output::line(in_terminal(&store, &request, size).await?)
}

/// Draws a run as text, with colours that the printing drops where they are not wanted.
pub(crate) async fn in_terminal(store: &Store, request: &Request, size: Size) -> Result<String, Failure> {
    Ok(terminal::draw(&compose::compose(store, request, size.buckets()).await?, size))
}

/// The size of a drawing that fits where standard output goes.
pub(crate) fn size() -> Size {
    let terminal = terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal());
    terminal.map_or(Size::PLAIN, |(width, height)| Size {
        width: width.0.clamp(40, 400),
        // The prompt needs a row too.
        height: Size::PLAIN.height.min(height.0.saturating_sub(1)).max(12),
    })
}

/// Draws a run into a file, which is there whole or as it was before.
pub(crate) async fn write_svg(store: &Store, request: &Request, file: &Path) -> Result<(), Failure> {
    let panels = if request.channels.is_empty() { compose::CHANNELS } else { request.channels.len() };
    let text = svg::draw(&compose::compose(store, request, svg::buckets(panels)).await?)?;
    let write = || {
        let mut whole = WholeFile::begin(file)?;
        whole.write_all(text.as_bytes())?;
        whole.replace()
    };
    write().map_err(|why| Failure::File { what: "write", path: file.to_owned(), why })
}
