//! A database and the migrations of a library, joined. All of it blocks.

use lucihub_models_core::Invalid;

#[cfg(feature = "sqlite")]
use super::catalog;
use super::plan::{Change, MigrationPlan, Plan};
use super::problem::Problem;
use super::run;
use super::script;
use super::standing::{Library, MigrationStatus, Standing};
use super::{GENERATION, no_such_database};
use crate::conn::Conn;
use crate::error::Error;

/// What is migrated, and to what.
#[derive(Debug, Clone)]
pub(crate) struct Migrator {
    pub(crate) target: Target,
    pub(crate) library: Library,
}

/// Where the database is.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    #[cfg(feature = "sqlite")]
    Sqlite(Box<crate::sqlite::SqliteOptions>),
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::PostgresOptions>),
}

#[cfg(feature = "sqlite")]
impl From<&crate::sqlite::SqliteOptions> for Migrator {
    fn from(options: &crate::sqlite::SqliteOptions) -> Self {
        let library = Library { generation: GENERATION, scripts: script::SQLITE };
        Self { target: Target::Sqlite(Box::new(options.clone())), library }
    }
}

#[cfg(feature = "postgres")]
impl From<&crate::postgres::PostgresOptions> for Migrator {
    fn from(options: &crate::postgres::PostgresOptions) -> Self {
        let library = Library { generation: GENERATION, scripts: script::POSTGRES };
        Self { target: Target::Postgres(Box::new(options.clone())), library }
    }
}

impl Migrator {
    /// The database of a URL, and what this library brings.
    pub(crate) fn of_url(url: &str) -> Result<Self, Invalid> {
        #[cfg(feature = "postgres")]
        if crate::postgres::is_postgres(url) {
            return Ok(Self::from(&crate::postgres::PostgresOptions::url(url)?));
        }
        #[cfg(feature = "sqlite")]
        if url.starts_with("sqlite:") {
            return Ok(Self::from(&crate::sqlite::SqliteOptions::url(url)?));
        }
        Err(no_such_database())
    }

    /// How messages name the database.
    pub(crate) fn shown(&self) -> String {
        match &self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(options) => crate::sqlite::file::display(options),
            #[cfg(feature = "postgres")]
            Target::Postgres(options) => options.shown(),
        }
    }

    pub(crate) fn status(&self) -> Result<Vec<MigrationStatus>, Error> {
        self.look(|conn, what| Ok(Standing::read(conn, &self.library, what)?.status()))
    }

    pub(crate) fn check(&self) -> Result<Vec<Problem>, Error> {
        self.look(|conn, what| Ok(Standing::read(conn, &self.library, what)?.problems(&self.library)))
    }

    pub(crate) fn plan(&self, change: Change) -> Result<MigrationPlan, Error> {
        let plan = |conn: &mut Conn<'_>, what: &str| Plan::of(conn, &self.library, change, what);
        #[cfg(feature = "sqlite")]
        if let Target::Sqlite(options) = &self.target
            && change == Change::Up
            && !options.path.exists()
        {
            return Ok(crate::sqlite::file::imagine(plan)?.shown());
        }
        Ok(self.look(plan)?.shown())
    }

    pub(crate) fn change(&self, change: Change) -> Result<Vec<String>, Error> {
        self.alone(|conn, what| self.changed(conn, change, None, what))
    }

    /// Changes what was looked at, and nothing else.
    pub(crate) fn change_as_planned(&self, change: Change, seen: &MigrationPlan) -> Result<Vec<String>, Error> {
        self.alone(|conn, what| self.changed(conn, change, Some(seen), what))
    }

    /// Makes a database ready to be used: its schema is one that this library may use, or is brought there where that
    /// is wanted or the database is a new file.
    pub(crate) fn prepare(&self, migrate: bool) -> Result<(), Error> {
        let usable =
            |conn: &mut Conn<'_>, what: &str| Standing::read(conn, &self.library, what)?.usable(&self.library, what);
        let ready = |conn: &mut Conn<'_>, what: &str, migrate: bool| {
            // Whoever finds all of it done need not own it.
            if migrate && !Plan::of(conn, &self.library, Change::Up, what)?.is_empty() {
                self.changed(conn, Change::Up, None, what)?;
            }
            usable(conn, what)
        };
        match &self.target {
            // One transaction for all of it, so that a file is new to one starter alone.
            #[cfg(feature = "sqlite")]
            Target::Sqlite(_) => self.alone(|conn, what| {
                let new = catalog::is_new(conn)?;
                ready(conn, what, migrate || new)
            }),
            #[cfg(feature = "postgres")]
            Target::Postgres(_) if !migrate => self.look(usable),
            #[cfg(feature = "postgres")]
            Target::Postgres(_) => self.alone(|conn, what| ready(conn, what, true)),
        }
    }

    fn changed(
        &self,
        conn: &mut Conn<'_>,
        change: Change,
        seen: Option<&MigrationPlan>,
        what: &str,
    ) -> Result<Vec<String>, Error> {
        // Before anything is looked at: what is another role's cannot be.
        match conn {
            #[cfg(feature = "sqlite")]
            Conn::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Conn::Postgres(conn) => crate::postgres::act_as_owner(conn, what)?,
        }
        let plan = Plan::of(conn, &self.library, change, what)?;
        if let Some(seen) = seen {
            plan.refuse_unseen(seen, what)?;
        }
        run::run(conn, &plan, what)
    }

    /// Looks at a database, which is named to the work.
    fn look<T>(&self, work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>) -> Result<T, Error> {
        match &self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(options) => crate::sqlite::file::look(options, work),
            #[cfg(feature = "postgres")]
            Target::Postgres(options) => crate::postgres::look(options, work),
        }
    }

    /// Works on the schema while nobody else does.
    fn alone<T>(&self, work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>) -> Result<T, Error> {
        match &self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(options) => crate::sqlite::file::alone(options, work),
            #[cfg(feature = "postgres")]
            Target::Postgres(options) => crate::postgres::alone(options, work),
        }
    }
}
