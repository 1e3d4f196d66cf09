//! Programs of the system that a task needs, and how a machine gets them: from its package manager, and said before.

use std::{collections::BTreeSet, env};

use anyhow::{Context, Result, bail};

use crate::{job::Job, workspace::Workspace};

/// A program that a task starts, and the package of Debian that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    /// Whether it is there, asked by name.
    pub(crate) is_there: fn(&str) -> bool,
}

/// What is done as administrator before packages are installed, with `sudo` where that is needed.
pub(crate) type Preparation = fn(&[Program], Option<&'static str>, &Workspace) -> Result<()>;

/// Sees to it that every program is there. Packages come from apt-get. `who` needs them, for the words of an error.
///
/// # Errors
/// Where programs are missing and must not, or cannot, be installed; the error lists them with the command that installs them.
pub(crate) fn provide(
    workspace: &Workspace,
    who: &str,
    programs: &[Program],
    may_install: bool,
    prepare: Preparation,
) -> Result<()> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let list = list(who, &missing);
    if !may_install {
        bail!("{list}");
    }
    if !is_in_path("apt-get") {
        bail!("{list}\nthis system has no apt-get; install what brings these programs with its own package manager");
    }
    eprintln!("{list}\ninstalling them now; `--no-install` would stop here instead");
    let prefix = as_administrator(workspace)?;
    prepare(&missing, prefix, workspace).with_context(|| list.clone())?;
    for arguments in [vec!["update", "-qq"], install_arguments(&missing)] {
        apt_get(prefix, &arguments, workspace).run().with_context(|| list.clone())?;
    }
    let left = self::missing(programs);
    if !left.is_empty() {
        bail!("still missing after the installation: {}", names(&left));
    }
    Ok(())
}

fn missing(programs: &[Program]) -> Vec<Program> {
    programs.iter().copied().filter(|program| !(program.is_there)(program.name)).collect()
}

/// What is missing, and the command that installs it.
pub(crate) fn list(who: &str, missing: &[Program]) -> String {
    let command = ["apt-get"].into_iter().chain(install_arguments(missing)).collect::<Vec<_>>().join(" ");
    format!("{who} need programs that are missing: {}; they come with: {command}", names(missing))
}

fn names(programs: &[Program]) -> String {
    programs.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
}

fn install_arguments(missing: &[Program]) -> Vec<&'static str> {
    let packages: BTreeSet<&str> = missing.iter().map(|program| program.package).collect();
    ["install", "-y", "--no-install-recommends"].into_iter().chain(packages).collect()
}

/// Whether `PATH` has the program.
pub(crate) fn is_in_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// `sudo`, unless this is root already or there is none.
fn as_administrator(workspace: &Workspace) -> Result<Option<&'static str>> {
    let is_root = Job::new("id", ["-u"], workspace.root()).capture()?.trim() == "0";
    Ok((!is_root && is_in_path("sudo")).then_some("sudo"))
}

/// `env` and not the environment of this process, for sudo does not pass that on.
fn apt_get(prefix: Option<&'static str>, arguments: &[&str], workspace: &Workspace) -> Job {
    let command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let words = prefix.into_iter().chain(command).chain(arguments.iter().copied()).collect::<Vec<_>>();
    let program = prefix.unwrap_or("env");
    Job::new(program, words.into_iter().skip(1), workspace.root())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Preparation = |_, _, _| Ok(());

    fn program(name: &'static str, package: &'static str) -> Program {
        Program { name, package, is_there: is_in_path }
    }

    #[test]
    fn the_list_names_programs_and_the_command_that_installs_them() {
        let all = [program("b-server", "b"), program("sh", "dash"), program("a-cli", "a"), program("b-tool", "b")];
        assert_eq!(
            list("tests", &missing(&all)),
            "tests need programs that are missing: b-server, a-cli, b-tool; they come with: \
             apt-get install -y --no-install-recommends a b"
        );
    }

    #[test]
    fn nothing_is_installed_unasked() -> Result<()> {
        let workspace = Workspace::load()?;
        provide(&workspace, "tests", &[program("sh", "dash")], false, NOTHING)?;
        let missing = [program("no-such-program", "no-such-package")];
        let error = provide(&workspace, "types", &missing, false, NOTHING).unwrap_err().to_string();
        assert!(error.starts_with("types need programs that are missing: no-such-program; "), "{error}");
        Ok(())
    }

    #[test]
    fn programs_are_found_in_path() {
        assert!(is_in_path("sh"));
        assert!(!is_in_path("no-such-program"));
    }

    #[test]
    fn the_command_is_one_to_type() -> Result<()> {
        let workspace = Workspace::load()?;
        let update = |prefix| apt_get(prefix, &["update"], &workspace).to_string();
        assert_eq!(update(None), "env DEBIAN_FRONTEND=noninteractive apt-get update");
        assert_eq!(update(Some("sudo")), "sudo env DEBIAN_FRONTEND=noninteractive apt-get update");
        Ok(())
    }
}
