//! Opening files: new ones, others' ones, and several starters at once.

use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use lucihub_cold::{SqliteCold, SqliteOptions, migrate};
use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{Result, StoreError};
use lucihub_testkit::{ManualClock, models};

async fn open(path: impl AsRef<Path>) -> Result<SqliteCold> {
    SqliteCold::open(SqliteOptions::file(path.as_ref()), Arc::new(ManualClock::new())).await
}

fn raw(path: &Path, sql: &str) {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(sql).unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_when_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd ?name%20#1.db");
    let head = models::run_head(1);
    open(&path).await.unwrap().create(&head).await.unwrap();
    assert!(path.is_file(), "the name is taken literally");
    assert_eq!(open(&path).await.unwrap().get(head.id).await.unwrap().unwrap().head, head);
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path().join("nowhere/cold.db")).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound { what } if what.contains("nowhere")), "{error}");
    assert!(!folder.path().join("nowhere").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "these are notes, and they are longer than the header of a database file is ".repeat(20);
    std::fs::write(&path, &text).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(&error, StoreError::Precondition { what, .. } if what.contains("notes.txt")), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    raw(&path, "CREATE TABLE bookmarks (url TEXT)");
    let before = std::fs::read(&path).unwrap();
    let url = format!("sqlite:{}", path.display());
    let errors = [open(&path).await.unwrap_err(), migrate::up(&url).await.unwrap_err()];
    for error in errors {
        assert!(matches!(&error, StoreError::Precondition { why, .. } if why.contains("another program")), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn an_empty_file_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    std::fs::write(&path, "").unwrap();
    open(&path).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_an_older_one_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cold.db");
    drop(open(&path).await.unwrap());

    raw(&path, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    let error = open(&path).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Precondition { why, .. } if why.contains("upgrade this component")),
        "{error}"
    );

    // As if the file had been made before the first migration.
    raw(&path, "DELETE FROM __diesel_schema_migrations WHERE version = '29990101000000'");
    migrate::down(&format!("sqlite:{}", path.display()), usize::MAX).await.unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(&error, StoreError::Precondition { why, .. } if why.contains("lucihub migrate up")), "{error}");
    let problems = migrate::check(&format!("sqlite:{}", path.display())).await.unwrap();
    assert!(problems.iter().all(|problem| problem.to_string().contains("lucihub migrate up")), "{problems:?}");
    assert!(!problems.is_empty());

    let migrating = SqliteOptions::file(&path).with_migrate(true);
    drop(SqliteCold::open(migrating, Arc::new(ManualClock::new())).await.unwrap());
    open(&path).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_six_starters_at_once_one_migrates() {
    for round in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cold.db");
        let starters: Vec<_> = (0..6)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move { open(path).await })
            })
            .collect();
        for starter in starters {
            starter.await.unwrap().unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        assert_eq!(migrate::check(&format!("sqlite:{}", path.display())).await.unwrap(), []);
    }
}
