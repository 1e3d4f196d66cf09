//! What a store tells of itself: metrics by their documented names, spans and events too, and no payload.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[cfg(test)]
mod lab;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lab::{begin_small, created, eager, end_small, lab, small};
use lucihub_store::observe::{METRICS, MetricKind, describe};
use lucihub_store::{Keeper, RecordOptions};
use lucihub_testkit::FaultPlan;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::field::{Field, Visit};
use tracing::span;

const DOCS: &str = include_str!("../../../docs/operations.md");

/// One test at a time: `tracing` remembers what the first thread that comes by wants to hear.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The samples of what a recorder renders, by name and labels.
fn values(handle: &PrometheusHandle) -> BTreeMap<String, f64> {
    let text = handle.render();
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// Collects spans and events as `target name`, and every field of them.
#[derive(Debug, Default, Clone)]
struct Ear(Arc<Mutex<(BTreeSet<String>, String)>>);

struct Words(String, String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
        let _ = write!(self.1, " {}={value:?}", field.name());
    }
}

impl Ear {
    fn hear(&self, target: &str, words: &Words) {
        let mut heard = self.0.lock().unwrap();
        heard.0.insert(format!("{target} {}", words.0));
        heard.1 += &words.1;
    }
}

impl tracing::Subscriber for Ear {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("lucihub")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut words = Words(format!("span {}", span.metadata().name()), String::new());
        span.record(&mut words);
        self.hear(span.metadata().target(), &words);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut words = Words(String::new(), String::new());
        event.record(&mut words);
        self.hear(event.metadata().target(), &words);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What the documentation names: `target name` for events, `target span name` for spans.
fn documented() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for line in DOCS.lines().filter(|line| line.starts_with("| `lucihub::")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let target = cells[1].trim_matches('`');
        let prefix = if cells[2].starts_with("span ") { "span " } else { "" };
        for name in cells[2].trim_start_matches("span ").split(", ") {
            all.insert(format!("{target} {prefix}{}", name.trim_matches('`')));
        }
    }
    all
}

#[tokio::test]
async fn recording_losing_and_archiving_is_told() {
    let _alone = ALONE.lock().await;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let ear = Ear::default();
    let _tracing = tracing::subscriber::set_default(ear.clone());
    describe();

    let lab = lab();
    let head = small(&lab.store, 2).await;
    let run = head.id;
    // Behind the take-over, the first append and a note, the second append is lost on its way, so that it is sent again.
    let plan = FaultPlan::none().lose_nth(4);
    let store = lab.faulty(&plan);
    let recorder = begin_small(&store, run).await;
    let keeper = Keeper::new(lab.store.clone(), eager());
    lab.clock.advance(Duration::from_secs(3));
    let before = values(&handle);
    assert!(before["lucihub_replay_bytes"] > 0.0 && before["lucihub_batches_appended_total"] >= 1.0, "{before:?}");
    assert_eq!(before["lucihub_runs_archived_total"], 0.0, "a counter begins at 0");
    keeper.walk().await.unwrap();
    end_small(&recorder).await;
    drop(recorder);
    keeper.walk().await.unwrap();
    lab.store.run(run).await.unwrap();
    // A worker that dies: a keeper ends its run.
    let dead = created(&lab.store, 1).await.id;
    let left = lab.store.record_with(dead, "gone", RecordOptions::default().with_lease(Duration::from_secs(1))).await;
    drop(left.unwrap());
    lab.clock.advance(Duration::from_secs(5));
    keeper.walk().await.unwrap();

    let now = values(&handle);
    assert_eq!(now["lucihub_runs_archived_total"], 2.0, "{now:?}");
    assert_eq!(now["lucihub_runs_failed_total"], 1.0);
    assert_eq!(now["lucihub_archive_seconds_count"], 2.0);
    assert_eq!(now["lucihub_walk_seconds_count"], 3.0);
    assert!(now["lucihub_append_retries_total"] >= 1.0 && now["lucihub_cold_written_bytes_total"] > 0.0, "{now:?}");
    assert_eq!(now["lucihub_errors_total{by=\"recorder\",kind=\"unknown\"}"], 1.0);
    assert!(now["lucihub_hot_used_bytes"] > 0.0);
    assert_eq!(now["lucihub_replay_bytes"], 0.0, "closed recorders have nothing left to tell of");
    let measured = |name: &str| now.keys().any(|key| key.starts_with(name));
    for metric in METRICS.iter().filter(|metric| metric.kind == MetricKind::Counter) {
        assert!(measured(metric.name), "{} in {now:?}", metric.name);
    }
    let known = |key: &str| METRICS.iter().any(|metric| key.starts_with(metric.name));
    assert!(now.keys().all(|key| known(key)), "an undocumented name: {now:?}");

    let (heard, fields) = ear.0.lock().unwrap().clone();
    let documented = documented();
    assert!(heard.is_subset(&documented), "undocumented: {:?}", heard.difference(&documented));
    for name in [
        "record take_over",
        "record span record",
        "record append",
        "record retry",
        "keeper span walk",
        "keeper span attend",
        "keeper span checkpoint",
        "keeper span archive",
        "keeper fail",
        "keeper archived",
        "read locate",
        "read read",
    ] {
        assert!(heard.contains(&format!("lucihub::{name}")), "{name} in {heard:?}");
    }
    for text in lab.store.run(run).await.unwrap().logs {
        assert!(!fields.contains(&*text.text), "a line of the run was told: {}", text.text);
    }
}

#[tokio::test]
async fn the_lag_of_checkpoints_is_the_age_of_what_only_hot_storage_has() {
    let _alone = ALONE.lock().await;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let worker = begin_small(&lab.store, run).await;
    let mut options = eager();
    options.checkpoint_age = Duration::from_secs(3_600);
    options.checkpoint_bytes = u64::MAX;
    options.walk = Duration::from_secs(1);
    let lazy = Keeper::new(lab.store.clone(), options);
    let lag = || values(&handle)["lucihub_checkpoint_lag_seconds"];
    lazy.walk().await.unwrap();
    assert_eq!(lag(), 0.0);
    lab.clock.advance(Duration::from_secs(7));
    lazy.walk().await.unwrap();
    assert_eq!(lag(), 7.0, "nothing wrote a checkpoint meanwhile");
    let eager = Keeper::new(lab.store.clone(), eager());
    eager.walk().await.unwrap();
    lazy.walk().await.unwrap();
    assert_eq!(lag(), 0.0, "the other keeper wrote one");
    worker.log("more").await.unwrap();
    worker.flush().await.unwrap();
    lab.clock.advance(Duration::from_secs(2));
    lazy.walk().await.unwrap();
    assert_eq!(lag(), 2.0);
}
