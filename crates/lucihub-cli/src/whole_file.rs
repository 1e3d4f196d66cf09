//! A file that is there whole, or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Puts a file with these bytes in the place of what is there, if anything is.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut whole = WholeFile::begin(file)?;
    whole.write_all(bytes)?;
    whole.replace()
}

/// What is said of a device, a pipe and their like.
pub(crate) const NO_FILE: &str = "it is no file; write to standard output, and let the shell do the rest";

/// A file that is written beside the one it becomes, under a name of its own, and takes its place once it is whole. If
/// it is dropped before that, nothing is left of it.
#[derive(Debug)]
pub(crate) struct WholeFile {
    beside: NamedTempFile,
    file: PathBuf,
}

impl WholeFile {
    /// # Errors
    /// Where there is something that is no file, as a device or a folder: it would be gone. A link stays one.
    pub(crate) fn begin(file: &Path) -> io::Result<Self> {
        let file = &match std::fs::metadata(file) {
            Ok(there) if there.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(there) if !there.is_file() => return Err(io::Error::other(NO_FILE)),
            Ok(_) => std::fs::canonicalize(file)?,
            Err(_) => file.to_owned(),
        };
        let mut builder = tempfile::Builder::new();
        // What others may read of new files is for the umask to say.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        // The name of the file beside it would only confuse.
        let beside = builder.prefix(".lucihub-").tempfile_in(folder(file)).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => io::Error::other("there is no such folder"),
            kind => kind.into(),
        })?;
        Ok(Self { beside, file: file.to_owned() })
    }

    /// Puts it in its place; what was there before is gone then.
    pub(crate) fn replace(self) -> io::Result<()> {
        self.beside.as_file().sync_all()?;
        self.beside.persist(&self.file)?;
        sync_folder(&self.file)
    }

    /// Puts it in its place, if nothing is there.
    pub(crate) fn put_new(self) -> io::Result<()> {
        self.beside.as_file().sync_all()?;
        self.beside.persist_noclobber(&self.file)?;
        sync_folder(&self.file)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.beside.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.beside.as_file_mut().flush()
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// The new name outlives a power cut only once the folder is on the disk too.
fn sync_folder(file: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(file))?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_stays_as_it_is_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("link"));
        std::fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"after").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"after");
        let listener = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let refused = replace(&folder.path().join("socket"), b"x").unwrap_err();
        assert_eq!(refused.to_string(), NO_FILE);
        drop(listener);
        assert!(replace(folder.path(), b"x").unwrap_err().to_string().contains("folder"));
    }

    #[test]
    fn it_is_there_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let mut first = WholeFile::begin(&file).unwrap();
        first.write_all(b"first").unwrap();
        assert!(!file.exists());
        drop(first);
        assert_eq!(names(folder.path()), [""; 0]);

        let mut second = WholeFile::begin(&file).unwrap();
        second.write_all(b"second").unwrap();
        second.put_new().unwrap();
        let mut third = WholeFile::begin(&file).unwrap();
        third.write_all(b"third").unwrap();
        assert_eq!(third.put_new().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&file).unwrap(), b"second");
        let mut fourth = WholeFile::begin(&file).unwrap();
        fourth.write_all(b"fourth").unwrap();
        fourth.replace().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"fourth");
        assert_eq!(names(folder.path()), ["a"]);
    }
}
