//! Our SQL types in SQLite.

use diesel::deserialize::{FromSql, Result as FromResult};
use diesel::serialize::{IsNull, Output, Result as ToResult, ToSql};
use diesel::sql_types::{BigInt, Binary};
use diesel::sqlite::{Sqlite, SqliteValue};
use lucihub_models_core::{RunId, Timestamp};
use uuid::Uuid;

use crate::types::{DbJson, DbText, DbTime, DbUuid, Free, Id, Json, Time};

impl ToSql<DbUuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> ToResult {
        out.set_value(self.0.as_uuid().as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Sqlite> for Id {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> FromResult<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(RunId::from_uuid(Uuid::from_slice(&bytes)?)))
    }
}

impl ToSql<DbTime, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> ToResult {
        out.set_value(self.0.as_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<DbTime, Sqlite> for Time {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> FromResult<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self(Timestamp::from_micros(micros)?))
    }
}

impl ToSql<DbJson, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> ToResult {
        out.set_value(self.0.as_str());
        Ok(IsNull::No)
    }
}

impl FromSql<DbJson, Sqlite> for Json {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> FromResult<Self> {
        text(value).map(Self)
    }
}

impl ToSql<DbText, Sqlite> for Free {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> ToResult {
        out.set_value(self.0.as_str());
        Ok(IsNull::No)
    }
}

impl FromSql<DbText, Sqlite> for Free {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> FromResult<Self> {
        text(value).map(Self)
    }
}

/// Read as bytes: as text, damage that is not UTF-8 would come back silently replaced.
fn text(value: SqliteValue<'_, '_, '_>) -> FromResult<String> {
    let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
    Ok(String::from_utf8(bytes)?)
}
