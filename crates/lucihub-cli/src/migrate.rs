//! `lucihub migrate`

use lucihub_cold::migrate::{self, Change, Direction, MigrationPlan, MigrationState};
use lucihub_models_core::StoreError;

use crate::args::{ChangeArgs, DownArgs, MigrateVerb, UndoArgs, Where};
use crate::failure::Failure;
use crate::{confirm, output, place};

/// Does what was typed.
pub(crate) async fn run(verb: MigrateVerb) -> Result<(), Failure> {
    match verb {
        MigrateVerb::Status(place) => status(&place).await,
        MigrateVerb::Up(args) => up(&args).await,
        MigrateVerb::Down(DownArgs { count, undo }) => {
            undo_with(&undo, "migrate down", Change::Down(usize::try_from(count).unwrap_or(usize::MAX))).await
        }
        MigrateVerb::Redo(undo) => undo_with(&undo, "migrate redo", Change::Redo).await,
        MigrateVerb::Check(place) => check(&place).await,
    }
}

/// Prints which migrations the database has.
async fn status(place: &Where) -> Result<(), Failure> {
    let rows = migrate::status(&place::url(place)?).await.map_err(unopened)?.into_iter().map(|migration| {
        let state = match migration.state {
            MigrationState::Pending => "pending".to_owned(),
            MigrationState::Applied => "applied".to_owned(),
            MigrationState::Dirty => "dirty".to_owned(),
            MigrationState::Newer(Some(oldest)) if oldest <= migrate::GENERATION => "newer, compatible".to_owned(),
            MigrationState::Newer(Some(oldest)) => format!("newer, asks for generation {oldest}"),
            _ => "unknown".to_owned(),
        };
        let at = migration.applied_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        vec![migration.name, state, at]
    });
    output::table(&["MIGRATION", "STATUS", "APPLIED"], rows.collect())
}

/// Fails with a list if something is not as it should be.
async fn check(place: &Where) -> Result<(), Failure> {
    let problems = migrate::check(&place::url(place)?).await.map_err(unopened)?;
    if problems.is_empty() {
        output::say("the database has the tables of this version");
        return Ok(());
    }
    problems.iter().try_for_each(|problem| output::line(problem.to_string()))?;
    Err(Failure::Schema(problems.len()))
}

/// Applies what is pending.
async fn up(args: &ChangeArgs) -> Result<(), Failure> {
    let url = place::url(&args.place)?;
    if args.dry_run {
        return show(&migrate::plan(&url, Change::Up).await.map_err(unopened)?);
    }
    done(&migrate::up(&url).await.map_err(unopened)?)
}

/// Undoes what was confirmed.
async fn undo_with(args: &UndoArgs, verb: &'static str, change: Change) -> Result<(), Failure> {
    let url = place::url(&args.change.place)?;
    let plan = migrate::plan(&url, change).await.map_err(unopened)?;
    if args.change.dry_run || plan.steps.is_empty() {
        return show(&plan);
    }
    if !args.yes {
        confirm(&plan, verb)?;
    }
    done(&migrate::as_planned(&url, change, plan).await.map_err(unopened)?)
}

fn done(names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        output::say("there is nothing to do");
    }
    names.iter().try_for_each(output::line)
}

/// Prints what would run, as SQL that can be read and kept.
fn show(plan: &MigrationPlan) -> Result<(), Failure> {
    if plan.steps.is_empty() && plan.preparation.is_empty() {
        output::say("there is nothing to do");
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
    Ok(())
}

/// Says what is lost, and asks whoever sits there.
fn confirm(plan: &MigrationPlan, verb: &'static str) -> Result<(), Failure> {
    if !confirm::can_ask() {
        return Err(Failure::Unconfirmed(verb));
    }
    output::say("This runs, and what it drops is lost:");
    for step in plan.steps.iter().filter(|step| step.direction == Direction::Down) {
        output::say(format!("  {}", step.name));
        let statements = step.sql.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
        statements.for_each(|line| output::say(format!("    {line}")));
    }
    if confirm::is_confirmed()? { Ok(()) } else { Err(Failure::Unconfirmed(verb)) }
}

/// A database of another kind or schema is refused; it is in conflict with nobody.
const fn unopened(error: StoreError) -> Failure {
    Failure::Unopened { error, from: None }
}
