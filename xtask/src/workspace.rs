//! The workspace as cargo sees it: where it is, which packages it has.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The workspace that `cargo xtask` was started in.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo about the workspace around the current directory.
    ///
    /// # Errors
    /// Where cargo cannot read a manifest.
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .context("cannot read the workspace's manifests; `cargo metadata --no-deps` shows more")?;
        Ok(Self { metadata })
    }

    /// The directory of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// The directory of what is built.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// All packages, by name.
    pub(crate) fn packages(&self) -> Vec<&Package> {
        let mut packages = self.metadata.workspace_packages();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        packages
    }

    /// The packages that go to the registry: those without `publish = false`.
    pub(crate) fn published(&self) -> Vec<&Package> {
        let mut packages = self.packages();
        packages.retain(|package| package.publish.as_ref().is_none_or(|registries| !registries.is_empty()));
        packages
    }
}
