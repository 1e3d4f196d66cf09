//! What a change of the schema would run: the one list that `--dry-run` prints and that is run.

use diesel::migration::CREATE_MIGRATIONS_TABLE;
use lucihub_models_core::StoreError;

use super::catalog;
use super::marks;
use super::script::{Direction, Script};
use super::standing::{Entry, Library, MigrationState, Standing};
use crate::conn::Conn;
use crate::error::Error;

/// What to do with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Apply what is pending, and repeat what was left off amid.
    Up,
    /// Undo so many, the last one first.
    Down(usize),
    /// Undo the last one and apply it again.
    Redo,
}

/// What a [`Change`] runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationPlan {
    /// What makes a place for the migrations' own tables.
    pub preparation: Vec<String>,
    /// The migrations, in order. Rows of their own tables are left out.
    pub steps: Vec<PlannedStep>,
}

/// A migration of a [`MigrationPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// Its name.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Whether its statements run in one transaction, else each by itself.
    pub in_transaction: bool,
    /// What removes the remains of an earlier try.
    pub repair: Vec<String>,
    /// Its statements.
    pub sql: String,
}

/// A migration on its way.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) script: &'static Script,
    pub(crate) direction: Direction,
    /// Whether diesel's table has its version before.
    pub(crate) recorded: bool,
    pub(crate) repair: Vec<String>,
}

/// What is run, in order.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) preparation: Vec<String>,
    /// Applied before there was a table of marks.
    pub(crate) unmarked: Vec<&'static Script>,
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// What a change would run.
    pub(crate) fn of(conn: &mut Conn<'_>, library: &Library, change: Change, what: &str) -> Result<Self, Error> {
        let standing = Standing::read(conn, library, what)?;
        standing.changeable(library, what)?;
        let there = |entry: &&Entry| entry.state != MigrationState::Pending;
        let steps = match change {
            Change::Up => {
                let missing = standing.entries.iter().filter(|entry| entry.state != MigrationState::Applied);
                missing.map(|entry| standing.step(entry, Direction::Up)).collect()
            }
            Change::Down(count) => {
                standing.undoable(what)?;
                let last = standing.entries.iter().rev().filter(there).take(count);
                last.map(|entry| standing.step(entry, Direction::Down)).collect()
            }
            Change::Redo => {
                standing.undoable(what)?;
                standing.nothing_pending(what)?;
                let last = standing.entries.iter().rfind(there);
                let down = last.map(|entry| standing.step(entry, Direction::Down));
                let up = last.map(|entry| Step { recorded: false, ..standing.step(entry, Direction::Up) });
                down.into_iter().chain(up).collect()
            }
        };
        let unmarked = standing.entries.iter().filter(|entry| entry.recorded && entry.mark.is_none());
        Ok(Self {
            preparation: preparation(conn, &standing)?,
            unmarked: unmarked.map(|entry| entry.script).collect(),
            steps,
        })
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.preparation.is_empty() && self.unmarked.is_empty() && self.steps.is_empty()
    }

    /// The part that people look at.
    pub(crate) fn shown(self) -> MigrationPlan {
        let steps = self.steps.iter().map(Step::shown).collect();
        MigrationPlan { preparation: self.preparation, steps }
    }

    /// Refuses to run other migrations than were looked at. What makes a place for them loses nothing.
    pub(crate) fn refuse_unseen(&self, seen: &MigrationPlan, what: &str) -> Result<(), Error> {
        if self.steps.iter().map(Step::shown).eq(seen.steps.iter().cloned()) {
            return Ok(());
        }
        let now = listed(self.steps.iter().map(|step| (step.script.name, step.direction)));
        let then = listed(seen.steps.iter().map(|step| (&*step.name, step.direction)));
        let why = if now == then {
            format!("the statements of {now} are others than when it was looked at; look again")
        } else {
            format!(
                "somebody migrated meanwhile: this would run {now}, and what was looked at is {then}; nothing was \
                 changed, look again"
            )
        };
        Err(StoreError::precondition(what, why).into())
    }
}

impl Step {
    fn shown(&self) -> PlannedStep {
        PlannedStep {
            name: self.script.name.to_owned(),
            direction: self.direction,
            in_transaction: self.script.in_transaction,
            repair: self.repair.clone(),
            sql: self.script.sql(self.direction).to_owned(),
        }
    }
}

fn listed<'a>(steps: impl Iterator<Item = (&'a str, Direction)>) -> String {
    let steps: Vec<_> = steps.map(|(name, direction)| format!("{name} ({direction})")).collect();
    if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") }
}

impl Standing {
    fn step(&self, entry: &Entry, direction: Direction) -> Step {
        // A failed CREATE INDEX CONCURRENTLY leaves its index behind, which `IF NOT EXISTS` would take for made.
        let left_off = entry.state == MigrationState::Dirty && direction == Direction::Up;
        let mine = self.invalid_indexes.iter().filter(|index| left_off && names(entry.script.up, index));
        let repair = mine.map(|index| format!("DROP INDEX CONCURRENTLY IF EXISTS \"{index}\";\n")).collect();
        Step { script: entry.script, direction, recorded: entry.recorded, repair }
    }

    /// Refuses to take away what newer migrations stand on.
    fn undoable(&self, what: &str) -> Result<(), Error> {
        let Some(stranger) = self.strangers.last() else { return Ok(()) };
        let why = format!(
            "migration {} of a newer version stands above; undo that one first, by that version",
            stranger.name
        );
        Err(StoreError::precondition(what, why).into())
    }

    /// Refuses where the last one that was applied is not the last one: undoing it would undo another than is meant.
    fn nothing_pending(&self, what: &str) -> Result<(), Error> {
        let count = self.entries.iter().filter(|entry| entry.state == MigrationState::Pending).count();
        let are = match count {
            0 => return Ok(()),
            1 => "1 migration is".to_owned(),
            more => format!("{more} migrations are"),
        };
        Err(StoreError::precondition(what, format!("{are} pending; run `lucihub migrate up` first")).into())
    }
}

/// Whether a script has a word.
fn names(sql: &str, word: &str) -> bool {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

fn preparation(conn: &mut Conn<'_>, standing: &Standing) -> Result<Vec<String>, Error> {
    let mut statements = Vec::new();
    if standing.has_marks {
        return Ok(statements);
    }
    #[cfg(feature = "postgres")]
    if matches!(conn, Conn::Postgres(_)) && catalog::is_new(conn)? {
        statements.push(format!("CREATE SCHEMA {};\n", crate::postgres::SCHEMA));
    }
    if !catalog::has_table(conn, super::standing::APPLIED)? {
        statements.push(CREATE_MIGRATIONS_TABLE.to_owned());
    }
    statements.push(marks::creation(conn).to_owned());
    Ok(statements)
}
