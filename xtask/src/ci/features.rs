//! Step `features`: each published crate compiles alone, without features, with its defaults, and with each feature alone.
//!
//! A build of the workspace unites the features of all members, and so hides a feature that one crate forgot to ask for.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::{job::Job, workspace::Workspace};

/// Checks every selection of every published crate.
///
/// # Errors
/// At the first that does not compile.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    for package in workspace.published() {
        for selection in selections(&package.features) {
            let arguments =
                ["check", "--quiet", "--package", &package.name].into_iter().map(str::to_owned).chain(selection);
            Job::cargo(arguments, workspace.root()).run()?;
        }
    }
    Ok(())
}

/// The arguments that select features, one list for each build.
fn selections(features: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let defaults = Vec::new();
    if features.is_empty() {
        return vec![defaults];
    }
    let none = vec!["--no-default-features".to_owned()];
    let alone = features.keys().filter(|feature| *feature != "default").map(|feature| {
        let mut arguments = none.clone();
        arguments.extend(["--features".to_owned(), feature.clone()]);
        arguments
    });
    [none.clone(), defaults].into_iter().chain(alone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_features_is_checked_once() {
        assert_eq!(selections(&BTreeMap::new()), [Vec::<String>::new()]);
    }

    #[test]
    fn each_feature_is_checked_alone() {
        let features = ["default", "redis", "sqlite"].into_iter().map(|name| (name.to_owned(), Vec::new())).collect();
        let lines: Vec<_> = selections(&features).iter().map(|selection| selection.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "--no-default-features",
                "",
                "--no-default-features --features redis",
                "--no-default-features --features sqlite"
            ]
        );
    }
}
