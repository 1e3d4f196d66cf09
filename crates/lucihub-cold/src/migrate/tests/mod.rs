//! The engine of migrations, with migrations of the tests' own.

mod changes;
#[cfg(feature = "postgres")]
mod concurrently;
mod generations;
#[path = "../../../tests/migrations/place.rs"]
mod place;
mod rebuild;

use place::Place;

use super::migrator::{Migrator, Target};
use super::script::Script;
use super::standing::Library;

/// The present schema in a database of a test's.
pub(crate) fn fill(conn: &mut crate::conn::Conn<'_>) {
    let library = Library { generation: super::GENERATION, scripts: super::script::SQLITE };
    let plan = super::plan::Plan::of(conn, &library, super::Change::Up, "a test").unwrap();
    super::run::run(conn, &plan, "a test").unwrap();
}

/// A migration of the first generation, in a transaction.
const fn script(name: &'static str, up: &'static str, down: &'static str) -> Script {
    Script { name, up, down, oldest: 1, in_transaction: true }
}

/// The one that every library of these tests begins with.
const FIRST: Script = script(
    "2026-01-01-000000_first",
    "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, x INTEGER);\nCREATE INDEX t_x ON t (x);",
    "DROP TABLE t;",
);
const SECOND: Script =
    script("2026-01-02-000000_second", "ALTER TABLE t ADD COLUMN y TEXT;", "ALTER TABLE t DROP COLUMN y;");

/// A database and a version of a library that has these migrations.
fn migrator(place: &Place, generation: u32, scripts: Vec<Script>) -> Migrator {
    // A test's few bytes live as long as its process.
    joined(place, Library { generation, scripts: Vec::leak(scripts) })
}

/// A database and a library.
fn joined(place: &Place, library: Library) -> Migrator {
    let url = place.url();
    let target = match place {
        Place::Sqlite(_) => Target::Sqlite(Box::new(crate::SqliteOptions::url(&url).unwrap())),
        #[cfg(feature = "postgres")]
        Place::Postgres(_) => Target::Postgres(Box::new(crate::PostgresOptions::url(&url).unwrap())),
    };
    Migrator { target, library }
}

/// This library's own migrations for a database.
const fn present(place: &Place) -> &'static [Script] {
    match place {
        Place::Sqlite(_) => super::script::SQLITE,
        #[cfg(feature = "postgres")]
        Place::Postgres(_) => super::script::POSTGRES,
    }
}

/// Everything in the database: its schema, and what both tables of migrations say.
fn everything(place: &Place) -> Vec<String> {
    let mut all = place.catalog();
    all.extend(place.rows("SELECT version FROM __diesel_schema_migrations"));
    all.extend(place.rows("SELECT version || digest || state FROM lucihub_migrations"));
    all
}
