//! A connection to any of the databases, and the one way to write a query for all of them.

use diesel::SqliteConnection;

/// A connection inside a transaction.
pub(crate) enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
}

/// Runs an expression with the connection inside a [`Conn`]: `on_conn!(conn, c => query.execute(c))`.
///
/// The expression is written once and compiled for each database; traits with
/// diesel's connections as parameters would need pages of bounds instead.
macro_rules! on_conn {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::conn::Conn::Sqlite(inner) => {
                let $c: &mut diesel::SqliteConnection = inner;
                $body
            }
        }
    };
}

pub(crate) use on_conn;
