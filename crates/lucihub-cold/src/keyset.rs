//! Conditions of a walk that the query builder lacks: the place where a page begins, and a column left to the walk.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Nullable};
use lucihub_models_core::{Order, RunId, Timestamp};

use crate::schema::runs;
use crate::types::{DbText, DbTime, DbUuid, Id, Time};

/// `(created_at, id) < (?, ?)`, or `>` from the oldest run on.
///
/// Compared as a row the place is one search in an index; the same written with
/// AND and OR makes databases walk all that comes before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyset {
    operator: &'static str,
    created_at: Time,
    id: Id,
}

impl Keyset {
    /// All runs that come after one, in an order.
    pub(crate) const fn after(order: Order, created_at: Timestamp, id: RunId) -> Self {
        let operator = match order {
            Order::Newest => " < ",
            Order::Oldest => " > ",
        };
        Self { operator, created_at: Time(created_at), id: Id(id) }
    }
}

impl Expression for Keyset {
    type SqlType = Bool;
}

impl AppearsOnTable<runs::table> for Keyset {}
impl SelectableExpression<runs::table> for Keyset {}

impl<G> ValidGrouping<G> for Keyset {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for Keyset {
    type QueryId = ();

    // The operator is a value: two of these may be two statements.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for Keyset
where
    DB: Backend + HasSqlType<DbTime> + HasSqlType<DbUuid>,
    Time: ToSql<DbTime, DB>,
    Id: ToSql<DbUuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        out.push_identifier("created_at")?;
        out.push_sql(", ");
        out.push_identifier("id")?;
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

/// A column of words that no index is searched by.
///
/// With nothing appended a column is no longer one that an index begins with: which index is walked is decided in
/// `list`, not guessed by a planner that would rather sort.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct Unindexed<C>(pub(crate) C);

impl<C: Expression> Expression for Unindexed<C> {
    type SqlType = Nullable<DbText>;
}

impl<C: AppearsOnTable<runs::table>> AppearsOnTable<runs::table> for Unindexed<C> where Self: Expression {}
impl<C: SelectableExpression<runs::table>> SelectableExpression<runs::table> for Unindexed<C> where
    Self: AppearsOnTable<runs::table>
{
}

impl<C, G> ValidGrouping<G> for Unindexed<C> {
    type IsAggregate = is_aggregate::No;
}

impl<DB: Backend, C: QueryFragment<DB>> QueryFragment<DB> for Unindexed<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" || '')");
        Ok(())
    }
}
