//! `schema.rs` and the migrated database are the same, column by column.

use lucihub_cold::migrate;

use crate::migrations::place::{Place, places};

/// `table: name -> type` of each line of `schema.rs` that declares a column, in the order of that file.
fn declared() -> Vec<(String, String, String)> {
    let mut table = "";
    let mut columns = Vec::new();
    for line in include_str!("../../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name;
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            columns.push((table.to_owned(), name.to_owned(), kind.to_owned()));
        }
    }
    columns
}

/// Each of our types, and what SQLite and PostgreSQL call it.
const TYPES: [(&str, &str, &str); 7] = [
    ("DbUuid", "BLOB", "uuid"),
    ("Binary", "BLOB", "bytea"),
    ("DbTime", "INTEGER", "timestamp with time zone"),
    ("BigInt", "INTEGER", "bigint"),
    ("DbJson", "TEXT", "json"),
    ("DbText", "TEXT", "text"),
    ("Text", "TEXT", "text"),
];

/// `table: name type` with the engine's types, and whether it may be NULL.
fn expected(place: &Place) -> Vec<String> {
    let native = |kind: &str| {
        let (_, sqlite, postgres) = TYPES.iter().find(|(ours, ..)| *ours == kind).unwrap();
        if matches!(place, Place::Sqlite(_)) { *sqlite } else { *postgres }
    };
    let column = |(table, name, kind): (String, String, String)| {
        let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
        let null = if inner.is_some() { "NULL" } else { "NOT NULL" };
        format!("{table}: {name} {} {null}", native(inner.unwrap_or(&kind)))
    };
    declared().into_iter().map(column).collect()
}

fn found(place: &Place, table: &str) -> Vec<String> {
    match place {
        Place::Sqlite(_) => place.rows(&format!(
            "SELECT '{table}: ' || name || ' ' || type || iif(\"notnull\", ' NOT NULL', ' NULL') FROM pragma_table_info('{table}')"
        )),
        #[cfg(feature = "postgres")]
        Place::Postgres(_) => place.rows(&format!(
            "SELECT '{table}: ' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE ' NULL' END
             FROM information_schema.columns WHERE table_schema = 'lucihub' AND table_name = '{table}' ORDER BY ordinal_position"
        )),
    }
}

fn tables(place: &Place) -> Vec<String> {
    let query = match place {
        Place::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        #[cfg(feature = "postgres")]
        Place::Postgres(_) => "SELECT table_name FROM information_schema.tables WHERE table_schema = 'lucihub'",
    };
    let mut tables = place.rows(query);
    tables.retain(|table| !["__diesel_schema_migrations", "lucihub_migrations"].contains(&&**table));
    tables.sort();
    tables
}

#[tokio::test]
async fn schema_is_that_of_the_migrated_database() {
    for place in places() {
        migrate::up(&place.url()).await.unwrap();
        let mut declared: Vec<_> = declared().into_iter().map(|(table, ..)| table).collect();
        assert!(declared.len() > 40, "the file was read: {declared:?}");
        declared.dedup();
        let found: Vec<_> = declared.iter().flat_map(|table| found(&place, table)).collect();
        let expected = expected(&place);
        let only = |here: &[String], there: &[String]| -> Vec<String> {
            here.iter().filter(|column| !there.contains(column)).cloned().collect()
        };
        let differences = (only(&found, &expected), only(&expected, &found));
        assert_eq!(differences, (vec![], vec![]), "in the database alone, and in src/schema.rs alone: {place}");
        assert_eq!(found, expected, "the order of columns: {place}");
        declared.sort();
        assert_eq!(tables(&place), declared, "no table is missing in schema.rs: {place}");
    }
}
