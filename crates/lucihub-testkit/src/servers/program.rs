//! Programs of servers, looked up in `PATH` and in folders that a system keeps apart.

use std::env;
use std::path::{Path, PathBuf};

/// The file of a program, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The file of a program of Debian's `packages`.
///
/// # Panics
/// Where it is missing: a test that needs a server is never skipped.
pub(crate) fn require(program: &str, packages: &str) -> PathBuf {
    require_in(&[], program, packages)
}

/// As [`require`]; `folders` come before those of `PATH`.
///
/// # Panics
/// As there.
pub(crate) fn require_in(folders: &[PathBuf], program: &str, packages: &str) -> PathBuf {
    let apart = folders.iter().map(|folder| folder.join(program)).find(|file| file.is_file());
    apart.or_else(|| find(program)).unwrap_or_else(|| {
        panic!("`{program}` is missing: `cargo xtask test` installs it, or run `apt-get install {packages}`")
    })
}

/// `place/NUMBER/bin`, the highest number first: where Debian has the programs of each version of PostgreSQL.
pub(crate) fn versions(place: &Path) -> Vec<PathBuf> {
    let entries = place.read_dir().into_iter().flatten().flatten();
    let number = |name: std::ffi::OsString| name.to_str()?.parse::<u32>().ok();
    let mut numbers: Vec<u32> = entries.filter_map(|entry| number(entry.file_name())).collect();
    numbers.sort_unstable();
    numbers.into_iter().rev().map(|number| place.join(number.to_string()).join("bin")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let place = tempfile::tempdir().expect("a temporary folder");
        for name in ["9", "15", "lost+found", "16"] {
            std::fs::create_dir_all(place.path().join(name).join("bin")).expect("a new folder");
        }
        for name in ["9", "15"] {
            std::fs::write(place.path().join(name).join("bin/no-such-server"), "").expect("a new file");
        }
        let folders = versions(place.path());
        assert_eq!(folders, ["16", "15", "9"].map(|name| place.path().join(name).join("bin")));
        assert_eq!(require_in(&folders, "no-such-server", ""), folders[1].join("no-such-server"));
        assert_eq!(versions(&place.path().join("missing")), [] as [PathBuf; 0]);
    }

    #[test]
    #[should_panic(
        expected = "`no-such-server` is missing: `cargo xtask test` installs it, or run `apt-get install a b`"
    )]
    fn a_missing_program_says_how_to_get_it() {
        require("no-such-server", "a b");
    }
}
