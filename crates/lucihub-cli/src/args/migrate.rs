//! What can be typed after `lucihub migrate`.

use clap::{Args, Subcommand};

use super::Where;

/// `lucihub migrate ...`
#[derive(Debug, Subcommand)]
pub(crate) enum MigrateVerb {
    /// Say which migrations the database has.
    #[command(
        after_help = "Examples:\n  lucihub migrate status\n  lucihub migrate status --dir /var/lib/lucihub\n  lucihub migrate status --json"
    )]
    Status(LookArgs),
    /// Apply what is pending, and repeat what was left off amid; make the file if it is not there.
    #[command(after_help = UP)]
    Up(ChangeArgs),
    /// Undo the last migrations. What stands in the tables and columns that they made is lost.
    #[command(after_help = DOWN)]
    Down(DownArgs),
    /// Undo the last migration and apply it again. What stands in the tables and columns that it made is lost.
    #[command(after_help = "Examples:\n  lucihub migrate redo --dry-run\n  lucihub migrate redo --yes")]
    Redo(UndoArgs),
    /// Fail with a list if something is not as it should be: migrations that are pending, dirty, changed after they
    /// were applied, or too new for this version, and indexes that are INVALID.
    #[command(
        after_help = "Examples:\n  lucihub migrate check --dir /var/lib/lucihub\n  lucihub migrate check && systemctl restart lucihub"
    )]
    Check(LookArgs),
}

/// `lucihub migrate status`, `lucihub migrate check`
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

const UP: &str = "\
Any number may run this at once: one migrates, the others find it done.

Examples:
  lucihub migrate up
  lucihub migrate up --dry-run
  DATABASE_URL=postgres://lucihub_migrator:PASSWORD@db.lab/lucihub lucihub migrate up";

const DOWN: &str = "\
Asks before it begins; off a terminal it wants --yes.

Examples:
  lucihub migrate down --dry-run
  lucihub migrate down
  lucihub migrate down 2 --yes";

/// `lucihub migrate up`
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Print the SQL that would run, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What loses something.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// `lucihub migrate down`
#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// How many.
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    #[command(flatten)]
    pub(crate) undo: UndoArgs,
}
