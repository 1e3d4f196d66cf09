//! A backup of a SQLite file in use, as `docs/operations.md` says, holds whole runs.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_testkit::ManualClock;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_file_in_use_holds_whole_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (file, backup) = (folder.path().join("lab.sqlite"), folder.path().join("backup.sqlite"));
    let open = async |path: &std::path::Path| {
        SqliteCold::open(SqliteOptions::file(path), Arc::new(ManualClock::new())).await.unwrap()
    };
    let (from, to) = (file.clone(), backup.clone());
    let written = crate::written::while_writing(Arc::new(open(&file).await), move || {
        let mut conn = SqliteConnection::establish(from.to_str().unwrap()).unwrap();
        conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; VACUUM INTO '{}'", to.display())).unwrap();
    });
    let written = written.await;
    crate::written::assert_whole(&open(&backup).await, written).await;
}
