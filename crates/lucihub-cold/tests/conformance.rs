//! The laws of the cold ports, on SQLite.

use std::sync::Arc;

use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_testkit::ManualClock;
use tempfile::TempDir;

/// A new file in a folder of its own.
async fn fresh() -> (Arc<SqliteCold>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::file(folder.path().join("cold.db"));
    let cold = SqliteCold::open(options, Arc::new(ManualClock::new())).await.unwrap();
    (Arc::new(cold), folder)
}

lucihub_testkit::cold_conformance!(sqlite, fresh().await);
