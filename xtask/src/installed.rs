//! What was installed below `target`, and by which pins.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Whether what is pinned was installed here already; it is said in a file beside. If not, the file goes, so that an
/// installation that stops halfway says nothing.
///
/// # Errors
/// Where the file cannot be removed.
pub(crate) fn is_installed(folder: &Path, pins: &str) -> Result<bool> {
    let said = folder.join("installed");
    let same = fs::read_to_string(&said).is_ok_and(|installed| installed == pins);
    if !same && said.exists() {
        fs::remove_file(said)?;
    }
    Ok(same)
}

/// Says that what is pinned is installed.
///
/// # Errors
/// Where the file cannot be written.
pub(crate) fn say_installed(folder: &Path, pins: &str) -> Result<()> {
    Ok(fs::write(folder.join("installed"), pins)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stopped_halfway_is_not_installed() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("lucihub-xtask-installed-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let first = is_installed(&folder, "1")?;
        say_installed(&folder, "1")?;
        // Version 2 is asked for, and its installation stops: version 1 is gone too.
        let steps = [is_installed(&folder, "1")?, is_installed(&folder, "2")?, is_installed(&folder, "1")?];
        fs::remove_dir_all(&folder)?;
        assert_eq!((first, steps), (false, [true, false, false]));
        Ok(())
    }
}
