//! What a database itself says about its tables and indexes.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::conn::Conn;
use crate::error::Error;

/// Whether a table is there.
pub(crate) fn has_table(conn: &mut Conn<'_>, name: &str) -> Result<bool, Error> {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(conn) => {
            let there = sql::<Bool>("EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ");
            Ok(diesel::select(there.bind::<Text, _>(name).sql(")")).get_result(*conn)?)
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => {
            // Looked for in our schema alone, whatever the search path goes on with.
            let name = format!("{}.{name}", crate::postgres::SCHEMA);
            let there = sql::<Bool>("to_regclass(").bind::<Text, _>(name).sql(") IS NOT NULL");
            Ok(diesel::select(there).get_result(*conn)?)
        }
    }
}

/// Whether nothing is there yet: a new file, a database without our schema.
pub(crate) fn is_new(conn: &mut Conn<'_>) -> Result<bool, Error> {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(conn) => {
            Ok(diesel::select(sql::<Bool>("NOT EXISTS (SELECT 1 FROM sqlite_schema)")).get_result(*conn)?)
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => {
            let missing = format!("to_regnamespace('{}') IS NULL", crate::postgres::SCHEMA);
            Ok(diesel::select(sql::<Bool>(&missing)).get_result(*conn)?)
        }
    }
}

/// Indexes of ours that the database does not use: what is left of a `CREATE INDEX CONCURRENTLY` that failed.
pub(crate) fn invalid_indexes(conn: &mut Conn<'_>) -> Result<Vec<String>, Error> {
    match conn {
        // SQLite makes an index whole or not at all.
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(_) => Ok(Vec::new()),
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => {
            #[derive(QueryableByName)]
            struct Row {
                #[diesel(sql_type = Text)]
                name: String,
            }
            let query = format!(
                "SELECT CAST(c.relname AS text) AS name FROM pg_catalog.pg_index AS i
                 JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                 WHERE c.relnamespace = to_regnamespace('{}') AND NOT i.indisvalid ORDER BY 1",
                crate::postgres::SCHEMA
            );
            let rows: Vec<Row> = diesel::sql_query(query).load(*conn)?;
            Ok(rows.into_iter().map(|row| row.name).collect())
        }
    }
}
