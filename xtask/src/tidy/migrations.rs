//! Each migration goes up and down: `migrations/<engine>/<stamp>_<name>/{up,down}.sql`, and every engine has the same ones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

const DIRECTIONS: [&str; 2] = ["up.sql", "down.sql"];

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    Ok(check_files(repository.files()))
}

fn check_files<'a>(files: impl Iterator<Item = &'a str>) -> Vec<Finding> {
    let mut engines: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in files.filter(|file| file.starts_with("migrations/")) {
        match file.split('/').collect::<Vec<_>>()[..] {
            [_, engine, migration, script] => {
                engines.entry(engine).or_default().entry(migration).or_default().insert(script);
            }
            _ if file.ends_with(".sql") => {
                findings.push(Finding::file(file, "is run by nothing; put it at migrations/<engine>/<stamp>_<name>/"));
            }
            _ => {}
        }
    }
    let all: BTreeSet<_> = engines.values().flat_map(BTreeMap::keys).copied().collect();
    for (engine, migrations) in &engines {
        for migration in &all {
            let scripts = migrations.get(migration);
            let missing =
                DIRECTIONS.iter().filter(|direction| !scripts.is_some_and(|scripts| scripts.contains(*direction)));
            findings.extend(missing.map(|direction| {
                Finding::file(
                    &format!("migrations/{engine}/{migration}/{direction}"),
                    "is missing; every migration goes up and down on every engine",
                )
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: &[&str]) -> Vec<String> {
        check_files(files.iter().copied()).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn pairs_pass() {
        assert_eq!(
            paths(&["migrations/sqlite/1_a/up.sql", "migrations/sqlite/1_a/down.sql", "migrations/README.md"]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn half_a_pair_is_a_finding() {
        assert_eq!(paths(&["migrations/sqlite/1_a/up.sql"]), ["migrations/sqlite/1_a/down.sql"]);
        assert_eq!(paths(&["migrations/sqlite/1_a/down.sql"]), ["migrations/sqlite/1_a/up.sql"]);
    }

    #[test]
    fn engines_have_the_same_migrations() {
        let files = [
            "migrations/sqlite/1_a/up.sql",
            "migrations/sqlite/1_a/down.sql",
            "migrations/postgres/2_b/up.sql",
            "migrations/postgres/2_b/down.sql",
        ];
        let expected = [
            "migrations/postgres/1_a/up.sql",
            "migrations/postgres/1_a/down.sql",
            "migrations/sqlite/2_b/up.sql",
            "migrations/sqlite/2_b/down.sql",
        ];
        assert_eq!(paths(&files), expected);
    }

    #[test]
    fn a_script_in_no_migration_is_a_finding() {
        assert_eq!(paths(&["migrations/sqlite/up.sql"]), ["migrations/sqlite/up.sql"]);
    }
}
