//! The names of all metrics, in one table.

use std::time::Duration;

use lucihub_models_core::StoreError;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often, and how much each time.
    Histogram,
}

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricUnit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// A metric as the documentation names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its stable name.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: MetricKind,
    /// What it counts.
    pub unit: MetricUnit,
    /// The names of its labels, each of which has few values.
    pub labels: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! table {
    ($($NAME:ident: $kind:ident of $unit:ident, $name:literal, $labels:expr, $meaning:literal;)+) => {
        $(pub(crate) const $NAME: Metric = Metric {
            name: $name, kind: MetricKind::$kind, unit: MetricUnit::$unit, labels: &$labels, meaning: $meaning,
        };)+

        /// Every metric that this library knows.
        pub const METRICS: &[Metric] = &[$($NAME),+];

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($NAME)),+];
    };
}

table! {
    BATCHES: Counter of Count, "lucihub_batches_appended_total", [], "batches that hot storage has acknowledged";
    APPENDED_BYTES: Counter of Bytes, "lucihub_appended_bytes_total", [], "content of these batches";
    APPEND_TIME: Histogram of Seconds, "lucihub_append_seconds", [], "from sending a batch to its answer, of any kind";
    RETRIES: Counter of Count, "lucihub_append_retries_total", [], "times that batches were sent again";
    RESTORES: Counter of Count, "lucihub_run_restores_total", [], "runs that their worker put back";
    FENCED: Counter of Count, "lucihub_writers_fenced_total", [], "recorders that lost their run to another writer";
    REPLAY_DROPPED: Counter of Count, "lucihub_replay_dropped_total", [],
        "acknowledged batches that left the replay buffers before cold storage had them";
    REPLAY_BYTES: Gauge of Bytes, "lucihub_replay_bytes", [], "acknowledged and unconfirmed content in the replay buffers";
    OPEN_RUNS: Gauge of Count, "lucihub_pending_runs", [],
        "runs that a keeper still attends to: not archived, or not released by hot storage";
    CHECKPOINT_LAG: Gauge of Seconds, "lucihub_checkpoint_lag_seconds", [],
        "for how long at most content of an open run has been without its copy in cold storage, at the last walk";
    MIRROR_LAG: Histogram of Seconds, "lucihub_mirror_lag_seconds", [], "from a change of state to its copy in cold storage";
    WALK_TIME: Histogram of Seconds, "lucihub_walk_seconds", [], "one walk of a keeper over the pending runs";
    CHECKPOINTS: Counter of Count, "lucihub_checkpoints_total", [], "checkpoints written";
    COLD_BYTES: Counter of Bytes, "lucihub_cold_written_bytes_total", [],
        "content of cells written to cold storage, before compression";
    ARCHIVE_TIME: Histogram of Seconds, "lucihub_archive_seconds", [],
        "reading a run back, comparing it and committing it";
    ARCHIVE_LAG: Histogram of Seconds, "lucihub_archive_lag_seconds", [], "from the end of a run to its commit";
    OPENED: Counter of Count, "lucihub_runs_opened_total", [], "runs that a keeper brought into hot storage";
    ARCHIVED: Counter of Count, "lucihub_runs_archived_total", [], "runs archived";
    FAILED: Counter of Count, "lucihub_runs_failed_total", [], "runs that a keeper ended since their worker had died";
    RESCUED: Counter of Count, "lucihub_runs_rescued_total", [],
        "runs that a keeper put back since hot storage had lost them and no worker came";
    HOT_USED: Gauge of Bytes, "lucihub_hot_used_bytes", [], "memory that hot storage uses";
    HOT_MAX: Gauge of Bytes, "lucihub_hot_max_bytes", [], "memory that hot storage may use; 0 if nothing limits it";
    ERRORS: Counter of Count, "lucihub_errors_total", ["by", "kind"],
        "errors of the storages, by who met them (recorder, keeper, health) and kind";
}

impl Metric {
    pub(crate) fn add(&self, count: u64) {
        if count > 0 {
            counter!(self.name).increment(count);
        }
    }

    pub(crate) fn set(&self, value: f64) {
        gauge!(self.name).set(value);
    }

    pub(crate) fn shift(&self, by: f64) {
        gauge!(self.name).increment(by);
    }

    pub(crate) fn time(&self, span: Duration) {
        histogram!(self.name).record(span.as_secs_f64());
    }
}

/// Counts an error.
pub(crate) fn error(by: &'static str, error: &StoreError) {
    counter!(ERRORS.name, "by" => by, "kind" => error.kind()).increment(1);
}

/// A count or size as a gauge has it.
#[expect(clippy::cast_precision_loss, reason = "a gauge needs no more than 53 bits")]
pub(crate) const fn float(value: u64) -> f64 {
    value as f64
}

/// Tells the recorder of this process what each metric means, and gives every counter its first value, so that a rate
/// begins at zero. Call it once, after a recorder was installed.
pub fn describe() {
    for metric in METRICS {
        let (name, meaning) = (metric.name, metric.meaning);
        let unit = match metric.unit {
            MetricUnit::Count => metrics::Unit::Count,
            MetricUnit::Seconds => metrics::Unit::Seconds,
            MetricUnit::Bytes => metrics::Unit::Bytes,
        };
        match metric.kind {
            MetricKind::Counter => {
                describe_counter!(name, unit, meaning);
                if metric.labels.is_empty() {
                    counter!(name).absolute(0);
                }
            }
            MetricKind::Gauge => describe_gauge!(name, unit, meaning),
            MetricKind::Histogram => describe_histogram!(name, unit, meaning),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if !path.ends_with("observe/metrics.rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_metric_is_measured_somewhere() {
        let mut text = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        for name in NAMES.iter().filter(|name| **name != "ERRORS") {
            assert!(text.contains(&format!("metrics::{name}")), "{name} is in the table, and nothing measures it");
        }
        assert!(text.contains("metrics::error("));
    }

    #[test]
    fn names_say_what_they_count() {
        for Metric { name, kind, unit, meaning, .. } in METRICS {
            assert!(name.starts_with("lucihub_") && !meaning.ends_with('.') && !meaning.contains('|'), "{name}");
            let stem = name.strip_suffix("_total").unwrap_or(name);
            assert_eq!(stem != *name, *kind == MetricKind::Counter, "{name}: counters end with _total");
            assert_eq!(stem.ends_with("_seconds"), *unit == MetricUnit::Seconds, "{name}");
            assert_eq!(stem.ends_with("_bytes"), *unit == MetricUnit::Bytes, "{name}");
        }
    }

    /// The table in the documentation is this one, row for row.
    #[test]
    fn the_documentation_has_the_same_table() {
        let docs = include_str!("../../../../docs/operations.md");
        let documented: Vec<&str> =
            docs.lines().filter(|line| line.starts_with("| `lucihub_") && line.matches('|').count() == 6).collect();
        let expected: Vec<String> = METRICS
            .iter()
            .map(|metric| {
                let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
                let (kind, unit) = (format!("{:?}", metric.kind), format!("{:?}", metric.unit));
                let unit = if metric.unit == MetricUnit::Count { String::new() } else { unit.to_lowercase() };
                let cells = [format!("`{}`", metric.name), kind.to_lowercase(), unit, labels.join(", ")];
                format!("| {} | {} |", cells.join(" | "), metric.meaning)
            })
            .collect();
        assert_eq!(documented.join("\n"), expected.join("\n"), "docs/operations.md is to have the rows on the right");
    }
}
