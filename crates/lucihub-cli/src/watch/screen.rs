//! The terminal, as long as it is ours.

use ratatui::DefaultTerminal;
use ratatui::buffer::Buffer;

use super::draw;
use super::view::View;
use super::watched::Watched;
use crate::failure::Failure;

/// The terminal in raw mode, on its other screen. Dropping this gives it back; a panic gives it back first.
#[derive(Debug)]
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the terminal.
    pub(super) fn open() -> Result<Self, Failure> {
        let opened = ratatui::try_init();
        if opened.is_err() {
            // It may have been taken halfway.
            let _ = ratatui::try_restore();
        }
        Ok(Self(opened?))
    }

    /// Draws a picture, and returns it.
    pub(super) fn draw(&mut self, watched: &Watched, view: &View) -> Result<Buffer, Failure> {
        let drawn = self.0.draw(|frame| draw::draw(watched, view, frame.area(), frame.buffer_mut()))?;
        Ok(drawn.buffer.clone())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The cursor is shown again by the terminal's own drop. What fails here fails since the terminal has gone.
        let _ = ratatui::try_restore();
    }
}
