//! A backup made while others write, restored by the commands of `docs/operations.md`, holds whole runs.

use std::process::Command;
use std::sync::Arc;

use crate::postgres::lab::{Database, MIGRATOR, ROLES, WRITER, open};
use crate::written;

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_restores_to_whole_runs() {
    let database = Database::own();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("lucihub.dump");
    let (url, to) = (database.url(MIGRATOR), dump.clone());
    let written = written::while_writing(Arc::new(open(&database.url(WRITER)).await.unwrap()), move || {
        run(Command::new("pg_dump").args(["-Fc", "-n", "lucihub", "-f"]).arg(to).arg(url));
    });
    let written = written.await;

    let restored = Database::empty_beside(&database);
    restored.sql(ROLES);
    run(Command::new("pg_restore")
        .args(["--no-owner", "--role=lucihub_migrator", "-n", "lucihub", "-d"])
        .arg(restored.admin_url())
        .arg(&dump));
    restored.sql(ROLES);
    written::assert_whole(&open(&restored.url(WRITER)).await.unwrap(), written).await;
}
