//! Files that are there whole, or as they were before.

use std::io::Write;
use std::path::Path;

/// Puts a file with these bytes in the place of what is there, if anything is.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    // What others may read of new files is for the umask to say.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The name of the file beside it would only confuse.
    let mut beside = builder.prefix(".lucihub-plot-").tempfile_in(folder).map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => std::io::Error::other("there is no such folder"),
        kind => kind.into(),
    })?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}
