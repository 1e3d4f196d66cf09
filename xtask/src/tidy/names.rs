//! Names of sources say what is in them.

use anyhow::Result;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

/// Names that say nothing: whatever has no place lands there.
const EMPTY_NAMES: &[&str] = &["data", "helper", "helpers", "manager", "managers", "util", "utils"];

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    Ok(repository.sources().filter_map(check_path).collect())
}

/// Directories count too: a module may be `utils/mod.rs`.
fn check_path(path: &str) -> Option<Finding> {
    let word = path.trim_end_matches(".rs").split('/').find(|part| EMPTY_NAMES.contains(part))?;
    Some(Finding::file(path, format!("`{word}` says nothing; name the file after the one concept that it holds")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_found() {
        for path in ["crates/x/src/utils.rs", "crates/x/src/helpers/time.rs", "xtask/src/manager.rs"] {
            assert!(check_path(path).is_some(), "{path}");
        }
    }

    #[test]
    fn names_that_only_contain_one_are_free() {
        for path in ["crates/x/src/database.rs", "crates/x/src/utilisation.rs", "crates/data-model/src/lib.rs"] {
            assert_eq!(check_path(path), None);
        }
    }
}
