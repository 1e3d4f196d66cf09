//! Drawing in the terminal, with braille dots.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Context, Line, Points};

use super::axis::{Axis, Tick};
use super::marks::Kind;
use super::scene::{Scene, View};

/// The size of a drawing, in columns and rows. Notes stand below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Size {
    /// The size where no terminal says otherwise.
    pub(crate) const PLAIN: Self = Self { width: 80, height: 24 };

    /// Buckets that the dots of this width can show: two to each column of dots.
    pub(super) fn buckets(self) -> usize {
        usize::from(self.width) * 4
    }
}

/// Colours that people who see fewer of them tell apart too (after Okabe and
/// Ito), of the 256 that terminals have.
const COLOURS: [u8; 8] = [32, 208, 36, 175, 178, 74, 166, 245];
const FAINT: Color = Color::Indexed(244);
/// Rows above the curves: title, legend, marks; and below: axis, numbers.
const ABOVE: u16 = 3;
const BELOW: u16 = 2;

/// Draws a scene. The text bears colours; whoever prints it drops them where
/// they are not wanted.
pub(super) fn draw(scene: &Scene, size: Size) -> String {
    let mut text = printed(&paint(scene, size));
    for note in &scene.notes {
        text.push_str(&format!("\n  {note}"));
    }
    text
}

/// Draws a scene without its notes.
pub(super) fn paint(scene: &Scene, size: Size) -> Buffer {
    let area = Rect::new(0, 0, size.width, size.height);
    let mut buffer = Buffer::empty(area);
    let y =
        scene.panels.iter().skip(1).fold(
            scene.panels.first().map_or_else(|| Axis::over("", -1.0, 1.0), |panel| panel.y.clone()),
            |all, panel| all.with(&panel.y),
        );
    let y_ticks = y.ticks(usize::from(size.height / 4).max(2));
    let widest = y_ticks.iter().map(|tick| width(&tick.text)).max().unwrap_or(0);
    let left = (widest + 2).min(size.width / 2);
    let plot = Rect::new(left, ABOVE, size.width - left, size.height.saturating_sub(ABOVE + BELOW));

    let title = format!("run {}: {}", scene.run, scene.title);
    buffer.set_stringn(0, 0, title, usize::from(size.width), Style::default());
    legend(&mut buffer, scene, &y);
    curves(&mut buffer, scene, &y, plot);
    frame(&mut buffer, scene, (&y, &y_ticks), plot);
    marks(&mut buffer, scene, plot);
    buffer
}

fn curves(buffer: &mut Buffer, scene: &Scene, y: &Axis, plot: Rect) {
    let canvas =
        Canvas::default().marker(Marker::Braille).x_bounds([scene.x.low, scene.x.high]).y_bounds([y.low, y.high]);
    canvas
        .paint(|context| {
            for mark in &scene.marks {
                let every = (y.high - y.low) / f64::from(plot.height * 2);
                let dots: Vec<(f64, f64)> =
                    (0..plot.height * 2).map(|n| (mark.x, y.low + every * (f64::from(n) + 0.5))).collect();
                context.draw(&Points { coords: &dots, color: FAINT });
            }
            for (number, panel) in scene.panels.iter().enumerate() {
                context.layer();
                for piece in &panel.pieces {
                    let color = colour(number);
                    for slab in &piece.slabs {
                        let x = f64::midpoint(slab.from, slab.to);
                        context.draw(&Line::new(x, slab.low, x, slab.high, color));
                    }
                    line(context, &piece.line, scene.view, color);
                }
            }
        })
        .render(plot, buffer);
}

fn line(context: &mut Context<'_>, points: &[(f64, f64)], view: View, color: Color) {
    if view == View::Scatter || points.len() == 1 {
        context.draw(&Points { coords: points, color });
        return;
    }
    for pair in points.windows(2) {
        let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
        context.draw(&Line::new(x1, y1, x2, y2, color));
    }
}

/// The names of the curves, and what the y axis measures.
fn legend(buffer: &mut Buffer, scene: &Scene, y: &Axis) {
    let room = buffer.area.width;
    let (mut at, _) = buffer.set_stringn(0, 1, &y.label, usize::from(room), Style::default().fg(FAINT));
    if scene.view != View::Time {
        return;
    }
    for (number, panel) in scene.panels.iter().enumerate() {
        let style = Style::default().fg(colour(number));
        if room < at + 4 {
            return;
        }
        (at, _) = buffer.set_stringn(at + 3, 1, format!("━ {}", panel.name), usize::from(room - at - 3), style);
    }
}

fn frame(buffer: &mut Buffer, scene: &Scene, (y, y_ticks): (&Axis, &[Tick]), plot: Rect) {
    let (edge, floor) = (plot.left() - 1, plot.bottom());
    for row in plot.top()..floor {
        buffer.set_string(edge, row, "│", Style::default());
    }
    buffer.set_string(edge, floor, "└", Style::default());
    for column in plot.left()..plot.right() {
        buffer.set_string(column, floor, "─", Style::default());
    }
    for tick in y_ticks {
        let row = plot.bottom() - 1 - cell(tick.at, y, plot.height);
        buffer.set_string(edge, row, "┤", Style::default());
        buffer.set_string(edge.saturating_sub(width(&tick.text) + 1), row, &tick.text, Style::default());
    }
    // The name of the axis stands at its end; numbers give way to it.
    let name = width(&scene.x.label).min(plot.width);
    let end = plot.right() - name;
    buffer.set_stringn(end, floor + 1, &scene.x.label, usize::from(name), Style::default().fg(FAINT));
    let mut free = 0;
    for tick in scene.x.ticks(usize::from(plot.width / 14).max(2)) {
        let column = plot.left() + cell(tick.at, &scene.x, plot.width);
        buffer.set_string(column, floor, "┬", Style::default());
        let begin = column.saturating_sub(width(&tick.text) / 2);
        let after = begin + width(&tick.text);
        if begin >= free && after < end {
            buffer.set_string(begin, floor + 1, &tick.text, Style::default());
            free = after + 1;
        }
    }
}

/// The names of the marks, above where they stand; those without room stay unnamed.
fn marks(buffer: &mut Buffer, scene: &Scene, plot: Rect) {
    let mut free = 0;
    for mark in &scene.marks {
        let column = plot.left() + cell(mark.x, &scene.x, plot.width);
        let sign = match mark.kind {
            Kind::Phase => "▾",
            Kind::Overload => "!",
        };
        let long = width(&mark.text) + 1;
        // To the right of the sign, or to the left of it at the right edge.
        let (begin, text) = if column + long <= plot.right() {
            (column, format!("{sign}{}", mark.text))
        } else {
            ((column + 1).saturating_sub(long), format!("{}{sign}", mark.text))
        };
        if begin >= free {
            buffer.set_stringn(begin, ABOVE - 1, text, usize::from(plot.right() - begin), Style::default().fg(FAINT));
            free = begin + long + 1;
        } else if column >= free {
            buffer.set_string(column, ABOVE - 1, sign, Style::default().fg(FAINT));
        }
    }
}

/// The cell of a value on an axis of so many cells.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the cells there are")]
fn cell(value: f64, axis: &Axis, cells: u16) -> u16 {
    let last = f64::from(cells.saturating_sub(1));
    ((value - axis.low) / (axis.high - axis.low) * last).round().clamp(0.0, last) as u16
}

fn colour(number: usize) -> Color {
    Color::Indexed(COLOURS[number % COLOURS.len()])
}

fn width(text: &str) -> u16 {
    u16::try_from(ratatui::text::Span::raw(text).width()).unwrap_or(u16::MAX)
}

/// The rows of a buffer as text, without the blanks at their ends.
pub(crate) fn printed(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut now = Color::Reset;
        let cells = (buffer.area.left()..buffer.area.right()).map(|column| &buffer[(column, row)]);
        let used = cells.clone().collect::<Vec<_>>().iter().rposition(|cell| !is_blank(cell.symbol()));
        for cell in cells.take(used.map_or(0, |last| last + 1)) {
            let symbol = if is_blank(cell.symbol()) { " " } else { cell.symbol() };
            let wanted = if symbol == " " { Color::Reset } else { cell.fg };
            if wanted != now {
                line.push_str(&code(wanted));
                now = wanted;
            }
            line.push_str(symbol);
        }
        if now != Color::Reset {
            line.push_str(&code(Color::Reset));
        }
        if row > buffer.area.top() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}

/// A braille cell without dots is a blank too.
fn is_blank(symbol: &str) -> bool {
    symbol == " " || symbol == "\u{2800}"
}

fn code(color: Color) -> String {
    match color {
        Color::Indexed(number) => format!("\u{1b}[38;5;{number}m"),
        _ => "\u{1b}[0m".to_owned(),
    }
}
