//! What may be wrong with the schema of a database, and what to do about it.

use std::fmt;

/// Something that is not as it should be. What it says, says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A migration of this library was not applied.
    Pending {
        /// Which one.
        migration: String,
    },
    /// A migration outside a transaction is under way, or was left off amid.
    Dirty {
        /// Which one.
        migration: String,
    },
    /// The same of a migration that this library does not know, so that it cannot repeat it.
    DirtyOfNewer {
        /// Which one.
        migration: String,
    },
    /// A newer library applied a migration after which this one must not use the database.
    TooNew {
        /// Which one.
        migration: String,
        /// The oldest generation that may, where it is stated.
        oldest: Option<u32>,
        /// The generation of this library.
        generation: u32,
    },
    /// What was applied is not what stands under that name now.
    Changed {
        /// Which migration.
        migration: String,
    },
    /// An index is there and not used: PostgreSQL calls it INVALID.
    InvalidIndex {
        /// Which one.
        index: String,
    },
}

impl Problem {
    /// Whether a database with it is refused when it is opened.
    #[must_use]
    pub const fn refuses_opening(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Dirty { .. } | Self::DirtyOfNewer { .. } | Self::TooNew { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending { migration } => {
                write!(f, "migration {migration} is pending; run `lucihub migrate up`")
            }
            Self::Dirty { migration } => write!(
                f,
                "migration {migration} is dirty: it is being applied, or was left off amid; wait for whoever migrates, \
                 or run `lucihub migrate up`, which repeats it"
            ),
            Self::DirtyOfNewer { migration } => write!(
                f,
                "migration {migration} of a newer version is dirty: it is being applied, or was left off amid; wait for \
                 whoever migrates, or run `lucihub migrate up` of the version that made it"
            ),
            Self::TooNew { migration, oldest: Some(oldest), generation } => write!(
                f,
                "migration {migration} asks for generation {oldest} of the library, and this is {generation}; upgrade \
                 this component"
            ),
            Self::TooNew { migration, oldest: None, .. } => write!(
                f,
                "it has migration {migration}, which this version of the library does not know; upgrade this component"
            ),
            Self::Changed { migration } => write!(
                f,
                "migration {migration} was applied with another text than this version has, so tables may differ; use \
                 the version that applied it, or report it to whoever built this one (who has the sources puts its \
                 file back, and writes a new migration for what should be different)"
            ),
            Self::InvalidIndex { index } => write!(
                f,
                "index {index} is INVALID: it is being made, or making it failed; where a migration is dirty `lucihub \
                 migrate up` makes it anew, else run `DROP INDEX CONCURRENTLY lucihub.\"{index}\"` in psql as \
                 lucihub_migrator"
            ),
        }
    }
}
