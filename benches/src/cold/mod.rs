//! Cold storage on SQLite and PostgreSQL, beside the same database without us.
//!
//! | file | what is there |
//! | --- | --- |
//! | `lists.rs` | pages of long lists, and searches with a total |
//! | `runs.rs` | the typical run, in and out |
//! | `long.rs` | windows and envelopes of one long channel |
//! | `sqlite.rs`, `postgres.rs`, `bare.rs` | the databases, and what only one of them has to show |

mod bare;
mod lists;
mod long;
pub(crate) mod postgres;
mod runs;
pub(crate) mod sqlite;

use std::sync::Arc;

use anyhow::{Context, Result};
use lucihub_models_core::RunId;
use lucihub_models_core::cold::ColdStore;

use crate::lab::Lab;
use crate::measure::Figures;
use crate::plain::{Encoded, RawRun};

/// A database without us: the same rows, the same settings, and nothing else.
pub(crate) trait Side {
    /// Copies the only run so many times, a step of microseconds apart; owners take turns by ten.
    fn fill(&mut self, runs: usize, step: u64) -> Result<()>;

    /// A page of runs created before a time, newest first, of one owner or of all. Returns how many.
    fn page(&mut self, owner: Option<&str>, before: i64, limit: i64) -> Result<usize>;

    /// How many runs an owner has.
    fn total(&mut self, owner: &str) -> Result<i64>;

    /// All bytes of an archived run.
    fn encoded(&mut self, run: RunId) -> Result<Vec<Encoded>>;

    /// Puts such bytes in, in as many transactions as archiving has.
    fn insert(&mut self, run: i64, rows: &[Encoded]) -> Result<()>;

    /// Puts a run in as one row, its samples as they are.
    fn insert_raw(&mut self, run: &RawRun, storage: RawStorage) -> Result<()>;

    /// The samples of some cells of a channel, decoded by pco alone.
    fn samples(&mut self, run: RunId, channel: u32, cells: std::ops::Range<i64>) -> Result<Vec<Vec<f64>>>;

    /// Reads the rows that an envelope reads. Returns how many.
    fn summaries(&mut self, run: RunId, channel: u32) -> Result<usize>;

    /// Once there is much in it: what its server does by itself in time.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }
}

/// How a database keeps the bytes of such a row, where it has a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawStorage {
    /// As it does when nothing is said: PostgreSQL tries to compress them.
    Default,
    /// As they are.
    Uncompressed,
}

/// A database of its own: ours, and the same without us.
pub(crate) struct Place {
    pub(crate) cold: Arc<dyn ColdStore>,
    pub(crate) side: Box<dyn Side>,
}

/// What makes such databases.
pub(crate) trait Engine {
    /// Its part in the names of figures.
    fn name(&self) -> &'static str;

    /// A new one, named in its files.
    fn place(&self, lab: &Lab, name: &str) -> Result<Place>;

    /// A new database for a peer, named in its files, as `SQLAlchemy` names it.
    fn peer_database(&self, lab: &Lab, name: &str) -> Result<String>;

    /// Measures what only this one has to show.
    fn own(&self, lab: &Lab, figures: &mut Figures) -> Result<()>;
}

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    one(lab, &sqlite::Files, figures).context("SQLite")?;
    // A server is started only for those who want to see one.
    if figures.wants_any_of("cold.postgres.") {
        one(lab, &postgres::Server::start(), figures).context("PostgreSQL")?;
    }
    Ok(())
}

fn one(lab: &Lab, engine: &dyn Engine, figures: &mut Figures) -> Result<()> {
    runs::measure(lab, engine, figures)?;
    long::measure(lab, engine, figures)?;
    lists::measure(lab, engine, figures)?;
    engine.own(lab, figures)
}

/// The name of a figure.
fn figure(engine: &dyn Engine, what: &str) -> String {
    format!("cold.{}.{what}", engine.name())
}
