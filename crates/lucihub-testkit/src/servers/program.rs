//! Programs of servers, looked up in `PATH`.

use std::env;
use std::path::PathBuf;

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
    find(program).unwrap_or_else(|| {
        panic!("`{program}` is missing: `cargo xtask test` installs it, or run `apt-get install {packages}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(
        expected = "`no-such-server` is missing: `cargo xtask test` installs it, or run `apt-get install a b`"
    )]
    fn a_missing_program_says_how_to_get_it() {
        require("no-such-server", "a b");
    }
}
