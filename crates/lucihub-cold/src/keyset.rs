//! The place in a list of runs where a page begins, as one comparison of rows.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType};
use lucihub_models_core::{Order, RunId, Timestamp};

use crate::schema::runs;
use crate::types::{DbTime, DbUuid, Id, Time};

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
