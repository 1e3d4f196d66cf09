//! `schema.rs` and the migrated database are the same; migrations go up, down and up again.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use lucihub_cold::{SqliteCold, SqliteOptions, migrate};
use lucihub_testkit::ManualClock;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    declared: String,
    #[diesel(sql_type = BigInt)]
    notnull: i64,
}

#[derive(QueryableByName, PartialEq, Debug)]
struct Object {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

/// `table: name -> type` of each line of `schema.rs` that declares a column.
fn declared_in_rust() -> Vec<String> {
    let mut table = "";
    let mut columns = Vec::new();
    for line in include_str!("../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name;
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            columns.push(format!("{table}: {name} -> {kind}"));
        }
    }
    columns
}

/// The same from the database. SQLite has one type for several of ours, so the
/// name of the Rust type is reduced to the native one on both sides.
fn declared_in_database(conn: &mut SqliteConnection, tables: &[&str]) -> Vec<String> {
    let mut columns = Vec::new();
    for table in tables {
        let query = format!("SELECT name, type, \"notnull\" FROM pragma_table_info('{table}')");
        for Column { name, declared, notnull } in diesel::sql_query(query).load::<Column>(conn).unwrap() {
            let kind = if notnull == 1 { declared } else { format!("Nullable<{declared}>") };
            columns.push(format!("{table}: {name} -> {kind}"));
        }
    }
    columns
}

fn native(column: &str) -> String {
    [
        ("DbUuid", "BLOB"),
        ("Binary", "BLOB"),
        ("DbTime", "INTEGER"),
        ("BigInt", "INTEGER"),
        ("DbJson", "TEXT"),
        ("DbText", "TEXT"),
        ("Text", "TEXT"),
    ]
    .iter()
    .fold(column.to_owned(), |column, (ours, theirs)| column.replace(ours, theirs))
}

fn objects(conn: &mut SqliteConnection) -> Vec<Object> {
    diesel::sql_query(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' ORDER BY name",
    )
    .load(conn)
    .unwrap()
}

#[tokio::test]
async fn schema_is_that_of_the_migrated_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cold.db");
    drop(SqliteCold::open(SqliteOptions::file(&path), Arc::new(ManualClock::new())).await.unwrap());
    let conn = &mut SqliteConnection::establish(path.to_str().unwrap()).unwrap();

    let rust: Vec<String> = declared_in_rust().iter().map(|column| native(column)).collect();
    assert!(rust.len() > 40, "the file was read: {rust:?}");
    let in_order =
        ["runs", "run_logs", "run_samples", "devices", "run_tags", "usage", "attachments", "attachment_chunks"];
    assert_eq!(declared_in_database(conn, &in_order), rust);

    let mut tables: Vec<String> =
        objects(conn).into_iter().filter(|o| o.sql.starts_with("CREATE TABLE")).map(|o| o.name).collect();
    tables.sort();
    assert_eq!(
        tables,
        ["attachment_chunks", "attachments", "devices", "run_logs", "run_samples", "run_tags", "runs", "usage"],
        "no table is missing in schema.rs"
    );
}

#[test]
fn migrations_go_up_down_and_up() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    conn.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    let first = objects(conn);
    assert!(first.len() > 8, "{first:?}");
    conn.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(objects(conn), []);
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(objects(conn), first);
}

#[tokio::test]
async fn status_up_and_check() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("cold.db").display());
    let missing = migrate::status(&url).await.unwrap_err();
    assert!(matches!(missing, lucihub_models_core::StoreError::NotFound { .. }), "{missing}");

    let applied = migrate::up(&url).await.unwrap();
    assert!(!applied.is_empty());
    assert_eq!(migrate::up(&url).await.unwrap(), Vec::<String>::new());
    let status = migrate::status(&url).await.unwrap();
    assert_eq!(status.iter().map(|m| m.name.clone()).collect::<Vec<_>>(), applied);
    assert!(status.iter().all(|m| m.applied));
    migrate::check(&url).await.unwrap();
}
