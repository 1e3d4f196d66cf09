//! Drawing as SVG.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Axis, Tick};
use super::marks::Kind;
use super::scene::{Panel, Scene, View};
use super::trace::Slab;
use crate::failure::Failure;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// plotters counts in whole pixels; drawn so many times larger, curves stay smooth.
const FINE: i32 = 4;

/// Colours that people who see fewer of them tell apart too (Okabe and Ito 2008),
/// the yellow darkened for a light ground.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(180, 140, 0),
    RGBColor(86, 180, 233),
    RGBColor(140, 86, 75),
    RGBColor(90, 90, 90),
];
const INK: RGBColor = RGBColor(34, 40, 49);
const FAINT: RGBColor = RGBColor(110, 118, 129);
const GRID: RGBColor = RGBColor(226, 230, 235);
const FRAME: RGBColor = RGBColor(176, 184, 193);
const HOLE: RGBColor = RGBColor(236, 226, 208);
const ALARM: RGBColor = RGBColor(190, 30, 45);

/// Sizes in pixels of the picture as it is shown.
const WIDTH: i32 = 960;
const SQUARE: i32 = 640;
const TOP: i32 = 62;
const NAME: i32 = 22;
const MARKS: i32 = 20;
const LEFT: i32 = 84;
const RIGHT: i32 = 24;
const AXIS: i32 = 46;
/// Room between panels, and for the name above each where there are several.
const BETWEEN: i32 = 26;
const NOTE: i32 = 17;
const BOTTOM: i32 = 8;

/// Buckets that a picture of so many panels holds: fewer each where there are
/// many, since all of them are in one file.
pub(super) const fn buckets(panels: usize) -> usize {
    if panels <= 2 { 1_600 } else { 700 }
}

const fn panel_height(panels: usize) -> i32 {
    match panels {
        0 | 1 => 360,
        2 => 220,
        3 => 160,
        4 => 130,
        _ => 84,
    }
}

/// Draws a scene: the same scene gives the same bytes.
///
/// # Errors
/// Where the drawing library fails; drawing into memory, it has no reason to.
pub(super) fn draw(scene: &Scene) -> Result<String, Failure> {
    let count = i32::try_from(scene.panels.len().max(1)).unwrap_or(i32::MAX);
    let time = scene.view == View::Time;
    let panel = if time { panel_height(scene.panels.len()) } else { SQUARE - LEFT - RIGHT };
    let width = if time { WIDTH } else { SQUARE };
    let notes = i32::try_from(scene.notes.len()).unwrap_or(0);
    let marks = if scene.marks.is_empty() { 0 } else { MARKS };
    let named = if scene.panels.len() > 1 { NAME } else { 0 };
    let body = TOP + marks + named;
    let height = body + count * (panel + BETWEEN) - BETWEEN + AXIS + notes * NOTE + BOTTOM;
    let mut text = String::new();
    {
        let size = (unsigned(width * FINE), unsigned(height * FINE));
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let canvas = Drawing { root, scene, left: LEFT, right: width - RIGHT };
        canvas.all(body, panel, height).map_err(|why| Failure::Broken(why.to_string()))?;
    }
    // Shown at its true size; what is inside stays in finer units.
    let shown = format!("width=\"{width}\" height=\"{height}\"");
    Ok(text.replacen(&format!("width=\"{}\" height=\"{}\"", width * FINE, height * FINE), &shown, 1))
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

struct Drawing<'a> {
    root: Area<'a>,
    scene: &'a Scene,
    left: i32,
    right: i32,
}

impl<'a> Drawing<'a> {
    fn all(&self, body: i32, panel: i32, height: i32) -> Drawn {
        let scene = self.scene;
        self.root.fill(&WHITE)?;
        self.heading(&scene.title, 26, &TextLook::new(17, INK).bold())?;
        self.heading(&scene.subtitle, 46, &TextLook::new(12, FAINT))?;
        let mut top = body;
        let count = scene.panels.len();
        for (number, one) in scene.panels.iter().enumerate() {
            self.panel(one, number, (top, top + panel), number + 1 == count)?;
            top += panel + BETWEEN;
        }
        let floor = top - BETWEEN;
        let named = if count > 1 { NAME } else { 0 };
        self.marks((body - named, floor))?;
        self.axis_names((body, floor))?;
        for (number, note) in (1..).zip(scene.notes.iter().rev()) {
            self.heading(note, height - BOTTOM - NOTE * number + 12, &TextLook::new(12, FAINT))?;
        }
        self.root.present()
    }

    fn panel(&self, panel: &Panel, number: usize, rows: (i32, i32), last: bool) -> Drawn {
        let (x, y) = (&self.scene.x, &panel.y);
        let columns = (self.left, self.right);
        let color = COLOURS[number % COLOURS.len()];
        let plane = self.plane(y, rows);
        for hole in &panel.holes {
            let (from, to) = (plane.map_coordinate(&(hole.0, y.low)).0, plane.map_coordinate(&(hole.1, y.low)).0);
            // A gap too narrow to be seen is drawn a little wider than it is.
            let to = to.max(from + FINE * 3 / 2);
            self.root.draw(&Rectangle::new([(from, rows.0 * FINE), (to, rows.1 * FINE)], HOLE.filled()))?;
        }
        for tick in x.ticks(10) {
            self.stroke(&[(at(&tick, x, columns), rows.0), (at(&tick, x, columns), rows.1)], GRID, 1)?;
            if last {
                self.text(&tick.text, (at(&tick, x, columns), rows.1 + 16), &TextLook::new(12, INK).middle())?;
            }
        }
        let most = usize::try_from((rows.1 - rows.0) / 20).unwrap_or(2).clamp(2, 8);
        for tick in y.ticks(most) {
            let row = at(&tick, y, (rows.1, rows.0));
            self.stroke(&[(columns.0, row), (columns.1, row)], GRID, 1)?;
            self.text(&tick.text, (columns.0 - 8, row + 4), &TextLook::new(12, INK).end())?;
        }
        self.curve(&plane, panel, color)?;
        let corners = [(columns.0, rows.0), (columns.1, rows.0), (columns.1, rows.1), (columns.0, rows.1)];
        self.stroke(&[corners[0], corners[1], corners[2], corners[3], corners[0]], FRAME, 1)?;
        if self.scene.view == View::Time && self.scene.panels.len() > 1 {
            self.text(&panel.name, (columns.0, rows.0 - 6), &TextLook::new(12, color).bold())?;
        }
        Ok(())
    }

    fn plane(&self, y: &Axis, rows: (i32, i32)) -> Plane<'a> {
        let x = &self.scene.x;
        let pixels = (self.left * FINE..self.right * FINE, rows.1 * FINE..rows.0 * FINE);
        self.root.apply_coord_spec(Cartesian2d::new(x.low..x.high, y.low..y.high, pixels))
    }

    fn curve(&self, plane: &Plane<'a>, panel: &Panel, color: RGBColor) -> Drawn {
        let fine = unsigned(FINE);
        for piece in &panel.pieces {
            if self.scene.view == View::Scatter || piece.line.len() == 1 && piece.slabs.is_empty() {
                let size = if self.scene.view == View::Scatter { fine / 2 + 1 } else { fine * 3 / 2 };
                for point in &piece.line {
                    plane.draw(&Circle::new(*point, size, color.mix(0.6).filled()))?;
                }
                continue;
            }
            if let (Some(first), Some(last)) = (piece.slabs.first(), piece.slabs.last()) {
                // Up to the edges of the piece, and through the midst of each bucket.
                let middle = |slab: &Slab| f64::midpoint(slab.from, slab.to);
                let above = piece.slabs.iter().map(|slab| (middle(slab), slab.high));
                let below = piece.slabs.iter().rev().map(|slab| (middle(slab), slab.low));
                let outline: Vec<(f64, f64)> = std::iter::once((first.from, first.high))
                    .chain(above)
                    .chain([(last.to, last.high), (last.to, last.low)])
                    .chain(below)
                    .chain([(first.from, first.low)])
                    .collect();
                plane.draw(&Polygon::new(outline, color.mix(0.45).filled()))?;
                // A spike of one bucket would be thinner than a pixel.
                for slab in spikes(&piece.slabs, (panel.y.high - panel.y.low) * 0.02) {
                    let spike = vec![(middle(slab), slab.low), (middle(slab), slab.high)];
                    plane.draw(&PathElement::new(spike, color.stroke_width(fine)))?;
                }
            }
            let thin = if self.scene.view == View::Portrait { fine * 3 / 4 } else { fine };
            plane.draw(&PathElement::new(piece.line.clone(), color.stroke_width(thin)))?;
        }
        Ok(())
    }

    /// A dashed line through all panels for each mark; a name where there is room.
    fn marks(&self, (top, floor): (i32, i32)) -> Drawn {
        let mut free = self.left - 20;
        for mark in &self.scene.marks {
            let tick = Tick { at: mark.x, text: String::new() };
            let column = at(&tick, &self.scene.x, (self.left, self.right));
            let color = if mark.kind == Kind::Phase { INK } else { ALARM };
            for row in (top - 4..floor).step_by(8) {
                self.stroke(&[(column, row), (column, (row + 5).min(floor))], color, 1)?;
            }
            let long = 7 * i32::try_from(mark.text.chars().count()).unwrap_or(0);
            let look = TextLook::new(11, color).bold();
            let (begin, look) =
                if column + long > self.right + RIGHT { (column - long, look.end()) } else { (column, look) };
            if begin >= free {
                self.text(&mark.text, (column, top - 8), &look)?;
                free = begin + long + 8;
            }
        }
        Ok(())
    }

    fn axis_names(&self, (top, floor): (i32, i32)) -> Drawn {
        let look = TextLook::new(13, INK).middle();
        self.text(&self.scene.x.label, (i32::midpoint(self.left, self.right), floor + 36), &look)?;
        let mut units: Vec<&str> = self.scene.panels.iter().map(|panel| panel.y.label.as_str()).collect();
        units.dedup();
        // One unit is said once, beside all panels; several stand beside their own.
        if let [unit] = units[..] {
            return self.text(unit, (24, i32::midpoint(top, floor)), &look.upright());
        }
        let each = (floor - top + BETWEEN) / i32::try_from(self.scene.panels.len()).unwrap_or(1);
        for (number, panel) in (0..).zip(&self.scene.panels) {
            let row = top + number * each + (each - BETWEEN) / 2;
            self.text(&panel.y.label, (24, row), &look.upright())?;
        }
        Ok(())
    }

    fn stroke(&self, points: &[(i32, i32)], color: RGBColor, width: i32) -> Drawn {
        let points: Vec<(i32, i32)> = points.iter().copied().map(fine).collect();
        self.root.draw(&PathElement::new(points, color.stroke_width(unsigned(width * FINE))))
    }

    /// Writes a text from the left edge, cut where the picture ends.
    fn heading(&self, text: &str, row: i32, look: &TextLook) -> Drawn {
        // Letters are about 0.55 em wide; a little more is on the safe side.
        let room = (self.right + RIGHT - self.left) * 100 / (look.size * 58);
        let room = usize::try_from(room).unwrap_or(0);
        if text.chars().count() <= room {
            return self.text(text, (self.left, row), look);
        }
        let cut: String = text.chars().take(room.saturating_sub(1)).chain(['…']).collect();
        self.text(&cut, (self.left, row), look)
    }

    /// Writes a text whose base line is at this place.
    fn text(&self, text: &str, place: (i32, i32), look: &TextLook) -> Drawn {
        // plotters divides the size by this before it writes it.
        let size = f64::from(look.size * FINE) * 1.24;
        let slant = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::SansSerif, size, slant);
        let font = if look.upright { font.transform(FontTransform::Rotate270) } else { font };
        let style = font.color(&look.color).pos(Pos::new(look.anchor, VPos::Bottom));
        // `Bottom` is half an x-height (about 0.27 em) above the base line.
        let lower = look.size * FINE * 27 / 100;
        let (x, y) = fine(place);
        let place = if look.upright { (x + lower, y) } else { (x, y + lower) };
        self.root.draw(&Text::new(text.to_owned(), place, style))
    }
}

/// The buckets that reach out of both their neighbours by more than so much.
fn spikes(slabs: &[Slab], more: f64) -> impl Iterator<Item = &Slab> {
    (0..slabs.len()).filter_map(move |n| {
        let slab = &slabs[n];
        let beside = [n.checked_sub(1).and_then(|n| slabs.get(n)), slabs.get(n + 1)];
        let above = beside.iter().flatten().all(|other| slab.high > other.high + more);
        let below = beside.iter().flatten().all(|other| slab.low < other.low - more);
        (above || below).then_some(slab)
    })
}

/// How a text looks: its size in pixels, and where its place is.
#[derive(Clone, Copy)]
struct TextLook {
    size: i32,
    color: RGBColor,
    anchor: HPos,
    bold: bool,
    upright: bool,
}

impl TextLook {
    const fn new(size: i32, color: RGBColor) -> Self {
        Self { size, color, anchor: HPos::Left, bold: false, upright: false }
    }

    const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    const fn middle(self) -> Self {
        Self { anchor: HPos::Center, ..self }
    }

    const fn end(self) -> Self {
        Self { anchor: HPos::Right, ..self }
    }

    const fn upright(self) -> Self {
        Self { upright: true, ..self }
    }
}

/// Where a tick stands between two pixels.
#[expect(clippy::cast_possible_truncation, reason = "between two pixels")]
fn at(tick: &Tick, axis: &Axis, (from, to): (i32, i32)) -> i32 {
    let part = (tick.at - axis.low) / (axis.high - axis.low);
    (f64::from(from) + part * f64::from(to - from)).round() as i32
}

const fn fine((x, y): (i32, i32)) -> (i32, i32) {
    (x * FINE, y * FINE)
}

const fn unsigned(size: i32) -> u32 {
    size.unsigned_abs()
}
