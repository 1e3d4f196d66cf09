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

/// A file that is written beside the one it becomes, under a name of its own, and takes its place once it is whole. If
/// it is dropped before that, nothing is left of it.
#[derive(Debug)]
pub(crate) struct WholeFile {
    beside: NamedTempFile,
    file: PathBuf,
}

impl WholeFile {
    pub(crate) fn begin(file: &Path) -> io::Result<Self> {
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
