//! Our SQL types in PostgreSQL, in its binary forms.

use std::borrow::Cow;
use std::io::Write as _;

use diesel::deserialize::{FromSql, Result as FromResult};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{IsNull, Output, Result as ToResult, ToSql};
use diesel::sql_types::BigInt;
use lucihub_models_core::{RunId, Timestamp};
use uuid::Uuid;

use crate::types::{DbJson, DbText, DbTime, DbUuid, Free, Id, Json, Time};

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// What stands for a NUL, which `text` cannot hold: the symbol for it, which people can read.
const NUL: char = '\u{2400}';
/// What goes before a symbol that is itself meant.
const ESCAPE: char = '\u{241b}';

impl ToSql<DbUuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> ToResult {
        out.write_all(self.0.as_uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> FromResult<Self> {
        Ok(Self(RunId::from_uuid(Uuid::from_slice(value.as_bytes())?)))
    }
}

impl ToSql<DbTime, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> ToResult {
        // Years 1 to 9999, so there is room for the difference.
        out.write_all(&(self.0.as_micros() - EPOCH).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<DbTime, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> FromResult<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        Ok(Self(Timestamp::from_micros(micros.saturating_add(EPOCH))?))
    }
}

impl ToSql<DbJson, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> ToResult {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<DbJson, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> FromResult<Self> {
        Ok(Self(std::str::from_utf8(value.as_bytes())?.to_owned()))
    }
}

impl ToSql<DbText, Pg> for Free {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> ToResult {
        out.write_all(without_nul(&self.0).as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<DbText, Pg> for Free {
    fn from_sql(value: PgValue<'_>) -> FromResult<Self> {
        Ok(Self(with_nul(std::str::from_utf8(value.as_bytes())?).into_owned()))
    }
}

/// A text as `text` can hold it. No two texts share a form, so equality stays what it was.
fn without_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', NUL, ESCAPE]) {
        return text.into();
    }
    let mut held = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => held.push(NUL),
            NUL | ESCAPE => held.extend([ESCAPE, c]),
            other => held.push(other),
        }
    }
    held.into()
}

fn with_nul(held: &str) -> Cow<'_, str> {
    if !held.contains([NUL, ESCAPE]) {
        return held.into();
    }
    let mut text = String::with_capacity(held.len());
    let mut chars = held.chars();
    while let Some(c) = chars.next() {
        match c {
            NUL => text.push('\0'),
            // Alone at the end it was written by somebody else; it is what they meant.
            ESCAPE => text.push(chars.next().unwrap_or(ESCAPE)),
            other => text.push(other),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_texts_are_themselves() {
        for text in ["", "ada", "DOMAIN\\user", "\u{1f9ee}", "a%_'\"$1"] {
            assert_eq!(without_nul(text), text);
        }
        assert_eq!(without_nul("a\0b"), "a\u{2400}b");
        assert_eq!(with_nul("\u{241b}"), "\u{241b}");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[a\0\u{2400}\u{241b}]{0,12}") {
            let held = without_nul(&text);
            prop_assert!(!held.contains('\0'));
            prop_assert_eq!(with_nul(&held), &*text);
        }
    }
}
