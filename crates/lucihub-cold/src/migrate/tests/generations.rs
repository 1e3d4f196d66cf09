//! Which versions of a library may use a database.

use lucihub_models_core::StoreError;

use super::place::{Place, places};
use super::{FIRST, Library, SECOND, Script, joined, migrator, present};
use crate::migrate::{Change, GENERATION, Migrator, Problem};

/// A component of an older version, beside a newer one that has migrated.
fn older(place: &Place, newer_asks_for: u32) -> Migrator {
    let newer = Script { oldest: newer_asks_for, ..SECOND };
    migrator(place, 2, vec![FIRST, newer]).change(Change::Up).unwrap();
    migrator(place, 1, vec![FIRST])
}

fn refused<T: std::fmt::Debug>(answer: Result<T, crate::error::Error>) -> String {
    match answer.map_err(StoreError::from) {
        Err(StoreError::Precondition { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_older_version_starts_on_an_expanded_schema() {
    for place in places() {
        let older = older(&place, 1);
        older.prepare(false).unwrap();
        older.prepare(true).unwrap();
        assert_eq!(older.check().unwrap(), []);
        assert_eq!(older.change(Change::Up).unwrap(), Vec::<String>::new());
        let status = older.status().unwrap();
        assert_eq!(status[1].name, SECOND.name, "the name of what it does not know");
        // It must not pull away what the newer one stands on.
        assert!(refused(older.change(Change::Down(1))).contains(SECOND.name));
        assert!(refused(older.plan(Change::Redo)).contains("undo that one first"));
    }
}

#[test]
fn an_older_version_is_refused_by_a_contracted_schema() {
    for place in places() {
        let older = older(&place, 2);
        for refusal in [
            refused(older.prepare(false)),
            refused(older.prepare(true)),
            refused(older.change(Change::Up)),
            refused(older.change(Change::Down(1))),
        ] {
            assert!(refusal.contains("generation 2") && refusal.contains("upgrade this component"), "{refusal}");
        }
        let problem = Problem::TooNew { migration: SECOND.name.to_owned(), oldest: Some(2), generation: 1 };
        assert_eq!(older.check().unwrap(), [problem]);
        migrator(&place, 2, vec![FIRST, SECOND]).prepare(false).unwrap();
    }
}

/// What it writes would lack its tags, and not be counted.
#[test]
fn the_first_generation_is_refused_by_the_present_schema() {
    for place in places() {
        let scripts = present(&place);
        let first = joined(&place, Library { generation: 1, scripts: &scripts[..1] });
        first.prepare(true).unwrap();
        let today = joined(&place, Library { generation: GENERATION, scripts });
        assert!(refused(today.prepare(false)).contains("lucihub migrate up"));
        today.change(Change::Up).unwrap();
        today.prepare(false).unwrap();
        let refusal = refused(first.prepare(false));
        assert!(refusal.contains("_search asks for generation 2") && refusal.contains("upgrade this"), "{refusal}");
    }
}

#[test]
fn what_nobody_says_anything_about_is_too_new() {
    for place in places() {
        let one = migrator(&place, 1, vec![FIRST]);
        one.change(Change::Up).unwrap();
        place.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
        assert!(refused(one.prepare(false)).contains("29990101000000"));
        assert!(refused(one.change(Change::Up)).contains("upgrade this component"));
    }
}

#[test]
fn what_is_missing_is_refused_and_named() {
    for place in places() {
        migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
        let newer = migrator(&place, 1, vec![FIRST, SECOND]);
        let refusal = refused(newer.prepare(false));
        assert!(refusal.contains(SECOND.name) && refusal.contains("lucihub migrate up"), "{refusal}");
        newer.prepare(true).unwrap();
        newer.prepare(false).unwrap();
    }
}
