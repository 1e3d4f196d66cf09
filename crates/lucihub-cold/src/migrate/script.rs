//! A migration as it stands in `migrations/`: its SQL, what its header says, and its name in diesel's table.

use std::fmt;

use diesel::backend::Backend;
use diesel::connection::BoxableConnection;
use diesel::migration::{Migration, MigrationMetadata, MigrationName, MigrationVersion, Result};
use lucihub_models_core::Digest;

/// One migration. `build.rs` makes these from the files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// The time of its writing, and what it is about: `2026-11-23-000000_first`.
    pub(crate) name: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    /// The oldest generation of this library that may still use the schema after it.
    pub(crate) oldest: u32,
    /// Whether it runs in a transaction. What does not must be written to be repeatable.
    pub(crate) in_transaction: bool,
}

include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the present schema.
    Up,
    /// Back.
    Down,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Up { "up" } else { "down" })
    }
}

impl Script {
    /// The digits of its stamp, which is what diesel's table and its command call the version.
    pub(crate) fn version(&self) -> String {
        let stamp = self.name.split_once('_').map_or(self.name, |(stamp, _)| stamp);
        stamp.replace('-', "")
    }

    /// The digest of what it does, the same on machines that check files out with other ends of lines.
    pub(crate) fn digest(&self) -> String {
        Digest::of(self.up.replace('\r', "").as_bytes()).to_string()
    }

    pub(crate) const fn sql(&self, direction: Direction) -> &'static str {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
    }

    /// Its statements one by one, for a migration outside a transaction: several in one request would be one. A
    /// statement ends with a line that ends in a semicolon.
    pub(crate) fn statements(&self, direction: Direction) -> Vec<String> {
        let mut statements = vec![String::new()];
        for line in self.sql(direction).lines().map(str::trim_end) {
            if line.is_empty() || line.trim_start().starts_with("--") {
                continue;
            }
            if let Some(statement) = statements.last_mut() {
                statement.push_str(line);
                statement.push('\n');
            }
            if line.ends_with(';') {
                statements.push(String::new());
            }
        }
        statements.retain(|statement| !statement.is_empty());
        statements
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl MigrationName for Script {
    fn version(&self) -> MigrationVersion<'_> {
        Self::version(self).into()
    }
}

/// A script on its way through diesel's harness, which keeps the table of versions.
pub(crate) struct Harnessed<'a> {
    pub(crate) script: &'a Script,
    /// Whether its statements ran before, so that only its version is left to be recorded.
    pub(crate) ran: bool,
}

impl Harnessed<'_> {
    fn execute<DB: Backend>(&self, conn: &mut dyn BoxableConnection<DB>, sql: &str) -> Result<()> {
        if !self.ran {
            conn.batch_execute(sql)?;
        }
        Ok(())
    }
}

impl MigrationMetadata for Harnessed<'_> {
    /// There is one already, which takes our own mark too.
    fn run_in_transaction(&self) -> bool {
        false
    }
}

impl<DB: Backend> Migration<DB> for Harnessed<'_> {
    fn run(&self, conn: &mut dyn BoxableConnection<DB>) -> Result<()> {
        self.execute(conn, self.script.up)
    }

    fn revert(&self, conn: &mut dyn BoxableConnection<DB>) -> Result<()> {
        self.execute(conn, self.script.down)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        self.script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: Script = Script {
        name: "2026-11-25-093000_two_words",
        up: "-- oldest generation: 1\n\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a\n    ON t (x);\n-- and;\nDROP TABLE u;",
        down: "",
        oldest: 1,
        in_transaction: false,
    };

    #[test]
    fn versions_are_what_diesel_takes_them_for() {
        assert_eq!(SCRIPT.version(), "20261125093000");
    }

    #[test]
    fn statements_end_with_their_lines() {
        let expected = ["CREATE INDEX CONCURRENTLY IF NOT EXISTS a\n    ON t (x);\n", "DROP TABLE u;\n"];
        assert_eq!(SCRIPT.statements(Direction::Up), expected);
        assert_eq!(SCRIPT.statements(Direction::Down), [""; 0]);
    }

    #[test]
    fn ends_of_lines_do_not_change_a_digest() {
        let windows = Script { up: "SELECT 1;\r\n", ..SCRIPT };
        let unix = Script { up: "SELECT 1;\n", ..SCRIPT };
        assert_eq!(windows.digest(), unix.digest());
        assert_ne!(SCRIPT.digest(), unix.digest());
    }

    #[cfg(all(feature = "sqlite", feature = "postgres"))]
    #[test]
    fn both_engines_have_the_same_migrations_of_the_same_generations() {
        let of = |scripts: &[Script]| scripts.iter().map(|s| (s.name, s.oldest)).collect::<Vec<_>>();
        assert_eq!(of(SQLITE), of(POSTGRES));
        let versions: std::collections::BTreeSet<_> = SQLITE.iter().map(Script::version).collect();
        assert_eq!(versions.len(), SQLITE.len(), "no two have the same stamp");
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn later_migrations_let_in_no_older_generation_and_all_let_in_this_one() {
        let oldest: Vec<u32> = SQLITE.iter().map(|script| script.oldest).collect();
        assert!(oldest.is_sorted(), "{oldest:?}");
        assert!(oldest.iter().all(|oldest| *oldest <= crate::migrate::GENERATION), "{oldest:?}");
    }
}
