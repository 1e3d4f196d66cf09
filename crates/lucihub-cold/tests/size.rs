//! What a sample costs.

use std::sync::Arc;

use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdDevices, ColdRuns, SeenFields};
use lucihub_models_core::{DeviceType, SampleCell, Series, Timestamp};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::{adc_series, lorenz_head};
use tempfile::TempDir;

async fn fresh() -> (SqliteCold, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::file(folder.path().join("cold.db"));
    (SqliteCold::open(options, Arc::new(ManualClock::new())).await.unwrap(), folder)
}

#[tokio::test]
async fn a_sample_of_the_adc_costs_at_most_half_a_byte() {
    let (cold, folder) = fresh().await;
    drop(cold);
    let path = folder.path().join("cold.db");
    let empty = std::fs::metadata(&path).unwrap().len();
    let cold = SqliteCold::open(SqliteOptions::file(&path), Arc::new(ManualClock::new())).await.unwrap();
    let head = lorenz_head(3);
    cold.create(&head).await.unwrap();
    let mut samples = Vec::new();
    for channel in 0..3 {
        for (cell, values) in (0..).zip(adc_series(channel, 4 * 65_536).chunks(65_536)) {
            let mut series = Series::starting_at(cell * 65_536);
            series.push_values(values);
            samples.push(SampleCell { channel, cell, series });
        }
    }
    let count = samples.iter().map(|cell| cell.series.values.len() as u64).sum::<u64>();
    assert!(
        cold.checkpoint(head.id, &Checkpoint { lines: Vec::new(), samples, ..Checkpoint::default() }).await.unwrap()
    );
    let stored = cold.stored_bytes(head.id).await.unwrap().unwrap();
    let bytes = stored.samples + stored.summaries;
    assert!(2 * bytes <= count, "{bytes} bytes for {count} samples: {stored:?}");
    assert!(stored.samples > 0 && stored.summaries > 0, "{stored:?}");
    // What SQLite adds around them is small.
    drop(cold);
    let file = std::fs::metadata(&path).unwrap().len() - empty;
    assert!(file < bytes + bytes / 4 + 100_000, "{file} bytes of file for {bytes}");
}

#[tokio::test]
async fn unknown_fields_of_a_device_stay() {
    use diesel::prelude::*;
    let (cold, folder) = fresh().await;
    let id: lucihub_models_core::DeviceId = "lucidac-1".parse().unwrap();
    let seen = |firmware: &str, second: i64| SeenFields {
        id: id.clone(),
        device_type: DeviceType::Lucidac,
        firmware: Some(firmware.into()),
        entity_digest: None,
        seen_at: Timestamp::from_micros(second * 1_000_000).unwrap(),
    };
    cold.put_seen(&seen("1", 1)).await.unwrap();
    // As a newer component would write it.
    let path = folder.path().join("cold.db");
    let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("UPDATE devices SET extra = '{\"rack\":{\"row\":3}}'").execute(&mut raw).unwrap();
    cold.put_seen(&seen("2", 2)).await.unwrap();
    let device = cold.device(&id).await.unwrap().unwrap();
    assert_eq!(device.firmware.as_deref(), Some("2"));
    assert_eq!(device.extra.to_json(), "{\"rack\":{\"row\":3}}");
}
