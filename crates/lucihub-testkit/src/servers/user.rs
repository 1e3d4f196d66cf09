//! The user who runs a server that refuses to be run by root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::command::output_of;

/// A user of the system who is not root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    name: &'static str,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The first of `names` that the system has, where this process is root's; else none, for the servers of any other user are
    /// that user's own.
    ///
    /// # Panics
    /// Where the system has none of them.
    pub(crate) fn instead_of_root(names: &[&'static str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let user = names.iter().find_map(|name| Self::named(name));
        Some(user.unwrap_or_else(|| {
            panic!("a server refuses to be run by root, and there is no user of: {}; add one of them", names.join(", "))
        }))
    }

    fn named(name: &'static str) -> Option<Self> {
        let number = |what: &str| {
            let mut command = Command::new("id");
            command.args([what, name]);
            output_of(command, "", Duration::from_secs(20)).ok()?.trim().parse().ok()
        };
        Some(Self { name, uid: number("-u")?, gid: number("-g")? })
    }

    /// Panics where a folder lies in one that the user cannot enter, with what to do.
    pub(crate) fn check_reaches(&self, folder: &Path) {
        let closed = folder.ancestors().find(|place| {
            let place = fs::metadata(place).expect("a folder that holds a temporary one");
            place.mode() & 0o001 == 0 && place.uid() != self.uid
        });
        if let Some(place) = closed {
            panic!(
                "the user `{}`, who runs the server because it refuses root, cannot enter {}: let others enter it \
                 (chmod o+x), or set TMPDIR to a folder that they can enter",
                self.name,
                place.display()
            );
        }
    }
}

/// Makes a file or a folder the user's own, or leaves it this process's where there is none; nobody else may use it.
pub(crate) fn give(path: &Path, user: Option<&User>) {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of this process");
    if let Some(user) = user {
        chown(path, Some(user.uid), Some(user.gid)).expect("root may give files away");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_folder_is_named() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let inner = place.path().join("inner");
        fs::create_dir(&inner).expect("a new folder");
        let open =
            |folder: &Path, mode| fs::set_permissions(folder, Permissions::from_mode(mode)).expect("its own folder");
        open(&inner, 0o711);
        open(place.path(), 0o700);
        let stranger = User { name: "stranger", uid: u32::MAX - 1, gid: u32::MAX - 1 };
        let why = std::panic::catch_unwind(|| stranger.check_reaches(&inner)).expect_err("its parent is closed");
        let why = why.downcast_ref::<String>().expect("a message");
        assert!(why.contains(&format!("cannot enter {}:", place.path().display())), "{why}");
        open(place.path(), 0o711);
        stranger.check_reaches(&inner);
    }
}
