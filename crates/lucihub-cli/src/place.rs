//! Where the data is, and opening it.

use std::path::{Path, PathBuf};

use lucihub_store::{Store, Urls};

use crate::args::{DEFAULT_DIR, Where};
use crate::failure::Failure;

/// The database file in a folder.
pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join("lucihub.sqlite")
}

/// Opens a folder to write, and makes what is missing.
pub(crate) async fn make(dir: &Path) -> Result<Store, Failure> {
    std::fs::create_dir_all(dir).map_err(|why| Failure::File { what: "make", path: dir.to_owned(), why })?;
    open(&database(dir)).await
}

/// Opens what is there, and makes nothing: `--dir`, else the URL, else the
/// demo's folder.
pub(crate) async fn find(place: &Where) -> Result<Store, Failure> {
    match (&place.dir, &place.database_url) {
        (Some(dir), _) => existing(&database(dir)).await,
        (None, Some(url)) => match url.strip_prefix("sqlite:") {
            Some(file) => existing(Path::new(file)).await,
            None => Ok(Store::open(&Urls::new("memory:", url)).await?),
        },
        (None, None) => existing(&database(Path::new(DEFAULT_DIR))).await,
    }
}

/// The URL of cold storage, whether or not it is there.
pub(crate) fn url(place: &Where) -> String {
    match (&place.dir, &place.database_url) {
        (Some(dir), _) => format!("sqlite:{}", database(dir).display()),
        (None, Some(url)) => url.clone(),
        (None, None) => format!("sqlite:{}", database(Path::new(DEFAULT_DIR)).display()),
    }
}

async fn existing(file: &Path) -> Result<Store, Failure> {
    if file.is_file() { open(file).await } else { Err(Failure::NoDatabase(file.to_owned())) }
}

async fn open(file: &Path) -> Result<Store, Failure> {
    Ok(Store::open(&Urls::new("memory:", format!("sqlite:{}", file.display()))).await?)
}
