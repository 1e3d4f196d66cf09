//! `lucihub migrate`

use lucihub_cold::migrate::{self, Change, Direction, MigrationPlan, MigrationState, MigrationStatus, Problem};
use lucihub_models_core::{StoreError, Timestamp};
use serde::Serialize;

use crate::args::{ChangeArgs, DownArgs, LookArgs, MigrateVerb, UndoArgs};
use crate::failure::Failure;
use crate::{confirm, output, place};

/// Does what was typed.
pub(crate) async fn run(verb: MigrateVerb) -> Result<(), Failure> {
    match verb {
        MigrateVerb::Status(args) => status(&args).await,
        MigrateVerb::Up(args) => up(&args).await,
        MigrateVerb::Down(DownArgs { count, undo }) => {
            undo_with(&undo, "migrate down", Change::Down(usize::try_from(count).unwrap_or(usize::MAX))).await
        }
        MigrateVerb::Redo(undo) => undo_with(&undo, "migrate redo", Change::Redo).await,
        MigrateVerb::Check(args) => check(&args).await,
    }
}

/// What `status --json` prints.
#[derive(Serialize)]
struct Status {
    database: String,
    migrations: Vec<Migration>,
}

#[derive(Serialize)]
struct Migration {
    name: String,
    state: &'static str,
    /// Of a newer one: the oldest generation that may still use the schema.
    oldest_generation: Option<u32>,
    applied_at: Option<Timestamp>,
}

/// What `check --json` prints.
#[derive(Serialize)]
struct Check {
    database: String,
    ok: bool,
    problems: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    kind: &'static str,
    refuses_opening: bool,
    text: String,
}

impl From<MigrationStatus> for Migration {
    fn from(status: MigrationStatus) -> Self {
        let (state, oldest_generation) = match status.state {
            MigrationState::Pending => ("pending", None),
            MigrationState::Applied => ("applied", None),
            MigrationState::Dirty => ("dirty", None),
            MigrationState::Newer(Some(oldest)) => ("newer", Some(oldest)),
            _ => ("unknown", None),
        };
        Self { name: status.name, state, oldest_generation, applied_at: status.applied_at }
    }
}

impl Migration {
    fn row(self) -> Vec<String> {
        let state = match self.oldest_generation {
            None => self.state.to_owned(),
            Some(oldest) if oldest <= migrate::GENERATION => "newer, compatible".to_owned(),
            Some(oldest) => format!("newer, asks for generation {oldest}"),
        };
        let at = self.applied_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        vec![self.name, state, at]
    }
}

impl From<&Problem> for Found {
    fn from(problem: &Problem) -> Self {
        let kind = match problem {
            Problem::Pending { .. } => "pending",
            Problem::Dirty { .. } | Problem::DirtyOfNewer { .. } => "dirty",
            Problem::TooNew { .. } => "too_new",
            Problem::Changed { .. } => "changed",
            Problem::InvalidIndex { .. } => "invalid_index",
            _ => "other",
        };
        Self { kind, refuses_opening: problem.refuses_opening(), text: problem.to_string() }
    }
}

/// Prints which migrations the database has.
async fn status(args: &LookArgs) -> Result<(), Failure> {
    let url = place::url(&args.place)?;
    let migrations = migrate::status(&url).await.map_err(unopened)?.into_iter().map(Migration::from);
    if args.json {
        return output::json(&Status { database: named(&url)?, migrations: migrations.collect() });
    }
    output::table(&["MIGRATION", "STATUS", "APPLIED"], migrations.map(Migration::row).collect())
}

/// Fails with a list if something is not as it should be.
async fn check(args: &LookArgs) -> Result<(), Failure> {
    let url = place::url(&args.place)?;
    let (problems, database) = (migrate::check(&url).await.map_err(unopened)?, named(&url)?);
    if args.json {
        let found = problems.iter().map(Found::from).collect();
        output::json(&Check { database, ok: problems.is_empty(), problems: found })?;
    } else if problems.is_empty() {
        output::say(format!("{database}: it has the tables of this version"));
    } else {
        problems.iter().try_for_each(|problem| output::line(problem.to_string()))?;
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Schema(problems.len())) }
}

/// Applies what is pending.
async fn up(args: &ChangeArgs) -> Result<(), Failure> {
    let url = place::url(&args.place)?;
    if args.dry_run {
        return show(&migrate::plan(&url, Change::Up).await.map_err(unopened)?, &named(&url)?);
    }
    done(&migrate::up(&url).await.map_err(unopened)?, Change::Up, &named(&url)?)?;
    // Nobody else looks at these, and nothing fails for them.
    let problems = migrate::check(&url).await.map_err(unopened)?;
    for changed in problems.iter().filter(|problem| matches!(problem, Problem::Changed { .. })) {
        output::say(format!("warning: {changed}"));
    }
    Ok(())
}

/// Undoes what was confirmed.
async fn undo_with(args: &UndoArgs, verb: &'static str, change: Change) -> Result<(), Failure> {
    let url = place::url(&args.change.place)?;
    let (plan, database) = (migrate::plan(&url, change).await.map_err(unopened)?, named(&url)?);
    if args.change.dry_run || plan.steps.is_empty() {
        return show(&plan, &database);
    }
    if !args.yes {
        confirm(&plan, verb, &database)?;
    }
    done(&migrate::as_planned(&url, change, plan).await.map_err(unopened)?, change, &database)
}

/// Says what was done, and where.
fn done(names: &[String], change: Change, database: &str) -> Result<(), Failure> {
    if names.is_empty() {
        output::say(format!("{database}: nothing to do"));
        return Ok(());
    }
    let undone = match change {
        Change::Up => 0,
        Change::Redo => names.len() / 2,
        _ => names.len(),
    };
    for (n, name) in names.iter().enumerate() {
        output::line(format!("{} {name}", if n < undone { "undone" } else { "applied" }))?;
    }
    let what = match change {
        Change::Up => "applied",
        Change::Redo => "undone and applied again",
        _ => "undone",
    };
    let count = undone.max(names.len() - undone) as u64;
    output::say(format!("{database}: {} {what}", output::counted(count, "migration", "migrations")));
    Ok(())
}

/// Prints what would run, as SQL that can be read and kept.
fn show(plan: &MigrationPlan, database: &str) -> Result<(), Failure> {
    if plan.steps.is_empty() && plan.preparation.is_empty() {
        output::say(format!("{database}: nothing to do"));
        return Ok(());
    }
    if !plan.preparation.is_empty() {
        output::line("-- the migrations' own tables")?;
        plan.preparation.iter().try_for_each(|sql| output::line(sql.trim_end()))?;
    }
    for step in &plan.steps {
        let how = if step.in_transaction { "in a transaction" } else { "each statement by itself" };
        output::line(format!("-- {} {}, {how}", step.name, step.direction))?;
        step.repair.iter().try_for_each(|sql| output::line(sql.trim_end()))?;
        output::line(step.sql.trim_end())?;
    }
    output::say(format!("{database}: this would run; nothing was changed"));
    Ok(())
}

/// Says what is lost, and asks whoever sits there.
fn confirm(plan: &MigrationPlan, verb: &'static str, database: &str) -> Result<(), Failure> {
    if !confirm::can_ask() {
        return Err(Failure::Unconfirmed(verb));
    }
    output::say(format!("{database}: this runs, and what it drops is lost:"));
    for step in plan.steps.iter().filter(|step| step.direction == Direction::Down) {
        output::say(format!("  {}", step.name));
        let statements = step.sql.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
        statements.for_each(|line| output::say(format!("    {line}")));
    }
    if confirm::is_confirmed()? { Ok(()) } else { Err(Failure::Declined) }
}

/// How messages name the database: without user and password.
fn named(url: &str) -> Result<String, Failure> {
    migrate::shown(url).map(|shown| output::one_line(&shown)).map_err(unopened)
}

/// A database of another kind or schema is refused; it is in conflict with nobody.
const fn unopened(error: StoreError) -> Failure {
    Failure::Unopened { error, from: None }
}
