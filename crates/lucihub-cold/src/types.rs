//! Our SQL types, so that each database keeps its native columns under one text of queries.
//!
//! | type | SQLite | PostgreSQL | value |
//! | --- | --- | --- | --- |
//! | [`DbUuid`] | `BLOB`, 16 bytes | `uuid` | [`Id`] |
//! | [`DbTime`] | `INTEGER`, microseconds since 1970 | `timestamptz` | [`Time`] |
//! | [`DbJson`] | `TEXT`, byte for byte | `json`, byte for byte | [`Json`] |
//! | [`DbText`] | `TEXT` | `text`, with [U+2400 for NUL](crate::postgres) | [`Free`] |
//!
//! What a value looks like to a database stands with that database: `sqlite/types.rs`, `postgres/types.rs`.

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::sql_types::SqlType;
use lucihub_models_core::{RunId, Timestamp};

/// A UUID.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[cfg_attr(feature = "sqlite", diesel(sqlite_type(name = "Binary")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 2950, array_oid = 2951)))]
pub struct DbUuid;

/// A point in time.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[cfg_attr(feature = "sqlite", diesel(sqlite_type(name = "Long")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1184, array_oid = 1185)))]
pub struct DbTime;

impl diesel::sql_types::SqlOrd for DbTime {}

/// A JSON document as text; the database never changes a byte of it.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[cfg_attr(feature = "sqlite", diesel(sqlite_type(name = "Text")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 114, array_oid = 199)))]
pub struct DbJson;

/// A text from outside, with any character in it.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[cfg_attr(feature = "sqlite", diesel(sqlite_type(name = "Text")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 25, array_oid = 1009)))]
pub struct DbText;

/// The value of a [`DbUuid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbUuid)]
pub(crate) struct Id(pub(crate) RunId);

/// The value of a [`DbTime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbTime)]
pub(crate) struct Time(pub(crate) Timestamp);

/// The value of a [`DbJson`].
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbJson)]
pub(crate) struct Json(pub(crate) String);

/// The value of a [`DbText`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbText)]
pub(crate) struct Free(pub(crate) String);

impl From<&str> for Free {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
