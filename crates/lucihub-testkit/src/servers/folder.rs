//! Temporary folders: one for each test process, and one in it for each server.
//!
//! A test process that is killed, or that keeps a server in a static, leaves its folder behind. So each holds a lock on a file
//! in its folder, which ends with the process however that ends, and the next test process removes the folders whose lock is
//! free. A lock, unlike a process id in the folder's name, is never taken over by a stranger.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

/// Short, for the path of a unix socket is at most 107 bytes.
const PREFIX: &str = "lucihub-test-";
const LOCK: &str = "lock";

/// A folder of one server, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    // The order of the fields is the order of their removal.
    own: TempDir,
    process: Arc<ProcessFolder>,
}

/// The folder of this test process, removed with the last folder in it.
#[derive(Debug)]
struct ProcessFolder {
    folder: TempDir,
    _lock: File,
}

static THIS_PROCESS: Mutex<Weak<ProcessFolder>> = Mutex::new(Weak::new());

impl Folder {
    /// An empty folder; its name begins with `name`.
    pub(crate) fn new(name: &str) -> Self {
        let process = process_folder();
        let own = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(process.folder.path());
        Self { own: own.expect("a folder in the temporary folder of this process"), process }
    }

    pub(crate) fn path(&self) -> &Path {
        self.own.path()
    }

    /// Lets every user go through it, but not look around: for a server that another user runs. Other users then need the exact
    /// name of what they open, and its own permission.
    pub(crate) fn let_others_through(&self) {
        for folder in [self.process.folder.path(), self.path()] {
            fs::set_permissions(folder, Permissions::from_mode(0o711)).expect("a folder of this process");
        }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

fn process_folder() -> Arc<ProcessFolder> {
    let mut this = THIS_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = this.upgrade() {
        return folder;
    }
    remove_stale(&std::env::temp_dir());
    let folder = Arc::new(ProcessFolder::new());
    *this = Arc::downgrade(&folder);
    folder
}

impl ProcessFolder {
    /// Where another test process takes the new folder for a stale one, because it comes before the lock, there is another.
    fn new() -> Self {
        loop {
            let folder =
                tempfile::Builder::new().prefix(PREFIX).tempdir().expect("a folder in the system's temporary one");
            let path = folder.path().join(LOCK);
            let lock = File::create(&path).expect("a file in a new temporary folder");
            lock.lock().expect("a file system that can lock a file, for the temporary folder");
            if path.exists() {
                return Self { folder, _lock: lock };
            }
        }
    }
}

/// Removes what processes left behind in `place`. What cannot be read or removed belongs to another user, and stays.
fn remove_stale(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    for folder in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if let Ok(lock) = File::open(folder.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            drop(fs::remove_dir_all(folder.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_are_removed_and_those_of_the_living_stay() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let [dead, living, foreign] = [format!("{PREFIX}dead"), format!("{PREFIX}living"), "other".to_owned()]
            .map(|name| place.path().join(name));
        for folder in [&dead, &living, &foreign] {
            fs::create_dir(folder).expect("a new folder");
            fs::write(folder.join(LOCK), "").expect("a new file");
        }
        let lock = File::open(living.join(LOCK)).expect("the file that was written");
        lock.lock().expect("nobody else has it");
        remove_stale(place.path());
        assert_eq!([&dead, &living, &foreign].map(|folder| folder.exists()), [false, true, true]);
    }

    #[test]
    fn a_dropped_folder_is_gone_with_all_in_it() {
        let folder = Folder::new("gone");
        fs::write(folder.join("file"), "text").expect("a new file");
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
