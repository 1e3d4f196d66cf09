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

use std::io::IsTerminal;
use std::ops::Range;
use std::path::Path;

use lucihub_models_core::{Envelope, RunHead};
use lucihub_store::{Located, Store};
use ratatui::buffer::Buffer;

pub(crate) use compose::{CHANNELS, Request};
pub(crate) use marks::{Kind, marks};
pub(crate) use scene::{name, place as on_axis, unit};
pub(crate) use terminal::{Size, printed};
pub(crate) use trace::holes;
pub(crate) use window::{Edge, Pair, Which, resolve};

use crate::args::PlotArgs;
use crate::failure::Failure;
use crate::{output, place, whole_file};

/// Draws a run.
pub(crate) async fn run(args: PlotArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let store = reading.whatever_is_there();
    let request = Request { run, channels: args.channel, xy: args.xy, from: args.from, to: args.to };
    if args.svg.as_deref() == Some(Path::new("-")) {
        return output::text(as_svg(&store, &store.locate(run).await?, &request).await?.as_bytes());
    }
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
    let located = store.locate(request.run).await?;
    Ok(terminal::draw(&compose::compose(store, &located, request, size.buckets()).await?, size))
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
    let text = as_svg(store, &store.locate(request.run).await?, request).await?;
    whole_file::replace(file, text.as_bytes()).map_err(|why| Failure::File {
        what: "write",
        path: file.to_owned(),
        why,
    })
}

/// Draws a run, as it was found, as SVG.
pub(crate) async fn as_svg(store: &Store, located: &Located, request: &Request) -> Result<String, Failure> {
    let panels = if request.channels.is_empty() { CHANNELS } else { request.channels.len() };
    svg::draw(&compose::compose(store, located, request, svg::buckets(panels)).await?)
}

/// Draws channels of a run that grows, from envelopes that were followed; and says what is missing.
pub(crate) fn grown(
    head: &RunHead,
    window: &Range<u64>,
    envelopes: &[(u32, Envelope)],
    size: Size,
) -> (Buffer, Vec<String>) {
    let scene = scene::over_time(head, window, envelopes);
    (terminal::paint(&scene, size), scene.notes)
}
