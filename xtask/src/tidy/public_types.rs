//! No third-party type stands in a public signature of a published crate: its next major version would be ours too.
//!
//! The sources are parsed, not compiled, because stable rustdoc has no machine-readable output:
//!
//! 1. [`module_tree`] reads the modules of a crate from `src/lib.rs` on.
//! 2. [`resolve`] follows names through `use`, modules, globs and type aliases to the crate that they come from.
//! 3. [`surface`] finds the items that users can name: `pub` in public modules, and what `pub use` lifts out of private ones.
//! 4. [`signature`] looks at every path in their signatures and asks [`policy`].
//!
//! Limits: items that a macro makes are not seen; of two items with one name under different `cfg`, both are looked at.

mod module_tree;
mod policy;
mod resolve;
mod signature;
mod surface;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use anyhow::Result;
use cargo_metadata::{DependencyKind, Package};

use self::{module_tree::Tree, policy::Policy};
use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

/// The crates whose signatures are a promise. Others are commands or tools for tests.
const CRATES: &[&str] = &["lucihub-models-core", "lucihub-hot", "lucihub-cold", "lucihub-store"];

pub(super) fn check(repository: &Repository, workspace: &Workspace) -> Result<Vec<Finding>> {
    let packages = workspace.packages();
    let own: BTreeSet<_> = packages.iter().map(|package| identifier(&package.name)).collect();
    let mut findings = Vec::new();
    for name in CRATES {
        let Some(package) = packages.iter().find(|package| package.name == *name) else {
            findings.push(Finding::file(
                "Cargo.toml",
                format!("{name} is no member; correct the list of crates in xtask's public_types.rs"),
            ));
            continue;
        };
        let directory =
            package.manifest_path.parent().and_then(|directory| directory.strip_prefix(workspace.root()).ok());
        let root = format!("{}/src/lib.rs", directory.map_or("", |directory| directory.as_str()));
        let read = |path: &str| {
            repository.files().any(|file| file == path).then(|| repository.text(path).ok().flatten()).flatten()
        };
        findings.extend(check_crate(&root, &read, external_crates(package), &Policy::new(own.clone())));
    }
    Ok(findings)
}

/// Findings of one crate; `read` returns the text of a file by its path.
fn check_crate(
    root: &str,
    read: &dyn Fn(&str) -> Option<String>,
    externals: BTreeSet<String>,
    policy: &Policy,
) -> Vec<Finding> {
    let tree = Tree::read(root, read, externals);
    let mut findings = tree.findings().to_vec();
    findings.extend(surface::check(&tree, policy));
    findings
}

/// The names by which the crate's code knows other crates.
fn external_crates(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| identifier(dependency.rename.as_ref().unwrap_or(&dependency.name))).collect()
}

fn identifier(package: &str) -> String {
    package.replace('-', "_")
}
