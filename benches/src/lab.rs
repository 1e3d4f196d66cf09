//! The place of the measurements: sizes, runtime, temporary stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
use lucihub_models_core::SystemClock;
use lucihub_models_core::cold::ColdStore;
use lucihub_store::Store;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Repeats of a figure.
    pub(crate) repeats: u32,
    /// Divides what is measured at once, for a quick run.
    shrink: usize,
}

impl Size {
    /// So many, or in a quick run fewer.
    pub(crate) const fn of(self, full: usize) -> usize {
        let small = full / self.shrink;
        if small == 0 { 1 } else { small }
    }
}

/// The place of the measurements. What it wrote goes with it.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) size: Size,
    /// Whether only the way is tested.
    pub(crate) quick: bool,
    runtime: Runtime,
    folder: TempDir,
}

impl Lab {
    /// A place whose files are in a new folder under this one.
    pub(crate) fn new(folder: &Path, quick: bool, repeats: u32) -> Result<Self> {
        let size = if quick { Size { repeats: 1, shrink: 200 } } else { Size { repeats, shrink: 1 } };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok(Self { size, quick, runtime, folder: temporary(folder)? })
    }

    /// The same with a runtime of one thread, as a worker has that does nothing else.
    pub(crate) fn on_one_thread(&self) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, folder: temporary(self.folder.path())?, ..*self })
    }

    /// Waits for a future.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The file of this name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Cold storage in the file of this name.
    pub(crate) fn cold(&self, name: &str) -> Result<SqliteCold> {
        let options = SqliteOptions::file(self.file(name));
        Ok(self.wait(SqliteCold::open(options, Arc::new(SystemClock)))?)
    }

    /// A store over cold storage and new, empty hot storage of so many bytes.
    pub(crate) fn store(&self, cold: Arc<dyn ColdStore>, hot_bytes: u64) -> Store {
        Store::new(Arc::new(hot(hot_bytes)), cold)
    }
}

fn temporary(folder: &Path) -> Result<TempDir> {
    tempfile::Builder::new().prefix("lucihub-bench").tempdir_in(folder).context("temporary files")
}

/// New, empty hot storage of so many bytes.
pub(crate) fn hot(bytes: u64) -> EmbeddedHot {
    EmbeddedHot::new(EmbeddedOptions::default().with_max_bytes(bytes), Arc::new(SystemClock))
}
