//! The figures of a file as pictures: one for each axis.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::chart::{Chart, Line, Part, Point};
use super::{AXES, Axis, Curve, Panel, chart, size};

/// Draws what a file has of the group, as `AXIS.svg` in a folder that is made where it is missing.
pub(crate) fn draw(figures: &Value, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut drawn = 0;
    for axis in AXES {
        let chart = chart(axis, figures);
        if chart.parts.is_empty() {
            continue;
        }
        let path = folder.join(format!("{}.svg", axis.name));
        let text = chart::svg(&chart).with_context(|| axis.title)?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        drawn += 1;
    }
    ensure!(drawn > 0, "there are no figures of growth to draw: measure them with --only growth");
    Ok(())
}

/// What a file has of an axis.
fn chart<'a>(axis: &'a Axis, figures: &Value) -> Chart<'a> {
    let part = |panel: &'a Panel| {
        let line = |curve: &'a Curve| Line { label: curve.label, points: points(axis, curve, figures) };
        let lines: Vec<Line<'_>> = panel.curves.iter().map(line).collect();
        Part { title: panel.title, quantity: panel.quantity, lines }
    };
    let is_drawn = |part: &Part<'_>| part.lines.iter().any(|line| !line.points.is_empty());
    let parts = axis.panels.iter().map(part).filter(is_drawn).collect();
    Chart { title: axis.title, machine: machine(figures), sizes: axis.sizes, parts }
}

/// The points of a curve, by size.
fn points(axis: &Axis, curve: &Curve, figures: &Value) -> Vec<Point> {
    let stem = format!("{}{}_of_", axis.stem(), curve.what);
    let point = |(name, figure): (&String, &Value)| {
        let (of, _) = name.strip_prefix(&stem)?.split_once('_')?;
        let scale = match figure["unit"].as_str()? {
            "us" => 1e-6,
            "ms" => 1e-3,
            _ => 1.0,
        };
        let number = |key: &str| figure[key].as_f64().map(|value| value * scale);
        Some(Point { at: size(of)?, value: number("value")?, least: number("min")?, most: number("max")? })
    };
    let all = figures.as_object().into_iter().flatten().filter_map(point);
    // Both axes go by powers of ten.
    let mut points: Vec<Point> = all.filter(|point| point.value > 0.0 && point.most.is_finite()).collect();
    points.sort_by(|a, b| a.at.total_cmp(&b.at));
    points
}

/// What a picture says of the machine.
fn machine(figures: &Value) -> String {
    let machine = &figures["machine"];
    let text = |key: &str| machine[key].as_str().unwrap_or("unknown").to_owned();
    format!("{} cores ({}), {}", machine["value"].as_u64().unwrap_or(0), text("cpu"), text("file_system"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::growth::{followers, runs};

    fn figure(value: f64, unit: &str) -> Value {
        json!({"value": value, "unit": unit, "min": value / 2.0, "max": value * 2.0})
    }

    #[test]
    fn points_are_sorted_by_size_and_in_seconds() {
        let figures = json!({
            "growth.runs.sqlite.page_50_of_3m_us": figure(300.0, "us"),
            "growth.runs.sqlite.page_50_of_10k_us": figure(200.0, "us"),
            "growth.runs.sqlite.page_50_3m_beside_10k": figure(1.0, "us"),
            "growth.runs.sqlite.filtered_page_50_of_10k_us": figure(1.0, "us"),
        });
        let curve = Curve { what: "sqlite.page_50", label: "" };
        let points = points(&runs::AXIS, &curve, &figures);
        let places: Vec<_> = points.iter().map(|point| (point.at, (point.value * 1e6).round())).collect();
        assert_eq!(places, [(1e4, 200.0), (3e6, 300.0)]);
    }

    #[test]
    fn what_was_nothing_for_once_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let figures = json!({
            "growth.followers.lag_p50_of_1_ms": {"value": 0.5, "unit": "ms", "min": 0.0, "max": 0.7},
            "growth.followers.lag_p50_of_5k_ms": {"value": 0.0, "unit": "ms", "min": 0.0, "max": 0.0},
        });
        draw(&figures, folder.path()).unwrap();
        let curve = Curve { what: "lag_p50", label: "" };
        assert_eq!(points(&followers::AXIS, &curve, &figures).len(), 1);
    }

    #[test]
    fn a_picture_shows_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(draw(&json!({"machine": {}}), folder.path()).is_err(), "nothing is there");
        let figures = json!({
            "growth.followers.lag_p50_of_1_ms": figure(0.5, "ms"),
            "growth.followers.lag_p50_of_5k_ms": figure(20.0, "ms"),
        });
        draw(&figures, folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("followers.svg")).unwrap();
        let label = followers::AXIS.panels[0].curves[1].label;
        for part in [followers::AXIS.title, followers::AXIS.sizes, label, "5000", "1 ms"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "what was not measured has no picture");
    }
}
