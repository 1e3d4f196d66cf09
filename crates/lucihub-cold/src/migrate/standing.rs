//! How a database stands to the migrations of a library.

use diesel::prelude::*;
use lucihub_models_core::{StoreError, Timestamp};

use super::catalog;
use super::marks::{self, MARKS, Mark};
use super::problem::Problem;
use super::script::Script;
use crate::conn::{Conn, on_conn};
use crate::error::Error;

/// The table in which diesel's harness keeps what was applied.
pub(crate) const APPLIED: &str = "__diesel_schema_migrations";

/// What a version of this library brings. Tests bring their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Library {
    pub(crate) generation: u32,
    /// Oldest first.
    pub(crate) scripts: &'static [Script],
}

/// How far a migration got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationState {
    /// It is still to be applied.
    Pending,
    /// It was applied.
    Applied,
    /// It is under way outside a transaction, or was left off amid: nobody may use the database.
    Dirty,
    /// A newer library applied it, and says from which generation on the database may still be used; `None` where it
    /// does not say.
    Newer(Option<u32>),
}

/// A migration, and whether a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its name: the time of its writing, and what it is about; of one that this library does not know and whose name
    /// was not kept, the time alone.
    pub name: String,
    /// How far it got.
    pub state: MigrationState,
    /// When it was applied, where that was kept.
    pub applied_at: Option<Timestamp>,
}

/// A migration of the library, as the database has it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) script: &'static Script,
    pub(crate) state: MigrationState,
    /// Whether diesel's table has its version.
    pub(crate) recorded: bool,
    /// What our table says of it; nothing in a database that is older than that table.
    pub(crate) mark: Option<Mark>,
}

/// A database, beside a library.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) entries: Vec<Entry>,
    /// What the library does not know.
    pub(crate) strangers: Vec<MigrationStatus>,
    pub(crate) has_marks: bool,
    pub(crate) invalid_indexes: Vec<String>,
}

impl Standing {
    /// Looks at a database; changes nothing.
    pub(crate) fn read(conn: &mut Conn<'_>, library: &Library, what: &str) -> Result<Self, Error> {
        let recorded = recorded(conn, what)?;
        let has_marks = catalog::has_table(conn, MARKS)?;
        let mut marks = if has_marks { marks::read(conn)? } else { Vec::new() };
        let entries = library.scripts.iter().map(|script| {
            let version = script.version();
            let mark = marks.iter().position(|mark| mark.version == version).map(|at| marks.swap_remove(at));
            let recorded = recorded.contains(&version);
            let state = match &mark {
                Some(mark) if mark.dirty => MigrationState::Dirty,
                _ if recorded => MigrationState::Applied,
                _ => MigrationState::Pending,
            };
            Entry { script, state, recorded, mark }
        });
        let entries: Vec<_> = entries.collect();
        let known = |version: &String| library.scripts.iter().any(|script| script.version() == *version);
        let unmarked =
            recorded.iter().filter(|version| !known(version) && !marks.iter().any(|m| m.version == **version));
        let unmarked = unmarked.map(|version| MigrationStatus {
            name: version.clone(),
            state: MigrationState::Newer(None),
            applied_at: None,
        });
        let mut strangers: Vec<_> = unmarked.collect();
        strangers.extend(marks.into_iter().map(stranger));
        strangers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { entries, strangers, has_marks, invalid_indexes: catalog::invalid_indexes(conn)? })
    }

    /// All migrations, known ones first.
    pub(crate) fn status(self) -> Vec<MigrationStatus> {
        let known = self.entries.into_iter().map(|entry| MigrationStatus {
            name: entry.script.name.to_owned(),
            state: entry.state,
            applied_at: entry.mark.filter(|mark| !mark.dirty).map(|mark| mark.applied_at),
        });
        known.chain(self.strangers).collect()
    }

    /// Everything that is not as it should be.
    pub(crate) fn problems(&self, library: &Library) -> Vec<Problem> {
        let mut problems = self.refusals(library);
        for Entry { script, mark, state, .. } in &self.entries {
            let differs = mark.as_ref().is_some_and(|mark| mark.digest != script.digest());
            if differs && *state == MigrationState::Applied {
                problems.push(Problem::Changed { migration: script.name.to_owned() });
            }
        }
        problems.extend(self.invalid_indexes.iter().map(|index| Problem::InvalidIndex { index: index.clone() }));
        problems
    }

    /// The problems for which nobody may use the database.
    fn refusals(&self, library: &Library) -> Vec<Problem> {
        let mut problems: Vec<_> = self.too_new(library).collect();
        for MigrationStatus { name, state, .. } in &self.strangers {
            if *state == MigrationState::Dirty {
                problems.push(Problem::DirtyOfNewer { migration: name.clone() });
            }
        }
        for Entry { script, state, .. } in &self.entries {
            match state {
                MigrationState::Dirty => problems.push(Problem::Dirty { migration: script.name.to_owned() }),
                MigrationState::Pending => problems.push(Problem::Pending { migration: script.name.to_owned() }),
                MigrationState::Applied | MigrationState::Newer(_) => {}
            }
        }
        problems
    }

    fn too_new(&self, library: &Library) -> impl Iterator<Item = Problem> {
        let generation = library.generation;
        self.strangers.iter().filter_map(move |stranger| match stranger.state {
            MigrationState::Newer(oldest) if oldest.is_none_or(|oldest| oldest > generation) => {
                Some(Problem::TooNew { migration: stranger.name.clone(), oldest, generation })
            }
            _ => None,
        })
    }

    /// Refuses a database that this library must not use.
    pub(crate) fn usable(&self, library: &Library, what: &str) -> Result<(), Error> {
        let refusals = self.refusals(library);
        let [first, others @ ..] = &refusals[..] else { return Ok(()) };
        let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
        Err(StoreError::precondition(what, format!("{first}{more}")).into())
    }

    /// Refuses a database that this library must not change.
    pub(crate) fn changeable(&self, library: &Library, what: &str) -> Result<(), Error> {
        if let Some(problem) = self.too_new(library).next() {
            return Err(StoreError::precondition(what, problem).into());
        }
        if let Some(dirty) = self.strangers.iter().find(|stranger| stranger.state == MigrationState::Dirty) {
            let problem = Problem::DirtyOfNewer { migration: dirty.name.clone() };
            return Err(StoreError::precondition(what, problem).into());
        }
        Ok(())
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// The versions of diesel's table.
#[cfg_attr(not(feature = "sqlite"), expect(unused_variables, reason = "only a file may be another program's"))]
fn recorded(conn: &mut Conn<'_>, what: &str) -> Result<Vec<String>, Error> {
    // Asking the harness would create its table: also where it has no place, and as a role that may only read.
    if catalog::has_table(conn, APPLIED)? {
        let table = __diesel_schema_migrations::table.select(__diesel_schema_migrations::version);
        return Ok(on_conn!(conn, c => table.order(__diesel_schema_migrations::version.asc()).load(c))?);
    }
    #[cfg(feature = "sqlite")]
    refuse_others(conn, what)?;
    Ok(Vec::new())
}

/// Refuses a file that has tables, and not those of migrations. In a server's database everything of ours lies in a
/// schema of our own.
#[cfg(feature = "sqlite")]
pub(crate) fn refuse_others(conn: &mut Conn<'_>, what: &str) -> Result<(), Error> {
    if matches!(conn, Conn::Sqlite(_)) && !catalog::has_table(conn, APPLIED)? && !catalog::is_new(conn)? {
        let why = "it is a database of another program; name another file";
        return Err(StoreError::precondition(what, why).into());
    }
    Ok(())
}

fn stranger(mark: Mark) -> MigrationStatus {
    // A number that cannot be ours asks for more than we are.
    let oldest = u32::try_from(mark.oldest).unwrap_or(u32::MAX);
    let state = if mark.dirty { MigrationState::Dirty } else { MigrationState::Newer(Some(oldest)) };
    MigrationStatus { name: mark.name, state, applied_at: Some(mark.applied_at) }
}
