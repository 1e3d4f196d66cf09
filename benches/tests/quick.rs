//! Every documented figure is there, with a value that can be.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The names, which are promised: whoever compares files of other days relies on them.
const WITH_LIMIT: [&str; 66] = [
    "hot.embedded.ingest_100_samples_per_s",
    "hot.embedded.ingest_1000_samples_per_s",
    "hot.embedded.ingest_8000_samples_per_s",
    "hot.embedded.live_runs_1000_samples_per_s",
    "hot.embedded.window_10k_of_1m_us",
    "hot.embedded.window_10k_of_50m_us",
    "hot.recorder.ingest_100_samples_per_s",
    "hot.recorder.ingest_1000_samples_per_s",
    "hot.recorder.ingest_8000_samples_per_s",
    "hot.cluster.ingest_1000_samples_per_s",
    "hot.cluster.log_lines_per_s",
    "hot.redis.ingest_100_samples_per_s",
    "hot.redis.ingest_100_beside_xadd_samples_per_s",
    "hot.redis.ingest_100_one_in_flight_samples_per_s",
    "hot.redis.ingest_1000_samples_per_s",
    "hot.redis.ingest_1000_beside_xadd_samples_per_s",
    "hot.redis.ingest_1000_one_in_flight_samples_per_s",
    "hot.redis.ingest_8000_samples_per_s",
    "hot.redis.ingest_8000_beside_xadd_samples_per_s",
    "hot.redis.ingest_8000_one_in_flight_samples_per_s",
    "hot.redis.live_runs_1000_samples_per_s",
    "cold.sqlite.archive_run_ms",
    "cold.sqlite.encode_and_archive_run_ms",
    "cold.sqlite.read_run_ms",
    "cold.sqlite.window_10k_of_1m_ms",
    "cold.sqlite.window_10k_of_100m_ms",
    "cold.sqlite.envelope_2000_of_5m_ms",
    "cold.sqlite.envelope_2000_of_100m_ms",
    "cold.sqlite.page_50_of_10k_us",
    "cold.sqlite.page_50_of_100k_us",
    "cold.sqlite.filtered_page_50_of_10k_us",
    "cold.sqlite.search_with_total_of_10k_ms",
    "cold.sqlite.filtered_page_50_of_100k_us",
    "cold.sqlite.search_with_total_of_100k_ms",
    "cold.sqlite.page_50_of_1m_us",
    "cold.sqlite.filtered_page_50_of_1m_us",
    "cold.sqlite.search_with_total_of_1m_ms",
    "cold.postgres.page_50_of_10k_us",
    "cold.postgres.filtered_page_50_of_10k_us",
    "cold.postgres.search_with_total_of_10k_ms",
    "cold.postgres.page_50_of_100k_us",
    "cold.postgres.filtered_page_50_of_100k_us",
    "cold.postgres.search_with_total_of_100k_ms",
    "cold.postgres.page_50_of_1m_us",
    "cold.postgres.filtered_page_50_of_1m_us",
    "cold.postgres.search_with_total_of_1m_ms",
    "cold.postgres.archive_run_ms",
    "cold.postgres.encode_and_archive_run_ms",
    "cold.postgres.read_run_ms",
    "cold.postgres.window_10k_of_1m_ms",
    "cold.postgres.window_10k_of_100m_ms",
    "cold.postgres.envelope_2000_of_5m_ms",
    "cold.postgres.envelope_2000_of_100m_ms",
    "store.archive_1gb_s",
    "store.record_and_archive_1gb_samples_per_s",
    "store.sqlite.end_to_archived_at_pace_ms",
    "store.sqlite.end_to_read_at_pace_ms",
    "store.sqlite.redis_end_to_archived_at_pace_ms",
    "store.sqlite.redis_end_to_read_at_pace_ms",
    "store.sqlite.write_side_ms",
    "store.postgres.end_to_archived_at_pace_ms",
    "store.postgres.end_to_read_at_pace_ms",
    "store.postgres.redis_end_to_archived_at_pace_ms",
    "store.postgres.redis_end_to_read_at_pace_ms",
    "store.postgres.write_side_ms",
    "store.postgres.write_side_beside_uncompressed_ms",
];

/// Those without a limit beside them, or with one that is only the nearest.
const OTHERS: [&str; 40] = [
    "hot.embedded.append_line_us",
    "hot.embedded.open_1000_runs_ms",
    "hot.embedded.take_over_us",
    "hot.recorder.log_line_acknowledged_us",
    "hot.recorder.log_lines_per_s",
    "hot.redis.bytes_per_sample_of_100",
    "hot.redis.bytes_per_sample_of_1000",
    "hot.redis.bytes_per_sample_of_8000",
    "hot.redis.follow_p50_of_1_ms",
    "hot.redis.follow_p99_of_1_ms",
    "hot.redis.follow_p50_of_1000_ms",
    "hot.redis.follow_p99_of_1000_ms",
    "hot.redis.log_lines_per_s",
    "hot.redis.window_10k_of_1m_us",
    "hot.redis.window_10k_of_50m_us",
    "cold.sqlite.adc_bytes_per_sample",
    "cold.sqlite.adc_with_gain_bytes_per_sample",
    "cold.sqlite.adc_with_gain_with_summaries_bytes_per_sample",
    "cold.sqlite.adc_with_summaries_bytes_per_sample",
    "cold.sqlite.file_bytes_per_run",
    "cold.sqlite.smooth_bytes_per_sample",
    "cold.sqlite.smooth_with_summaries_bytes_per_sample",
    "cold.postgres.relation_bytes_per_run",
    "cold.postgres.relation_bytes_per_sample",
    "load.end_to_archived_max_ms",
    "load.end_to_archived_p50_ms",
    "load.end_to_archived_p99_ms",
    "load.follow_max_ms",
    "load.follow_p50_ms",
    "load.follow_p99_ms",
    "load.followed_samples_per_s",
    "load.hot_peak_bytes",
    "load.memory_peak_bytes",
    "load.recorded_samples_per_s",
    "store.end_to_archived_ms",
    "store.memory_archiving_1gb_above_idle_bytes",
    "store.memory_idle_bytes",
    "store.memory_recording_1gb_above_idle_bytes",
    "store.record_and_archive_run_ms",
    "store.record_run_ms",
];

/// What is measured over each number that grows: the sizes, and the figures of each with their unit.
type Grown = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const GROWN: [Grown; 6] = [
    ("runs.sqlite", &["10k", "100k", "1m", "3m"], &OF_RUNS),
    ("runs.postgres", &["10k", "100k", "1m", "3m"], &OF_RUNS),
    (
        "samples",
        &["1m", "10m", "50m", "200m"],
        &[
            ("archive_per_million", "ms"),
            ("window_10k", "ms"),
            ("envelope_2000", "ms"),
            ("snapshot", "ms"),
            ("status", "us"),
        ],
    ),
    (
        "live",
        &["1", "10", "100", "1k", "10k"],
        &[
            ("redis_per_run", "bytes"),
            ("checkpoint_per_run", "us"),
            ("append", "us"),
            ("idle_walk", "ms"),
            ("idle_walk_per_run", "us"),
        ],
    ),
    ("followers", &["1", "10", "100", "1k", "5k"], &[("lag_p50", "ms"), ("lag_p99", "ms"), ("append", "us")]),
    (
        "channels",
        &["1", "16", "256", "1024", "4096"],
        &[
            ("append_per_channel", "us"),
            ("live_snapshot_per_channel", "us"),
            ("archive_per_channel", "us"),
            ("snapshot_per_channel", "us"),
            ("status_per_channel", "us"),
            ("redis_per_channel", "bytes"),
            ("cold_per_channel", "bytes"),
        ],
    ),
];

const OF_RUNS: [(&str, &str); 6] = [
    ("page_50", "us"),
    ("filtered_page_50", "us"),
    ("search_with_total", "ms"),
    ("look", "us"),
    ("idle_walk", "us"),
    ("create", "us"),
];

fn measure(arguments: &[&str]) -> serde_json::Map<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_lucihub-bench"));
    bench.args(["--quick", "--json"]).arg(&file).arg("--dir").arg(folder.path()).args(arguments);
    let output = bench.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(file).unwrap();
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["figures.json"], "it cleans up");
    let Value::Object(figures) = serde_json::from_str(&text).unwrap() else { unreachable!("{text}") };
    figures
}

#[test]
fn every_figure_has_a_finite_positive_value() {
    let figures = measure(&[]);
    let promised: BTreeSet<&str> = WITH_LIMIT.into_iter().chain(OTHERS).chain(["machine"]).collect();
    assert_eq!(figures.keys().map(String::as_str).collect::<BTreeSet<_>>(), promised);
    check(&figures);
    let goal = |name: &str| goal(&figures[name]);
    assert_eq!(goal("cold.sqlite.page_50_of_10k_us"), (Some(1.0 / 1.3), None, true));
    assert_eq!(goal("store.memory_archiving_1gb_above_idle_bytes"), (None, Some(67_108_864.0), true));
    assert_eq!(goal("store.sqlite.redis_end_to_read_at_pace_ms"), (Some(0.5), Some(15.0), true));
    assert_eq!(goal("hot.embedded.take_over_us"), (None, None, false));
}

/// The least ratio and the most value that a figure is to have, and whether it is said that it does.
fn goal(figure: &Value) -> (Option<f64>, Option<f64>, bool) {
    (figure["goal_ratio"].as_f64(), figure["goal_value"].as_f64(), figure["met"].is_boolean())
}

fn check(figures: &serde_json::Map<String, Value>) {
    for (name, figure) in figures {
        let positive = |key: &str| {
            let value = figure[key].as_f64().unwrap_or(f64::NAN);
            assert!(value.is_finite() && value > 0.0, "{name}: {key} is {}", figure[key]);
        };
        positive("value");
        assert!(figure["unit"].as_str().is_some_and(|unit| !unit.is_empty()), "{name}");
        if WITH_LIMIT.contains(&&**name) {
            positive("limit");
            positive("ratio");
        }
    }
}

#[test]
fn one_group_is_measured_alone() {
    let figures = measure(&["--only", "cold"]);
    assert!(figures.keys().all(|name| name == "machine" || name.starts_with("cold.")), "{:?}", figures.keys());
    assert!(figures.len() > 5);
}

#[test]
fn growth_is_measured_and_drawn_for_those_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let figures = measure(&["--only", "growth", "--draw", first.to_str().unwrap()]);
    let of = |(axis, sizes, whats): Grown| {
        let of_size =
            move |size| whats.iter().map(move |(what, unit)| format!("growth.{axis}.{what}_of_{size}_{unit}"));
        sizes.iter().flat_map(of_size)
    };
    let beside = ["sqlite", "postgres"].map(|engine| format!("growth.runs.{engine}.page_50_3m_beside_10k"));
    let promised: BTreeSet<String> =
        GROWN.into_iter().flat_map(of).chain(beside).chain(["machine".to_owned()]).collect();
    assert_eq!(figures.keys().cloned().collect::<BTreeSet<_>>(), promised);
    check(&figures);
    assert_eq!(goal(&figures["growth.runs.sqlite.page_50_3m_beside_10k"]), (Some(1.0 / 1.3), None, true));
    // Drawn again, from the file alone.
    let file = folder.path().join("figures.json");
    std::fs::write(&file, serde_json::to_string(&figures).unwrap()).unwrap();
    let mut again = Command::new(env!("CARGO_BIN_EXE_lucihub-bench"));
    let output = again.arg("--draw").arg(&second).arg("--with").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for axis in ["runs", "samples", "live", "followers", "channels"] {
        let picture = |folder: &Path| std::fs::read_to_string(folder.join(format!("{axis}.svg"))).unwrap();
        assert!(picture(&first).starts_with("<svg"), "{axis}");
        assert_eq!(picture(&first), picture(&second), "{axis}");
    }
}

#[test]
fn what_cannot_be_drawn_is_said_before_it_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_lucihub-bench"));
    let output = bench.arg("--draw").arg(folder.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--only growth"));
}
