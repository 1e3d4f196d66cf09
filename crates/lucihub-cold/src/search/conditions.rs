//! Conditions on rows of `runs`, written once for every database.
//!
//! The query builder has no comparison of rows, and one list of conditions serves walks, reads by id and counts alike.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
#[cfg(feature = "postgres")]
use diesel::sql_types::Array;
use diesel::sql_types::{Bool, HasSqlType};
use lucihub_models_core::{Order, RunId, Timestamp};

use crate::schema::{run_tags, runs};
use crate::types::{DbText, DbTime, DbUuid, Free, Id, Time};

/// A column that runs are filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Device,
    Owner,
    State,
    JobType,
    DeviceType,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Owner => "owner",
            Self::State => "state",
            Self::JobType => "job_type",
            Self::DeviceType => "device_type",
        }
    }
}

/// A place in a list of runs.
///
/// Compared as a row, `(created_at, id) < (?, ?)`, it is one search in an index; the same written with AND and OR makes
/// databases walk all that comes before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    operator: &'static str,
    created_at: Time,
    id: Id,
}

impl Bound {
    /// All that comes after a run, in an order.
    pub(crate) const fn after(order: Order, created_at: Timestamp, id: RunId) -> Self {
        let operator = match order {
            Order::Newest => " < ",
            Order::Oldest => " > ",
        };
        Self { operator, created_at: Time(created_at), id: Id(id) }
    }

    /// All that comes before a run, in an order.
    pub(super) const fn before(order: Order, created_at: Timestamp, id: RunId) -> Self {
        let opposite = match order {
            Order::Newest => Order::Oldest,
            Order::Oldest => Order::Newest,
        };
        Self::after(opposite, created_at, id)
    }

    /// All that was created then or later.
    pub(super) fn from(created: Timestamp) -> Self {
        Self { operator: " >= ", created_at: Time(created), id: Id(RunId::from_uuid(uuid::Uuid::nil())) }
    }

    /// All that was created then or earlier.
    pub(super) fn to(created: Timestamp) -> Self {
        Self { operator: " <= ", created_at: Time(created), id: Id(RunId::from_uuid(uuid::Uuid::max())) }
    }
}

/// What is asked of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Nothing: what the index of all runs in PostgreSQL wants to hear.
    Any,
    /// The column that an index is walked along.
    Is(Column, Free),
    /// A column beside it.
    Among(Column, Vec<Free>),
    /// A tag of the run, looked for beside a walk.
    Tagged { kind: Free, name: Free, values: Vec<Free> },
    /// The same where runs are counted and not walked: they are found by the tag.
    Found { kind: Free, name: Free, values: Vec<Free> },
    /// The run itself.
    Ids(Vec<Id>),
    /// A place among all.
    At(Bound),
}

/// Conditions that all hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct All<'a>(pub(super) &'a [Condition]);

impl Expression for All<'_> {
    type SqlType = Bool;
}

impl AppearsOnTable<runs::table> for All<'_> {}
impl SelectableExpression<runs::table> for All<'_> {}

impl<G> ValidGrouping<G> for All<'_> {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for All<'_> {
    type QueryId = ();

    // What the conditions are is a value: two of these may be two statements.
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A database that has our types, and how many values are written there.
pub(super) trait Ours: Backend + HasSqlType<DbText> + HasSqlType<DbTime> + HasSqlType<DbUuid> {
    /// What was written last is one of these texts.
    fn one_of_texts<'b>(out: &mut AstPass<'_, 'b, Self>, texts: &'b [Free]) -> QueryResult<()>;

    /// What was written last is one of these ids.
    fn one_of_ids<'b>(out: &mut AstPass<'_, 'b, Self>, ids: &'b [Id]) -> QueryResult<()>;
}

#[cfg(feature = "sqlite")]
impl Ours for diesel::sqlite::Sqlite {
    fn one_of_texts<'b>(out: &mut AstPass<'_, 'b, Self>, texts: &'b [Free]) -> QueryResult<()> {
        one_by_one::<DbText, _, _>(out, texts)
    }

    fn one_of_ids<'b>(out: &mut AstPass<'_, 'b, Self>, ids: &'b [Id]) -> QueryResult<()> {
        one_by_one::<DbUuid, _, _>(out, ids)
    }
}

/// All of them are one value there: one statement, however many they are.
#[cfg(feature = "postgres")]
impl Ours for diesel::pg::Pg {
    fn one_of_texts<'b>(out: &mut AstPass<'_, 'b, Self>, texts: &'b [Free]) -> QueryResult<()> {
        at_once::<DbText, _>(out, texts)
    }

    fn one_of_ids<'b>(out: &mut AstPass<'_, 'b, Self>, ids: &'b [Id]) -> QueryResult<()> {
        at_once::<DbUuid, _>(out, ids)
    }
}

impl<DB: Ours> QueryFragment<DB> for All<'_>
where
    Free: ToSql<DbText, DB>,
    Time: ToSql<DbTime, DB>,
    Id: ToSql<DbUuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.0.is_empty() {
            out.push_sql("1 = 1");
        }
        for (n, condition) in self.0.iter().enumerate() {
            if n > 0 {
                out.push_sql(" AND ");
            }
            condition.walk_ast(out.reborrow())?;
        }
        Ok(())
    }
}

impl<DB: Ours> QueryFragment<DB> for Condition
where
    Free: ToSql<DbText, DB>,
    Time: ToSql<DbTime, DB>,
    Id: ToSql<DbUuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match self {
            Self::Any => {
                out.push_identifier("state_count")?;
                out.push_sql(" >= 0");
                Ok(())
            }
            Self::Is(column, value) => {
                out.push_identifier(column.name())?;
                out.push_sql(" = ");
                out.push_bind_param::<DbText, _>(value)
            }
            Self::Among(column, values) => {
                // With nothing appended a column is no longer one that an index begins with: which index is walked is
                // decided here, not guessed by a planner that would rather sort.
                out.push_sql("(");
                out.push_identifier(column.name())?;
                out.push_sql(" || '')");
                DB::one_of_texts(&mut out, values)
            }
            Self::Tagged { kind, name, values } => {
                out.push_sql("EXISTS (SELECT 1 FROM run_tags WHERE run_tags.kind = ");
                out.push_bind_param::<DbText, _>(kind)?;
                out.push_sql(" AND run_tags.name = ");
                out.push_bind_param::<DbText, _>(name)?;
                out.push_sql(
                    " AND run_tags.created_at = runs.created_at AND run_tags.run = runs.id AND run_tags.value",
                );
                DB::one_of_texts(&mut out, values)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Found { kind, name, values } => {
                out.push_sql("runs.id IN (SELECT run_tags.run FROM run_tags WHERE run_tags.kind = ");
                out.push_bind_param::<DbText, _>(kind)?;
                out.push_sql(" AND run_tags.name = ");
                out.push_bind_param::<DbText, _>(name)?;
                out.push_sql(" AND run_tags.value");
                DB::one_of_texts(&mut out, values)?;
                out.push_sql(")");
                Ok(())
            }
            // No database takes an empty list.
            Self::Ids(ids) if ids.is_empty() => {
                out.push_sql("1 = 0");
                Ok(())
            }
            Self::Ids(ids) => {
                out.push_identifier("id")?;
                DB::one_of_ids(&mut out, ids)
            }
            Self::At(bound) => bound.row("id", out),
        }
    }
}

impl Bound {
    /// The comparison, with the name of the column that holds the run's id.
    fn row<'b, DB: Ours>(&'b self, id: &str, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        Time: ToSql<DbTime, DB>,
        Id: ToSql<DbUuid, DB>,
    {
        out.push_sql("(");
        out.push_identifier("created_at")?;
        out.push_sql(", ");
        out.push_identifier(id)?;
        out.push_sql(")");
        out.push_sql(self.operator);
        out.push_sql("(");
        out.push_bind_param::<DbTime, _>(&self.created_at)?;
        out.push_sql(", ");
        out.push_bind_param::<DbUuid, _>(&self.id)?;
        out.push_sql(")");
        Ok(())
    }
}

#[cfg(feature = "sqlite")]
fn one_by_one<'b, T, U, DB>(out: &mut AstPass<'_, 'b, DB>, items: &'b [U]) -> QueryResult<()>
where
    DB: Backend + HasSqlType<T>,
    U: ToSql<T, DB>,
{
    if items.len() > 1 {
        // Another statement for each length: a connection would keep them all.
        out.unsafe_to_cache_prepared();
    }
    out.push_sql(" IN (");
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push_sql(", ");
        }
        out.push_bind_param::<T, _>(item)?;
    }
    out.push_sql(")");
    Ok(())
}

#[cfg(feature = "postgres")]
fn at_once<'b, T: 'static, U>(out: &mut AstPass<'_, 'b, diesel::pg::Pg>, items: &'b [U]) -> QueryResult<()>
where
    diesel::pg::Pg: HasSqlType<Array<T>>,
    [U]: ToSql<Array<T>, diesel::pg::Pg>,
{
    out.push_sql(" = ANY(");
    out.push_bind_param::<Array<T>, _>(items)?;
    out.push_sql(")");
    Ok(())
}

/// Places among the rows of `run_tags`, all of which hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within<'a>(pub(super) &'a [Bound]);

impl Expression for Within<'_> {
    type SqlType = Bool;
}

impl AppearsOnTable<run_tags::table> for Within<'_> {}
impl SelectableExpression<run_tags::table> for Within<'_> {}

impl<G> ValidGrouping<G> for Within<'_> {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for Within<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Ours> QueryFragment<DB> for Within<'_>
where
    Time: ToSql<DbTime, DB>,
    Id: ToSql<DbUuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.0.is_empty() {
            out.push_sql("1 = 1");
        }
        for (n, bound) in self.0.iter().enumerate() {
            if n > 0 {
                out.push_sql(" AND ");
            }
            bound.row("run", out.reborrow())?;
        }
        Ok(())
    }
}
