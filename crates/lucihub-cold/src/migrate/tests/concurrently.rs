//! Migrations outside a transaction: indexes that PostgreSQL makes beside writers.

use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use lucihub_models_core::StoreError;

use super::place::{Place, postgres};
use super::{FIRST, Script, Target, everything, migrator};
use crate::conn::Conn;
use crate::migrate::{Change, MigrationState, Migrator, Problem};

/// Fails while two rows have the same `x`, and leaves an INVALID index behind.
const INDEX: Script = Script {
    name: "2026-01-02-000000_index",
    up: "-- Two statements; one request would be one transaction, and refused.
CREATE INDEX CONCURRENTLY IF NOT EXISTS t_id_x ON t (id, x);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_once
    ON t (x);
",
    down: "DROP INDEX CONCURRENTLY IF EXISTS t_once;\nDROP INDEX CONCURRENTLY IF EXISTS t_id_x;",
    oldest: 1,
    in_transaction: false,
};

fn place() -> (Place, Migrator) {
    let place = Place::Postgres(postgres::Database::new());
    migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
    let migrator = migrator(&place, 1, vec![FIRST, INDEX]);
    (place, migrator)
}

fn invalid(place: &Place) -> Vec<String> {
    place.rows("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
}

/// A database in which the index was left half made.
fn half_made() -> (Place, Migrator) {
    let (place, migrator) = place();
    place.sql("INSERT INTO t (id, x) VALUES (1, 5), (2, 5)");
    let error = migrator.change(Change::Up).map_err(StoreError::from).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(INDEX.name) && text.contains("t_once") && text.contains("lucihub migrate up"), "{error}");
    assert_eq!(invalid(&place), ["t_once"]);
    (place, migrator)
}

#[test]
fn what_works_is_done_by_statements() {
    let (place, migrator) = place();
    let before = everything(&place);
    assert_eq!(migrator.change(Change::Up).unwrap(), [INDEX.name]);
    assert_eq!(migrator.check().unwrap(), []);
    let after = everything(&place);
    assert_eq!(migrator.change(Change::Up).unwrap(), Vec::<String>::new());
    assert_eq!(migrator.change(Change::Redo).unwrap().len(), 2);
    assert_eq!(everything(&place), after);
    assert_eq!(migrator.change(Change::Down(1)).unwrap(), [INDEX.name]);
    assert_eq!(everything(&place), before);
}

#[test]
fn half_made_is_refused_found_and_repaired_by_up() {
    let (place, migrator) = half_made();
    let dirty = Problem::Dirty { migration: INDEX.name.to_owned() };
    assert_eq!(migrator.check().unwrap(), [dirty, Problem::InvalidIndex { index: "t_once".to_owned() }]);
    assert_eq!(migrator.status().unwrap()[1].state, MigrationState::Dirty);
    let refusal = migrator.prepare(false).map_err(StoreError::from).unwrap_err();
    assert!(matches!(&refusal, StoreError::Precondition { why, .. } if why.contains("dirty")), "{refusal}");
    let older = super::migrator(&place, 1, vec![FIRST]);
    let refusal = older.prepare(false).map_err(StoreError::from).unwrap_err();
    assert!(refusal.to_string().contains("dirty"), "an older version neither: {refusal}");
    let refusal = older.change(Change::Up).map_err(StoreError::from).unwrap_err();
    assert!(refusal.to_string().contains("of the version that made it"), "{refusal}");
    assert!(!refusal.to_string().contains("repeats it"), "it cannot: {refusal}");
    assert_eq!(older.check().unwrap()[0], Problem::DirtyOfNewer { migration: INDEX.name.to_owned() });

    // Still in the way: it fails again, and stays as it was.
    migrator.change(Change::Up).unwrap_err();
    assert_eq!(invalid(&place), ["t_once"]);

    place.sql("DELETE FROM t WHERE id = 2");
    let plan = migrator.plan(Change::Up).unwrap();
    assert_eq!(plan.steps[0].repair, ["DROP INDEX CONCURRENTLY IF EXISTS \"t_once\";\n"]);
    assert_eq!(migrator.change(Change::Up).unwrap(), [INDEX.name]);
    assert_eq!(invalid(&place), Vec::<String>::new());
    assert_eq!(migrator.check().unwrap(), []);
    migrator.prepare(false).unwrap();
}

#[test]
fn half_made_may_be_undone_too() {
    let (place, migrator) = half_made();
    assert_eq!(migrator.change(Change::Down(1)).unwrap(), [INDEX.name]);
    assert_eq!(invalid(&place), Vec::<String>::new());
    assert_eq!(migrator.status().unwrap()[1].state, MigrationState::Pending);
}

#[test]
fn one_that_ended_between_its_marks_is_repeated() {
    let (place, migrator) = place();
    migrator.change(Change::Up).unwrap();
    place.sql(&format!("UPDATE lucihub_migrations SET state = 'dirty' WHERE name = '{}'", INDEX.name));
    let after = place.catalog();
    assert_eq!(migrator.change(Change::Up).unwrap(), [INDEX.name]);
    assert_eq!(migrator.check().unwrap(), []);
    assert_eq!(place.catalog(), after);
}

#[test]
fn of_six_one_makes_the_index_and_nobody_waits_for_the_others() {
    let (place, migrator) = place();
    place.sql("INSERT INTO t (id, x) SELECT n, n FROM generate_series(1, 20000) AS n");
    let changed: Vec<_> = std::thread::scope(|threads| {
        let starters: Vec<_> = (0..6).map(|_| threads.spawn(|| migrator.change(Change::Up).unwrap())).collect();
        starters.into_iter().map(|starter| starter.join().unwrap()).collect()
    });
    assert_eq!(changed.iter().filter(|names| !names.is_empty()).count(), 1, "{changed:?}");
    assert_eq!(migrator.check().unwrap(), []);
}

#[test]
fn an_index_waits_for_writers_for_as_long_as_they_take() {
    const SHORT: Duration = Duration::from_millis(200);
    let (place, migrator) = place();
    let options = crate::PostgresOptions::url(&place.url()).unwrap().with_lock_timeout(SHORT);
    let migrator = Migrator { target: Target::Postgres(Box::new(options.clone())), ..migrator };
    let (tell, told) = mpsc::channel();
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            crate::postgres::look(&options, |conn, _| {
                let Conn::Postgres(conn) = conn else { panic!("another engine") };
                conn.batch_execute("BEGIN; INSERT INTO t (id, x) VALUES (1, 1)")?;
                tell.send(()).unwrap();
                std::thread::sleep(4 * SHORT);
                Ok(conn.batch_execute("COMMIT")?)
            })
        });
        told.recv().unwrap();
        migrator.change(Change::Up).unwrap();
        writer.join().unwrap().unwrap();
    });
    assert_eq!(migrator.check().unwrap(), []);
}
