//! One picture: panels of curves over sizes, both axes by powers of ten.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Quantity;

/// What a picture shows.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) machine: String,
    pub(super) sizes: &'a str,
    pub(super) parts: Vec<Part<'a>>,
}

/// What a panel shows.
pub(super) struct Part<'a> {
    pub(super) title: &'a str,
    pub(super) quantity: Quantity,
    pub(super) lines: Vec<Line<'a>>,
}

/// A curve.
pub(super) struct Line<'a> {
    pub(super) label: &'a str,
    pub(super) points: Vec<Point>,
}

/// A point in seconds or bytes, with its spread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) at: f64,
    pub(super) value: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// Colours that people who see fewer of them tell apart too (Okabe and Ito 2008), as the plots of runs have them.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(180, 140, 0),
    RGBColor(90, 90, 90),
];
const INK: RGBColor = RGBColor(34, 40, 49);
const FAINT: RGBColor = RGBColor(110, 118, 129);
const GRID: RGBColor = RGBColor(226, 230, 235);

/// Sizes in pixels.
const WIDTH: u32 = 960;
const HEADING: u32 = 68;
const PANEL: u32 = 380;
const MARGIN: u32 = 8;
const LEFT: u32 = 72;
const BELOW: u32 = 48;
/// Room for the names of the curves, beside them.
const NAMES: u32 = 240;
const NAME: i32 = 17;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a picture: the same figures give the same bytes.
pub(super) fn svg(chart: &Chart<'_>) -> Result<String> {
    let mut text = String::new();
    {
        let height = HEADING + PANEL * u32::try_from(chart.parts.len())?;
        let root = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        // The error of the library borrows from the text that is written.
        all(&root, chart).map_err(|why| anyhow!("{why}"))?;
    }
    Ok(text)
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn all(root: &Area<'_>, chart: &Chart<'_>) -> Drawn {
    root.fill(&WHITE)?;
    let left = (MARGIN + LEFT).cast_signed();
    write(root, chart.title, (left, 30), &style(18, INK, HPos::Left))?;
    let said = format!("{}; medians, bars from the least to the greatest; dashed: grows in step", chart.machine);
    write(root, &said, (left, 52), &style(12, FAINT, HPos::Left))?;
    let (_, body) = root.split_vertically(HEADING);
    for (area, part) in body.split_evenly((chart.parts.len(), 1)).iter().zip(&chart.parts) {
        panel(area, part, chart.sizes)?;
    }
    root.present()
}

fn panel(area: &Area<'_>, part: &Part<'_>, sizes: &str) -> Drawn {
    let points = || part.lines.iter().flat_map(|line| &line.points);
    let mut ticks: Vec<f64> = points().map(|point| point.at).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    let across = range(ticks.iter().copied());
    let across = across.start / 1.2..across.end * 1.2;
    let up = decades(&range(points().flat_map(|point| [point.least, point.most])));
    let (least, most) = (up.first().copied().unwrap_or(1.0), up.last().copied().unwrap_or(10.0));
    let mut plane = ChartBuilder::on(area)
        .margin_top(30)
        .margin_bottom(14)
        .margin_left(MARGIN)
        .margin_right(NAMES)
        .x_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(
            across.clone().log_scale().with_key_points(ticks),
            (least..most).log_scale().with_key_points(up),
        )?;
    plane
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(FAINT)
        .x_desc(sizes)
        .y_desc(match part.quantity {
            Quantity::Time => "time",
            Quantity::Bytes => "bytes",
        })
        .x_label_formatter(&|size| scaled(*size, &COUNTS))
        .y_label_formatter(&|value| match part.quantity {
            Quantity::Time => scaled(*value, &SECONDS),
            Quantity::Bytes => scaled(*value, &BYTES),
        })
        .label_style(style(12, INK, HPos::Left))
        .axis_desc_style(style(13, INK, HPos::Left))
        .draw()?;
    // What grows as its size does runs along this, wherever it begins.
    let grown = (most / least).min(across.end / across.start);
    let step = [(across.start, least), (across.start * grown, least * grown)];
    plane.draw_series(std::iter::once(DashedPathElement::new(step, 5, 5, FAINT.mix(0.6).stroke_width(1))))?;
    let mut names = Vec::new();
    for (line, colour) in part.lines.iter().zip(COLOURS.iter().cycle()) {
        let place = |point: &Point| (point.at, point.value);
        let curve = line.points.iter().map(place).collect::<Vec<_>>();
        plane.draw_series(std::iter::once(PathElement::new(curve, colour.stroke_width(2))))?;
        let bar = |point: &Point| {
            // What was nothing for once has no place on this axis.
            let ends = vec![(point.at, point.least.max(least)), (point.at, point.most)];
            PathElement::new(ends, colour.mix(0.5).stroke_width(1))
        };
        plane.draw_series(line.points.iter().map(bar))?;
        plane.draw_series(line.points.iter().map(|point| Circle::new(place(point), 3, colour.filled())))?;
        if let Some(last) = line.points.last() {
            names.push((plane.backend_coord(&place(last)).1, line.label, *colour));
        }
    }
    let (x, _) = plane.backend_coord(&(across.end, least));
    let bounds = area.get_pixel_range();
    let (x, top) = (x - bounds.0.start, bounds.1.start);
    for (y, label, colour) in apart(names) {
        write(area, label, (x + 8, y - top + 4), &style(13, colour, HPos::Left))?;
    }
    write(area, part.title, ((MARGIN + LEFT).cast_signed(), 20), &style(14, INK, HPos::Left))
}

/// Names at the heights of their curves, from above, and as far apart as is read.
fn apart(mut names: Vec<(i32, &str, RGBColor)>) -> Vec<(i32, &str, RGBColor)> {
    names.sort_by_key(|name| name.0);
    // Those that are too near go up and down by the same, in turns, until all have their room.
    for _ in 0..100 {
        for n in 1..names.len() {
            let missing = NAME - (names[n].0 - names[n - 1].0);
            if missing > 0 {
                names[n - 1].0 -= missing / 2;
                names[n].0 += missing - missing / 2;
            }
        }
    }
    names
}

/// The least and the greatest of those that have a power of ten.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) = values
        .filter(|value| *value > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    least..most
}

/// The powers of ten that such values lie between, both ends among them.
#[expect(clippy::cast_possible_truncation, reason = "exponents are small")]
fn decades(values: &Range<f64>) -> Vec<f64> {
    let (least, most) = (values.start.log10().floor() as i32, values.end.log10().ceil() as i32);
    (least..=most.max(least + 1)).map(|exponent| 10_f64.powi(exponent)).collect()
}

const COUNTS: [(f64, &str); 3] = [(1e6, " M"), (1e4, " k"), (1.0, "")];
const BYTES: [(f64, &str); 4] = [(1e9, " GB"), (1e6, " MB"), (1e3, " kB"), (1.0, " B")];
const SECONDS: [(f64, &str); 4] = [(1.0, " s"), (1e-3, " ms"), (1e-6, " us"), (1e-9, " ns")];

/// A number in the unit that leaves it a few digits.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    // A power of ten may be a little less than it is.
    let fits = |unit: &&(f64, &str)| value >= unit.0 * 0.999;
    let (scale, name) = units.iter().find(fits).or(units.last()).copied().unwrap_or((1.0, ""));
    // `k` begins at ten of them: 4,096 is no round number.
    let scale = if name == " k" { 1e3 } else { scale };
    format!("{}{name}", (value / scale * 100.0).round() / 100.0)
}

/// Text of so many pixels.
fn style(size: u32, colour: RGBColor, anchor: HPos) -> TextStyle<'static> {
    // The library divides the size by this before it writes it.
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(size) * 1.24, FontStyle::Normal);
    font.color(&colour).pos(Pos::new(anchor, VPos::Bottom))
}

/// Writes a text whose lower edge is at this place.
fn write(area: &Area<'_>, text: &str, place: (i32, i32), style: &TextStyle<'static>) -> Drawn {
    area.draw(&Text::new(text.to_owned(), place, style.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        let all = [(1e-6, "1 us"), (1e-3, "1 ms"), (0.1, "100 ms"), (1e-7, "100 ns"), (10.0, "10 s")];
        for (value, text) in all {
            assert_eq!(scaled(value, &SECONDS), text);
        }
        for (value, text) in [(1.0, "1"), (4_096.0, "4096"), (10_000.0, "10 k"), (2e8, "200 M")] {
            assert_eq!(scaled(value, &COUNTS), text);
        }
    }

    #[test]
    fn decades_hold_what_they_are_of() {
        let exponents = |range| decades(&range).iter().map(|power| power.log10().round()).collect::<Vec<_>>();
        assert_eq!(exponents(2e-4..3e-3), [-4.0, -3.0, -2.0]);
        assert_eq!(exponents(1.0..1.0), [0.0, 1.0], "one value has room too");
    }

    #[test]
    fn names_do_not_cover_each_other() {
        let names = apart(vec![(100, "b", INK), (100, "a", INK), (104, "c", INK), (300, "d", INK)]);
        assert!(names.windows(2).all(|pair| pair[1].0 - pair[0].0 >= NAME - 1), "{names:?}");
    }
}
