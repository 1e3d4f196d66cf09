//! The demo's pictures: a stretch with the lost chunk, and the attractor.

use std::ops::Range;
use std::path::{Path, PathBuf};

use lucihub_models_core::RunId;
use lucihub_store::Store;

use super::lorenz::Signals;
use crate::failure::Failure;
use crate::output;
use crate::plot::{self, Edge, Pair, Request, Which};

/// Samples of the time series before and after the lost chunk: 0.1 s in all.
const AROUND: u64 = 3_000;
/// As many as columns of dots can tell apart: 24 ms in all.
const NEAR: u64 = 650;
/// Samples of the phase portrait, 0.128 s: some forty rounds.
const PORTRAIT: u64 = 8_000;

/// What the demo has drawn, and what it draws last.
#[derive(Debug)]
pub(super) struct Pictures {
    /// All channels over time.
    pub(super) time: PathBuf,
    /// z over x.
    pub(super) phase: PathBuf,
    terminal: Request,
}

impl Pictures {
    /// Draws the two files.
    pub(super) async fn draw(store: &Store, run: RunId, signals: &Signals, dir: &Path) -> Result<Self, Failure> {
        let lost = signals.lost();
        let around = |samples: u64| lost.start.saturating_sub(samples)..(lost.end + samples).min(signals.samples());
        let request = |channels: Vec<Which>, window: Range<u64>| Request {
            run,
            channels,
            xy: None,
            from: Some(Edge::Sample(window.start)),
            to: Some(Edge::Sample(window.end)),
        };
        let pictures = Self {
            time: dir.join(format!("{run}-time.svg")),
            phase: dir.join(format!("{run}-phase.svg")),
            terminal: request(vec![Which::Number(0)], around(NEAR)),
        };
        plot::write_svg(store, &request(Vec::new(), around(AROUND)), &pictures.time).await?;
        let portrait = Request { xy: Some(Pair { x: 0, y: 2 }), ..request(Vec::new(), 0..PORTRAIT) };
        plot::write_svg(store, &portrait, &pictures.phase).await?;
        Ok(pictures)
    }

    /// What to type for the last one.
    pub(super) fn typed(&self) -> String {
        let edge = |edge: Option<Edge>| match edge {
            Some(Edge::Sample(index)) => index.to_string(),
            Some(Edge::Seconds(seconds)) => format!("{seconds}s"),
            None => String::new(),
        };
        format!("--channel 0 --from {} --to {}", edge(self.terminal.from), edge(self.terminal.to))
    }

    /// Draws the last one in the terminal.
    pub(super) async fn print(&self, store: &Store) -> Result<(), Failure> {
        let drawn = plot::in_terminal(store, &self.terminal, plot::size()).await?;
        output::line(format!("\n{drawn}"))
    }
}
