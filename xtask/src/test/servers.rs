//! The programs of servers that tests start, the browser that they open pages in, and how a machine gets them.
//!
//! A new one is a row of [`SERVERS`] or of [`BESIDE`] for each of its programs.

use std::path::Path;

use anyhow::Result;

use crate::programs::{Program, is_in_path, provide as provide_programs};
use crate::{job::Job, workspace::Workspace};

const SERVERS: [Program; 4] = [
    Program { name: "redis-server", package: "redis-server", is_there: is_in_path },
    Program { name: "redis-cli", package: "redis-tools", is_there: is_in_path },
    Program { name: "postgres", package: POSTGRES, is_there: is_in_path_or_version },
    Program { name: "psql", package: "postgresql-client", is_there: is_in_path_or_version },
];

/// What tests need beside them.
const BESIDE: [Program; 2] = [
    // The worker in examples/python-worker: its standard library is all that it needs.
    Program { name: "python3", package: "python3", is_there: is_in_path },
    // What pages of HTML are opened in.
    Program { name: "chromium", package: "chromium", is_there: is_in_path },
];

const POSTGRES: &str = "postgresql";
/// Debian has the programs of each version of PostgreSQL in `NUMBER/bin` here, and those of the server not in `PATH`.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
/// What Debian asks before it makes a server of the system with the package.
const POSTGRES_CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Sees to it that every program is there that tests need.
///
/// # Errors
/// As [`provide_servers`].
pub(super) fn provide(workspace: &Workspace, may_install: bool) -> Result<()> {
    provide_all(workspace, "tests", &everything(), may_install)
}

/// Sees to it that the servers are there. Packages come from apt-get; that may also start a Redis of the system, which nobody
/// looks at: those of a task listen on ports of their own. It makes no PostgreSQL server of the system, unless someone has told
/// it how to make one. `who` needs them, for the words of an error.
///
/// # Errors
/// Where programs are missing and must not, or cannot, be installed; the error lists them with the command that installs them.
pub(crate) fn provide_servers(workspace: &Workspace, who: &str, may_install: bool) -> Result<()> {
    provide_all(workspace, who, &SERVERS, may_install)
}

fn everything() -> Vec<Program> {
    SERVERS.into_iter().chain(BESIDE).collect()
}

fn provide_all(workspace: &Workspace, who: &str, programs: &[Program], may_install: bool) -> Result<()> {
    provide_programs(workspace, who, programs, may_install, |missing, prefix, workspace| {
        if missing.iter().all(|program| program.package != POSTGRES) || Path::new(POSTGRES_CLUSTERS).exists() {
            return Ok(());
        }
        eprintln!("writing {POSTGRES_CLUSTERS} first, so that no PostgreSQL server of the system is made and started");
        no_cluster(prefix, workspace).run()
    })
}

fn is_in_path_or_version(program: &str) -> bool {
    is_in_path(program) || is_in_a_version(program, Path::new(POSTGRES_VERSIONS))
}

fn is_in_a_version(program: &str, place: &Path) -> bool {
    let mut versions = place.read_dir().into_iter().flatten().flatten();
    versions.any(|version| version.path().join("bin").join(program).is_file())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::list;

    #[test]
    fn the_list_names_programs_and_the_command_that_installs_them() {
        assert_eq!(
            list("tests", &everything()),
            "tests need programs that are missing: redis-server, redis-cli, postgres, psql, python3, chromium; they come \
             with: apt-get install -y --no-install-recommends chromium postgresql postgresql-client python3 redis-server \
             redis-tools"
        );
    }

    #[test]
    fn programs_are_found_in_the_folder_of_any_version() -> Result<()> {
        let place = std::env::temp_dir().join(format!("lucihub-xtask-{}", std::process::id()));
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
}
