//! A connection to any of the databases, and the one way to write a query for all of them.

/// A connection, inside a transaction where there is more than one statement.
pub(crate) enum Conn<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut diesel::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(&'a mut crate::postgres::link::PgConn),
}

impl Conn<'_> {
    /// Whether it is one to PostgreSQL, for the few things that differ.
    pub(crate) const fn is_postgres(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
        }
    }
}

/// Runs an expression with the connection inside a [`Conn`]: `on_conn!(conn, c => query.execute(c))`.
///
/// The expression is written once and compiled for each database; traits with
/// diesel's connections as parameters would need pages of bounds instead.
macro_rules! on_conn {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            #[cfg(feature = "sqlite")]
            $crate::conn::Conn::Sqlite(inner) => {
                let $c: &mut diesel::SqliteConnection = inner;
                $body
            }
            #[cfg(feature = "postgres")]
            $crate::conn::Conn::Postgres(inner) => {
                let $c: &mut $crate::postgres::link::PgConn = inner;
                $body
            }
        }
    };
}

pub(crate) use on_conn;
