//! The programs of servers that tests start, and how a machine gets them.
//!
//! A new server is a row of [`PROGRAMS`] for each of its programs.

use std::{collections::BTreeSet, env, path::Path};

use anyhow::{Context, Result, bail};

use crate::{job::Job, workspace::Workspace};

/// A program that tests start, and the package of Debian that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Program {
    name: &'static str,
    package: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program { name: "redis-server", package: "redis-server" },
    Program { name: "redis-cli", package: "redis-tools" },
    Program { name: "postgres", package: POSTGRES },
    Program { name: "psql", package: "postgresql-client" },
];

const POSTGRES: &str = "postgresql";
/// Debian has the programs of each version of PostgreSQL in `NUMBER/bin` here, and those of the server not in `PATH`.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
/// What Debian asks before it makes a server of the system with the package.
const POSTGRES_CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Sees to it that every program is there. Packages come from apt-get; that may also start a Redis of the system, which no test
/// looks at: theirs listen on ports of their own. It makes no PostgreSQL server of the system, unless someone has told it how
/// to make one.
///
/// # Errors
/// Where programs are missing and must not, or cannot, be installed; the error lists them with the command that installs them.
pub(super) fn provide(workspace: &Workspace, may_install: bool) -> Result<()> {
    let missing = missing(is_installed);
    if missing.is_empty() {
        return Ok(());
    }
    let list = list(&missing);
    if !may_install {
        bail!("{list}");
    }
    if !is_installed("apt-get") {
        bail!("{list}\nthis system has no apt-get; install what brings these programs with its own package manager");
    }
    eprintln!("{list}\ninstalling them now; `--no-install` would stop here instead");
    let prefix = as_administrator(workspace)?;
    if missing.iter().any(|program| program.package == POSTGRES) && !Path::new(POSTGRES_CLUSTERS).exists() {
        eprintln!("writing {POSTGRES_CLUSTERS} first, so that no PostgreSQL server of the system is made and started");
        no_cluster(prefix, workspace).run().with_context(|| list.clone())?;
    }
    for arguments in [vec!["update", "-qq"], install_arguments(&missing)] {
        apt_get(prefix, &arguments, workspace).run().with_context(|| list.clone())?;
    }
    let left = self::missing(is_installed);
    if !left.is_empty() {
        bail!("still missing after the installation: {}", names(&left));
    }
    Ok(())
}

fn missing(is_installed: impl Fn(&str) -> bool) -> Vec<Program> {
    PROGRAMS.iter().copied().filter(|program| !is_installed(program.name)).collect()
}

/// What is missing, and the command that installs it.
fn list(missing: &[Program]) -> String {
    let command = ["apt-get"].into_iter().chain(install_arguments(missing)).collect::<Vec<_>>().join(" ");
    format!("tests need programs that are missing: {}; they come with: {command}", names(missing))
}

fn names(programs: &[Program]) -> String {
    programs.iter().map(|program| program.name).collect::<Vec<_>>().join(", ")
}

fn install_arguments(missing: &[Program]) -> Vec<&'static str> {
    let packages: BTreeSet<&str> = missing.iter().map(|program| program.package).collect();
    ["install", "-y", "--no-install-recommends"].into_iter().chain(packages).collect()
}

fn is_installed(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
        || is_in_a_version(program, Path::new(POSTGRES_VERSIONS))
}

fn is_in_a_version(program: &str, place: &Path) -> bool {
    let mut versions = place.read_dir().into_iter().flatten().flatten();
    versions.any(|version| version.path().join("bin").join(program).is_file())
}

/// `sudo`, unless this is root already or there is none.
fn as_administrator(workspace: &Workspace) -> Result<Option<&'static str>> {
    let is_root = Job::new("id", ["-u"], workspace.root()).capture()?.trim() == "0";
    Ok((!is_root && is_installed("sudo")).then_some("sudo"))
}

/// The package of PostgreSQL leaves a file as it is that it finds there. Who wants a server of the system later still makes one
/// with `pg_createcluster`.
fn no_cluster(prefix: Option<&'static str>, workspace: &Workspace) -> Job {
    let script = format!(
        "mkdir -p \"$(dirname {POSTGRES_CLUSTERS})\" && echo 'create_main_cluster = false' >{POSTGRES_CLUSTERS}"
    );
    let words: Vec<String> = prefix.into_iter().chain(["sh", "-c"]).map(str::to_owned).chain([script]).collect();
    Job::new(prefix.unwrap_or("sh"), words.into_iter().skip(1), workspace.root())
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

    #[test]
    fn a_complete_machine_lacks_nothing() {
        assert_eq!(missing(|_| true), []);
    }

    #[test]
    fn the_list_names_programs_and_the_command_that_installs_them() {
        assert_eq!(
            list(&missing(|_| false)),
            "tests need programs that are missing: redis-server, redis-cli, postgres, psql; they come with: \
             apt-get install -y --no-install-recommends postgresql postgresql-client redis-server redis-tools"
        );
        let only = list(&missing(|program| program != "redis-cli"));
        assert!(only.contains("missing: redis-cli; ") && only.ends_with(" redis-tools"), "{only}");
        assert!(!only.contains("redis-server"), "{only}");
    }

    #[test]
    fn programs_are_found_in_path() {
        assert!(is_installed("sh"));
        assert!(!is_installed("no-such-program"));
    }

    #[test]
    fn programs_are_found_in_the_folder_of_any_version() -> Result<()> {
        let place = env::temp_dir().join(format!("lucihub-xtask-{}", std::process::id()));
        let folder = place.join("15/bin");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("postgres"), "")?;
        let found = ["postgres", "psql"].map(|program| is_in_a_version(program, &place));
        std::fs::remove_dir_all(&place)?;
        assert_eq!(found, [true, false]);
        assert!(!is_in_a_version("postgres", &place), "a system without the folder");
        Ok(())
    }

    #[test]
    fn the_file_against_a_server_of_the_system_is_written_as_administrator() -> Result<()> {
        let command = no_cluster(Some("sudo"), &Workspace::load()?).to_string();
        assert!(command.starts_with("sudo sh -c '") && command.contains(POSTGRES_CLUSTERS), "{command}");
        Ok(())
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
