//! Which crates may stand where in a public signature.

use std::collections::BTreeSet;

/// Where in the public surface a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a signature, a field, a bound, an alias, a re-export.
    Signature,
    /// As the trait of an `impl` for a public type, or its arguments, or a public trait's implementor.
    Impl,
    /// In a `derive` on a public type.
    Derive,
}

/// Crates whose every type may stand in a signature.
const SIGNATURES: &[&str] = &["std", "core", "alloc", "serde", "uuid", "time"];

/// Single types that may stand in a signature.
const TYPES: &[(&str, &str)] = &[("futures_core", "Stream"), ("futures_core", "BoxStream")];

/// Crates whose traits and types may stand in an `impl`.
const IMPLS: &[&str] = &["schemars", "serde_json"];

/// Crates whose derives leave nothing of themselves in the surface, or only what [`IMPLS`] permits.
const DERIVES: &[&str] = &["schemars", "thiserror"];

/// The rules, with the names of our own crates.
#[derive(Debug)]
pub(super) struct Policy {
    own: BTreeSet<String>,
}

impl Policy {
    pub(super) fn new(own: BTreeSet<String>) -> Self {
        Self { own }
    }

    /// Whether `path`, which begins with a crate's name, may stand at `place`.
    pub(super) fn permits(&self, path: &[String], place: Place) -> bool {
        let (Some(name), Some(last)) = (path.first(), path.last()) else {
            return true;
        };
        let name = name.as_str();
        SIGNATURES.contains(&name)
            || self.own.contains(name)
            || TYPES.contains(&(name, last))
            || match place {
                Place::Signature => false,
                Place::Impl => IMPLS.contains(&name),
                Place::Derive => DERIVES.contains(&name),
            }
    }

    /// What is wrong with `path` at `place`, and what to do.
    pub(super) fn objection(path: &[String], place: Place) -> String {
        let path = path.join("::");
        match place {
            Place::Signature => {
                format!("public signature holds {path}; wrap it in a type of ours, or make the item pub(crate)")
            }
            Place::Impl => format!("public implementation with {path}; put it on a private type"),
            Place::Derive => format!("public type derives {path}; derive it on a private type"),
        }
    }
}
