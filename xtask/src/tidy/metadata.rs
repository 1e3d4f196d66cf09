//! Published crates carry what the registry shows, and Cargo.lock is tracked.

use anyhow::Result;
use cargo_metadata::Package;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

pub(super) fn check(repository: &Repository, workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings: Vec<_> =
        workspace.published().into_iter().flat_map(|package| check_package(package, workspace)).collect();
    findings.extend(check_lock(repository.tracks("Cargo.lock")));
    Ok(findings)
}

fn check_lock(tracked: bool) -> Option<Finding> {
    (!tracked)
        .then(|| Finding::file("Cargo.lock", "is not tracked; `git add Cargo.lock`, so that everyone builds the same"))
}

fn check_package(package: &Package, workspace: &Workspace) -> Vec<Finding> {
    let manifest = package.manifest_path.strip_prefix(workspace.root()).unwrap_or(&package.manifest_path);
    missing(package)
        .into_iter()
        .map(|field| {
            Finding::file(
                manifest.as_str(),
                format!("{} is published without {field}; add it to [package]", package.name),
            )
        })
        .collect()
}

/// The fields that a published package lacks; a readme that does not exist is lacking.
fn missing(package: &Package) -> Vec<&'static str> {
    let readme = package.readme.as_ref().and_then(|readme| Some(package.manifest_path.parent()?.join(readme)));
    [
        ("description", package.description.as_ref().is_some_and(|text| !text.trim().is_empty())),
        ("license", package.license.is_some()),
        ("repository", package.repository.is_some()),
        ("categories", !package.categories.is_empty()),
        ("keywords", !package.keywords.is_empty()),
        ("rust-version", package.rust_version.is_some()),
        ("readme (a file that exists)", readme.is_some_and(|readme| readme.is_file())),
    ]
    .into_iter()
    .filter_map(|(field, present)| (!present).then_some(field))
    .collect()
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;

    use super::*;

    fn xtask() -> Package {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let metadata =
            MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("this package has a manifest");
        metadata.packages.into_iter().find(|package| package.name == "xtask").expect("the workspace has xtask")
    }

    #[test]
    fn missing_fields_are_named() {
        let mut package = xtask();
        package.description = Some(" ".to_owned());
        package.license = None;
        package.rust_version = None;
        package.readme = Some("no-such-file.md".into());
        let expected = [
            "description",
            "license",
            "repository",
            "categories",
            "keywords",
            "rust-version",
            "readme (a file that exists)",
        ];
        assert_eq!(missing(&package), expected);
    }

    #[test]
    fn a_complete_package_passes() {
        let mut package = xtask();
        package.repository = Some("https://example.org".to_owned());
        package.categories = vec!["database".to_owned()];
        package.keywords = vec!["storage".to_owned()];
        package.readme = Some("Cargo.toml".into());
        assert_eq!(missing(&package), Vec::<&str>::new());
    }

    #[test]
    fn an_untracked_lock_is_a_finding() {
        assert!(check_lock(false).is_some());
        assert_eq!(check_lock(true), None);
    }
}
