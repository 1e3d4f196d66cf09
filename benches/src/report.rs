//! The report: a table for people, a flat object for programs.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use crate::goals::{self, Goal};
use crate::machine::Machine;
use crate::measure::{Figure, Figures};

/// The figures as a table.
pub(crate) fn table(figures: &Figures) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["figure", "unit", "ours", "min .. max", "limit", "ratio", "goal", "the limit is"]);
    for column in 2..=5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for figure in &figures.all {
        let (least, most) = figure.spread();
        let limit = figure.limit();
        table.add_row([
            figure.name.clone(),
            figure.unit.name().to_owned(),
            short(figure.value()),
            format!("{} .. {}", short(least), short(most)),
            limit.map_or(String::new(), |(_, value)| short(value)),
            figure.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}")),
            goals::of(&figure.name).map_or(String::new(), |goal| goal_of(goal, figure)),
            limit.map_or(String::new(), |(what, _)| what.to_owned()),
        ]);
    }
    format!(
        "{table}\nours, limit: medians; ratio: share of the limit's speed, 1 is as fast, median over turns; goal: the \
         least ratio, or the most that ours may be"
    )
}

/// A goal, and whether it is met.
fn goal_of(goal: Goal, figure: &Figure) -> String {
    let met = if goal.met(figure) { "met" } else { "missed" };
    match goal {
        Goal::Ratio(least) => format!(">= {least:.2}, {met}"),
        Goal::Value(most) => format!("<= {}, {met}", short(most)),
        Goal::Both(least, most) => format!(">= {least:.2} and <= {}, {met}", short(most)),
    }
}

/// One figure as a line, as soon as it is there.
pub(crate) fn line(figure: &Figure) -> String {
    let ratio = figure.ratio().map_or(String::new(), |ratio| format!(", ratio {ratio:.2}"));
    format!("{}: {} {}{ratio}", figure.name, short(figure.value()), figure.unit.name())
}

/// The figures by name, and the machine under `machine`: its value is the number of its cores.
pub(crate) fn json(machine: &Machine, figures: &Figures) -> Value {
    let mut all = Map::new();
    all.insert("machine".to_owned(), machine.json());
    for figure in &figures.all {
        let (min, max) = figure.spread();
        let mut entry = json!({
            "value": figure.value(), "unit": figure.unit.name(), "min": min, "max": max, "repeats": figure.repeats(),
        });
        if let (Some((what, limit)), Some(ratio)) = (figure.limit(), figure.ratio()) {
            entry["limit"] = limit.into();
            entry["limit_of"] = what.into();
            entry["ratio"] = ratio.into();
        }
        if let Some((least, most)) = figure.ratio_spread() {
            entry["ratio_min"] = least.into();
            entry["ratio_max"] = most.into();
        }
        if let Some(goal) = goals::of(&figure.name) {
            let (least, most) = match goal {
                Goal::Ratio(least) => (Some(least), None),
                Goal::Value(most) => (None, Some(most)),
                Goal::Both(least, most) => (Some(least), Some(most)),
            };
            if let Some(least) = least {
                entry["goal_ratio"] = least.into();
            }
            if let Some(most) = most {
                entry["goal_value"] = most.into();
            }
            entry["met"] = goal.met(figure).into();
        }
        all.insert(figure.name.clone(), entry);
    }
    Value::Object(all)
}

/// A number with three digits that count.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{:.2} G", value / 1e9),
        v if v >= 1e6 => format!("{:.1} M", value / 1e6),
        v if v >= 1e4 => format!("{:.1} k", value / 1e3),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.324, "0.32"), (12.34, "12.3"), (1234.0, "1234"), (56_789.0, "56.8 k"), (2.5e9, "2.50 G")]
        {
            assert_eq!(short(value), text);
        }
    }
}
