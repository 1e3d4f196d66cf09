//! So many rows of a query at most.
//!
//! SQLite looks at the number of a plain `LIMIT ?` while it plans, and so plans the statement anew whenever a number is bound
//! there: a third of the time of a short page. At that of an expression it does not look. The query builder's own `limit`
//! and `first` are plain, so they are for PostgreSQL alone; one row by its key needs neither.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType};
use diesel::{Connection, RunQueryDsl};

/// A query with its limit.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct AtMost<Q> {
    query: Q,
    rows: i64,
    skipped: i64,
}

/// Limits a query.
pub(crate) trait AtMostDsl: Sized {
    /// So many of its rows.
    fn at_most(self, rows: usize) -> AtMost<Self>;
}

impl<Q: Query> AtMostDsl for Q {
    fn at_most(self, rows: usize) -> AtMost<Self> {
        AtMost { query: self, rows: whole(rows), skipped: 0 }
    }
}

impl<Q> AtMost<Q> {
    /// So many after the first ones, which are passed over.
    pub(crate) fn after_first(self, skipped: usize) -> Self {
        Self { skipped: whole(skipped), ..self }
    }
}

/// A number of rows, as databases take it.
fn whole(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl<Q: Query> Query for AtMost<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C: Connection> RunQueryDsl<C> for AtMost<Q> {}

impl<Q, DB> QueryFragment<DB> for AtMost<Q>
where
    Q: QueryFragment<DB>,
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT (");
        out.push_bind_param::<BigInt, _>(&self.rows)?;
        out.push_sql(" + 0) OFFSET ");
        out.push_bind_param::<BigInt, _>(&self.skipped)
    }
}
