//! What can go wrong in here, and the one place where it becomes a [`StoreError`].

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use lucihub_models_core::{Invalid, ModelError, StoreError};
use thiserror::Error;

/// Why an operation failed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The database refused or could not be reached.
    #[error(transparent)]
    Database(#[from] DieselError),
    /// A stored row does not become a model.
    #[error("table {table}, column {column}, {row}: {why}")]
    Row { table: &'static str, column: &'static str, row: String, why: String },
    /// The answer is known already.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// A column whose content does not become a part of a model.
    pub(crate) fn row(
        table: &'static str,
        column: &'static str,
        row: impl Into<String>,
        why: impl std::fmt::Display,
    ) -> Self {
        Self::Row { table, column, row: row.into(), why: why.to_string() }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Store(invalid.into())
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        Self::Store(error.into())
    }
}

/// What an engine makes of an error that only its own texts tell.
type Sort = fn(&DatabaseErrorKind, &dyn DatabaseErrorInformation) -> StoreError;

impl Error {
    /// The error of a database, sorted by what the caller can do; `by` knows the texts of its engine.
    pub(crate) fn sorted(self, by: Sort) -> Self {
        Self::Store(match self {
            Self::Database(DieselError::DatabaseError(kind, info)) => match kind {
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation => {
                    StoreError::precondition("a row of cold storage", info.message())
                }
                kind => by(&kind, &*info),
            },
            other => other.into(),
        })
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            Error::Row { table, column, row, why } => {
                Self::corrupt(format!("table {table}, column {column}, {row}"), why)
            }
            Error::Database(error @ DieselError::DeserializationError(_)) => Self::corrupt("a stored row", error),
            Error::Database(error) => Self::unavailable("cold storage", error),
        }
    }
}
