//! On SQLite a table is changed by making it anew, beside others that refer to it.

use lucihub_models_core::StoreError;

use super::place::Place;
use super::{FIRST, migrator, script};
use crate::migrate::Change;

const CHILDREN: &str = "CREATE TABLE c (t INTEGER NOT NULL REFERENCES t (id) ON DELETE CASCADE);
    INSERT INTO t (id, x) VALUES (1, 2), (2, 3);
    INSERT INTO c (t) VALUES (1), (2);";

fn rebuild(of: &str) -> &'static str {
    let sql = format!(
        "CREATE TABLE anew (id INTEGER NOT NULL PRIMARY KEY, x TEXT) STRICT;
         INSERT INTO anew SELECT id, x FROM t {of};
         DROP TABLE t;
         ALTER TABLE anew RENAME TO t;"
    );
    sql.leak()
}

#[test]
fn a_table_that_is_made_anew_keeps_its_children() {
    let place = Place::sqlite();
    migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
    place.sql(CHILDREN);
    let anew = script("2026-01-02-000000_anew", rebuild(""), "");
    migrator(&place, 1, vec![FIRST, anew]).change(Change::Up).unwrap();
    assert_eq!(place.rows("SELECT x || ' ' || typeof(x) FROM t"), ["2 text", "3 text"]);
    assert_eq!(place.rows("SELECT CAST(t AS text) FROM c"), ["1", "2"]);
}

#[test]
fn a_table_that_loses_parents_is_refused() {
    let place = Place::sqlite();
    migrator(&place, 1, vec![FIRST]).change(Change::Up).unwrap();
    place.sql(CHILDREN);
    let before = place.catalog();
    let less = script("2026-01-02-000000_less", rebuild("WHERE id = 1"), "");
    let error = migrator(&place, 1, vec![FIRST, less]).change(Change::Up).map_err(StoreError::from).unwrap_err();
    assert!(error.to_string().contains("rows behind"), "{error}");
    assert_eq!(place.catalog(), before);
    assert_eq!(place.rows("SELECT CAST(id AS text) FROM t"), ["1", "2"]);
}
