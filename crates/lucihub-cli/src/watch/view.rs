//! What of a run is shown, and the keys that change it.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::watched::Watched;
use crate::plot;

/// What fills the screen below the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Page {
    #[default]
    Overview,
    Plot,
    Log,
    States,
}

/// What is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) page: Page,
    /// The place of one channel in the list of those that have something; all of them, or the first, if none.
    pub(super) channel: Option<usize>,
    /// The last so many seconds, or samples where the run has no time base; all if none.
    pub(super) last: Option<f64>,
    /// Whether the picture is held.
    pub(super) held: bool,
}

/// What a key changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Quit,
    Hold,
    Other,
}

impl View {
    /// Does what a key asks for.
    pub(super) fn press(&mut self, key: &KeyEvent, watched: &Watched) -> Change {
        if key.kind == KeyEventKind::Release {
            return Change::Other;
        }
        let channels = watched.traces.len();
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Change::Quit,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Change::Quit,
            KeyCode::Char('p' | ' ') => {
                self.held = !self.held;
                return Change::Hold;
            }
            KeyCode::Tab => {
                self.page = match self.page {
                    Page::Overview => Page::Plot,
                    Page::Plot => Page::Log,
                    Page::Log => Page::States,
                    Page::States => Page::Overview,
                };
            }
            KeyCode::Right => self.channel = Some(self.channel.map_or(0, |at| at + 1)).filter(|at| *at < channels),
            KeyCode::Left => self.channel = self.channel.unwrap_or(channels).checked_sub(1),
            KeyCode::Char('+' | '=') => self.last = Some(round_below(self.last.unwrap_or_else(|| span(watched)))),
            KeyCode::Char('-') => self.last = self.last.map(round_above).filter(|last| *last < span(watched)),
            _ => {}
        }
        Change::Other
    }

    /// The channels that are drawn: their places in the list of those that have something.
    pub(super) fn channels(&self, watched: &Watched) -> Range<usize> {
        let all = watched.traces.len();
        match self.channel {
            Some(at) if at < all => at..at + 1,
            _ => 0..all.min(plot::CHANNELS),
        }
    }

    /// The samples that are drawn.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time that is shown, positive")]
    pub(super) fn window(&self, watched: &Watched) -> Range<u64> {
        let end = watched.end();
        let rate = watched.status.head.time_base.map_or(1.0, |base| base.rate_hz);
        let size = self.last.map_or(end, |last| ((last * rate).ceil() as u64).max(2));
        end.saturating_sub(size)..end
    }
}

/// How long what was recorded is, in seconds, or in samples where the run has no time base.
#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn span(watched: &Watched) -> f64 {
    watched.end() as f64 / watched.status.head.time_base.map_or(1.0, |base| base.rate_hz)
}

/// The next of 1, 2, 5, 10, ... below.
fn round_below(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-9).log10().floor());
    [5.0, 2.0, 1.0].into_iter().find(|round| round * power < value * 0.999).map_or(power / 2.0, |round| round * power)
}

/// The next of 1, 2, 5, 10, ... above.
fn round_above(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-9).log10().floor());
    [2.0, 5.0, 10.0].into_iter().find(|round| round * power > value * 1.001).map_or(power * 20.0, |round| round * power)
}

#[cfg(test)]
mod tests {
    use super::super::draw::tests::live;
    use super::*;

    #[test]
    fn keys_change_what_is_shown() {
        let (watched, mut view) = (live(), View::default());
        let mut press = |code| view.press(&KeyEvent::from(code), &watched);
        assert_eq!(press(KeyCode::Char('q')), Change::Quit);
        assert_eq!(press(KeyCode::Char('p')), Change::Hold);
        let mut channel = |code| {
            view.press(&KeyEvent::from(code), &watched);
            view.channels(&watched)
        };
        assert_eq!([KeyCode::Right; 3].map(&mut channel), [0..1, 1..2, 0..2]);
        assert_eq!([KeyCode::Left; 3].map(&mut channel), [1..2, 0..1, 0..2]);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(view.press(&interrupt, &watched), Change::Quit);
    }

    #[test]
    fn the_window_is_the_last_round_seconds() {
        let (watched, mut view) = (live(), View::default());
        let mut press = |code| {
            view.press(&KeyEvent::from(KeyCode::Char(code)), &watched);
            view.window(&watched)
        };
        // 4,000 samples at 10 kHz: 0.4 s.
        assert_eq!(['+', '+', '+'].map(&mut press), [2_000..4_000, 3_000..4_000, 3_500..4_000]);
        assert_eq!(['-', '-', '-', '-'].map(&mut press), [3_000..4_000, 2_000..4_000, 0..4_000, 0..4_000]);
    }
}
