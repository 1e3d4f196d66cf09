//! Up, down, redo, their plans, and what a failing one leaves behind.

use lucihub_models_core::StoreError;

use super::place::places;
use super::{FIRST, SECOND, everything, migrator, script};
use crate::migrate::{Change, MigrationState, Problem};

#[test]
fn a_plan_is_what_then_runs() {
    for place in places() {
        let both = migrator(&place, 1, vec![FIRST, SECOND]);
        both.change(Change::Up).unwrap();
        for change in [Change::Down(1), Change::Up, Change::Redo, Change::Down(2), Change::Down(1), Change::Up] {
            let before = everything(&place);
            let plan = both.plan(change).unwrap();
            assert_eq!(everything(&place), before, "a plan changes nothing: {place}");
            let names: Vec<_> = plan.steps.iter().map(|step| step.name.clone()).collect();
            assert_eq!(both.change(change).unwrap(), names, "{change:?}: {place}");
        }
        assert_eq!(both.check().unwrap(), []);
    }
}

/// Between looking and saying yes, somebody else migrates.
#[test]
fn only_what_was_looked_at_is_run() {
    for place in places() {
        let both = migrator(&place, 1, vec![FIRST, SECOND]);
        migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
        for change in [Change::Down(1), Change::Down(2)] {
            let seen = both.plan(change).unwrap();
            assert_eq!(seen.steps[0].name, FIRST.name);
            both.change(Change::Up).unwrap();
            let before = everything(&place);
            let error = both.change_as_planned(change, &seen).map_err(StoreError::from).unwrap_err();
            let StoreError::Precondition { why, .. } = &error else { panic!("{error:?}") };
            assert!([FIRST.name, SECOND.name, "look again"].iter().all(|part| why.contains(part)), "{error}");
            assert_eq!(everything(&place), before, "{place}");

            let seen = both.plan(change).unwrap();
            let names: Vec<_> = seen.steps.iter().map(|step| step.name.clone()).collect();
            assert_eq!(both.change_as_planned(change, &seen).unwrap(), names, "{change:?}: {place}");
        }

        // Done by somebody else already, or of another text.
        both.change(Change::Up).unwrap();
        let seen = both.plan(Change::Down(2)).unwrap();
        both.change(Change::Down(1)).unwrap();
        both.change_as_planned(Change::Down(2), &seen).unwrap_err();
        let mut seen = both.plan(Change::Down(1)).unwrap();
        seen.steps[0].sql = "DROP TABLE other;".to_owned();
        let error = both.change_as_planned(Change::Down(1), &seen).map_err(StoreError::from).unwrap_err();
        assert!(error.to_string().contains("statements"), "{error}");
    }
}

#[test]
fn a_redone_migration_is_made_anew() {
    for place in places() {
        let both = migrator(&place, 1, vec![FIRST, SECOND]);
        both.change(Change::Up).unwrap();
        place.sql("INSERT INTO t (id, x, y) VALUES (1, 2, 'three')");
        let before = place.catalog();
        assert_eq!(both.change(Change::Redo).unwrap(), [SECOND.name, SECOND.name]);
        assert_eq!(place.catalog(), before);
        assert_eq!(place.rows("SELECT x || ',' || coalesce(y, 'nothing') FROM t"), ["2,nothing"]);
    }
}

/// Undoing the last one that was applied would undo another than whoever writes the next one means.
#[test]
fn a_pending_migration_is_not_jumped_over_by_redo() {
    for place in places() {
        migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
        let both = migrator(&place, 1, vec![FIRST, SECOND]);
        let before = everything(&place);
        for refused in [both.plan(Change::Redo).map(drop), both.change(Change::Redo).map(drop)] {
            let error = refused.map_err(StoreError::from).unwrap_err();
            assert!(error.to_string().contains("1 migration is pending; run `lucihub migrate up`"), "{error}");
        }
        assert_eq!(everything(&place), before, "{place}");
        both.change(Change::Up).unwrap();
        assert_eq!(both.change(Change::Redo).unwrap(), [SECOND.name, SECOND.name]);
    }
}

#[test]
fn a_failing_migration_leaves_the_database_as_it_was() {
    const BROKEN: &str = "CREATE TABLE u (id INTEGER);\nUPDATE t SET x = 1;\nINSERT INTO nowhere VALUES (1);";
    for place in places() {
        migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
        place.sql("INSERT INTO t (id, x) VALUES (1, 7)");
        let before = everything(&place);
        let broken = script("2026-01-03-000000_broken", BROKEN, "");
        let failing = migrator(&place, 1, vec![FIRST, broken]);
        let error = failing.change(Change::Up).map_err(StoreError::from).unwrap_err();
        let StoreError::Precondition { why, .. } = &error else { panic!("{error:?}") };
        assert!(why.contains("2026-01-03-000000_broken (up)") && why.contains("nowhere"), "{error}");
        assert_eq!(everything(&place), before, "{place}");
        assert_eq!(place.rows("SELECT CAST(x AS text) FROM t"), ["7"]);
        assert_eq!(failing.status().unwrap()[1].state, MigrationState::Pending);

        // Undoing one that fails to be undone keeps it.
        let broken = script(FIRST.name, FIRST.up, "DROP TABLE t;\nDROP TABLE nowhere;");
        migrator(&place, 1, vec![broken]).change(Change::Down(1)).unwrap_err();
        assert_eq!(everything(&place), before, "{place}");
    }
}

#[test]
fn a_change_to_what_was_applied_is_found() {
    for place in places() {
        migrator(&place, 1, vec![FIRST, SECOND]).change(Change::Up).unwrap();
        let changed = script(SECOND.name, "ALTER TABLE t ADD COLUMN z TEXT;", SECOND.down);
        let problems = migrator(&place, 1, vec![FIRST, changed]).check().unwrap();
        assert_eq!(problems, [Problem::Changed { migration: SECOND.name.to_owned() }]);
        assert!(!problems[0].refuses_opening());
        assert!(problems[0].to_string().contains("use the version that applied it"), "{}", problems[0]);
    }
}

#[test]
fn a_database_without_our_table_is_taken_over() {
    for place in places() {
        let one = migrator(&place, 1, vec![FIRST]);
        one.change(Change::Up).unwrap();
        place.sql("DROP TABLE lucihub_migrations");
        assert_eq!(one.check().unwrap(), [], "it is as good as before");
        assert_eq!(one.status().unwrap()[0].state, MigrationState::Applied);
        one.prepare(false).unwrap();
        let plan = one.plan(Change::Up).unwrap();
        assert_eq!((plan.preparation.len(), plan.steps.len()), (1, 0), "{plan:?}");
        assert_eq!(one.change(Change::Up).unwrap(), Vec::<String>::new());
        assert_eq!(place.rows("SELECT digest || state FROM lucihub_migrations"), [format!("{}done", FIRST.digest())]);
    }
}

#[test]
fn migrations_of_other_branches_come_in_between() {
    for place in places() {
        let late = script("2026-01-03-000000_late", "CREATE TABLE u (id INTEGER);", "DROP TABLE u;");
        migrator(&place, 1, vec![FIRST, late]).change(Change::Up).unwrap();
        let late = script("2026-01-03-000000_late", "CREATE TABLE u (id INTEGER);", "DROP TABLE u;");
        let all = migrator(&place, 1, vec![FIRST, SECOND, late]);
        assert_eq!(all.change(Change::Up).unwrap(), [SECOND.name]);
        assert_eq!(all.check().unwrap(), []);
    }
}
