//! Every documented figure is there, with a value that can be.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
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
const OTHERS: [&str; 38] = [
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
    for (name, figure) in &figures {
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
    let goal = |name: &str| {
        let figure = &figures[name];
        (figure["goal"].as_f64(), figure["goal_of"].as_str().unwrap_or_default(), figure["met"].is_boolean())
    };
    assert_eq!(goal("cold.sqlite.page_50_of_10k_us"), (Some(1.0 / 1.3), "ratio", true));
    assert_eq!(goal("store.memory_archiving_1gb_above_idle_bytes"), (Some(67_108_864.0), "value", true));
    assert_eq!(goal("hot.embedded.take_over_us"), (None, "", false));
}

#[test]
fn one_group_is_measured_alone() {
    let figures = measure(&["--only", "cold"]);
    assert!(figures.keys().all(|name| name == "machine" || name.starts_with("cold.")), "{:?}", figures.keys());
    assert!(figures.len() > 5);
}
