//! Two files of figures beside each other: what changed, and what is noise.

use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value};

use crate::report::short;

/// A figure of a file: its ratio to the limit where it has one, since noise hits both; else its value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    middle: f64,
    least: f64,
    most: f64,
}

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    Noise,
}

/// Reads a file of figures.
pub(crate) fn read(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no figures", file.display()))
}

/// The figures that both have, side by side.
pub(crate) fn table(old: &Value, new: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["figure", "of", "before", "now", "now / before", "verdict"]);
    for column in 2..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut only = Vec::new();
    for (name, now) in new.iter().filter(|(name, _)| *name != "machine") {
        let Some(before) = old.get(name) else {
            only.push(name.as_str());
            continue;
        };
        let of_ratio = ratio(before).zip(ratio(now));
        let (what, pair) = match of_ratio {
            Some(pair) => ("ratio", Some(pair)),
            None => (now["unit"].as_str().unwrap_or(""), value(before).zip(value(now))),
        };
        let Some((before, now_is)) = pair else { continue };
        let more_is_better = of_ratio.is_some() || what.ends_with("/s");
        let verdict = match verdict(before, now_is, more_is_better) {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Noise => "noise",
        };
        let share = format!("{:.2}", now_is.middle / before.middle);
        table.add_row([name, what, &short(before.middle), &short(now_is.middle), &share, verdict]);
    }
    let only = if only.is_empty() { String::new() } else { format!("\nnot measured before: {}", only.join(", ")) };
    format!(
        "{table}\nnoise: the one's median lies within the other's spread; ratios are compared where there is a limit, since \
         other work on the machine hits both{only}"
    )
}

fn measured(figure: &Value, [middle, least, most]: [&str; 3]) -> Option<Measured> {
    let number = |name: &str| figure[name].as_f64();
    Some(Measured { middle: number(middle)?, least: number(least)?, most: number(most)? })
}

fn value(figure: &Value) -> Option<Measured> {
    measured(figure, ["value", "min", "max"])
}

fn ratio(figure: &Value) -> Option<Measured> {
    measured(figure, ["ratio", "ratio_min", "ratio_max"])
}

fn verdict(before: Measured, now: Measured, more_is_better: bool) -> Verdict {
    let within = |middle: f64, spread: Measured| (spread.least..=spread.most).contains(&middle);
    if within(now.middle, before) || within(before.middle, now) {
        return Verdict::Noise;
    }
    if (now.middle > before.middle) == more_is_better { Verdict::Better } else { Verdict::Worse }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(middle: f64, least: f64, most: f64) -> Measured {
        Measured { middle, least, most }
    }

    #[test]
    fn a_change_is_one_that_the_spread_of_neither_covers() {
        let before = of(10.0, 9.0, 12.0);
        assert_eq!(verdict(before, of(11.0, 10.5, 13.0), true), Verdict::Noise);
        assert_eq!(verdict(before, of(13.0, 9.5, 14.0), true), Verdict::Noise, "it was once as it is");
        assert_eq!(verdict(before, of(13.0, 12.5, 14.0), true), Verdict::Better);
        assert_eq!(verdict(before, of(13.0, 12.5, 14.0), false), Verdict::Worse);
        assert_eq!(verdict(before, of(8.0, 7.0, 8.5), false), Verdict::Better);
    }

    #[test]
    fn ratios_are_compared_where_both_have_one() {
        let figure = |value: f64, ratio: f64| {
            json!({ "value": value, "min": value, "max": value, "unit": "ms", "ratio": ratio, "ratio_min": ratio,
                    "ratio_max": ratio })
        };
        let old = json!({ "machine": {}, "a": figure(10.0, 0.5), "gone": figure(1.0, 1.0) });
        let mut new = json!({ "machine": {}, "a": figure(20.0, 0.6), "new": figure(1.0, 1.0) });
        let shown = table(&old, &new);
        let row = shown.lines().find(|line| line.contains("| a ")).unwrap();
        assert!(row.contains("ratio") && row.contains("better") && row.contains("1.20"), "{row}");
        assert!(shown.contains("not measured before: new") && !shown.contains("gone"), "{shown}");
        // A file from before ratios had a spread.
        new["a"]["ratio_min"] = Value::Null;
        let shown = table(&old, &new);
        let row = shown.lines().find(|line| line.contains("| a ")).unwrap();
        assert!(row.contains("ms") && row.contains("worse"), "{row}");
    }
}
