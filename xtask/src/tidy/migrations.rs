//! Each migration goes up and down: `migrations/<engine>/<stamp>_<name>/{up,down}.sql`, every engine has the same ones, and
//! each `up.sql` says who may still use the schema after it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

const DIRECTIONS: [&str; 2] = ["up.sql", "down.sql"];

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = check_files(repository.files());
    for file in repository.files().filter(|file| file.starts_with("migrations/") && file.ends_with("/up.sql")) {
        findings.extend(check_header(file, &repository.text(file)?.unwrap_or_default()));
    }
    Ok(findings)
}

/// The header of an `up.sql`: the comments before its first statement. The build reads the same lines.
pub(super) fn check_header(file: &str, text: &str) -> Option<Finding> {
    const OLDEST: &str = "-- oldest generation:";
    let mut head = text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("--"));
    match head.find_map(|line| line.strip_prefix(OLDEST)) {
        Some(number) if number.trim().parse::<u32>().is_ok_and(|number| number > 0) => None,
        Some(_) => Some(Finding::file(file, format!("has no number after `{OLDEST}`; state a generation, 1 or more"))),
        None => Some(Finding::file(
            file,
            format!(
                "lacks `{OLDEST} N`; state the oldest generation of the library that may still use the schema after it"
            ),
        )),
    }
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
    fn a_header_states_a_generation() {
        let finding = |text: &str| check_header("migrations/sqlite/1_a/up.sql", text).map(|finding| finding.message);
        assert_eq!(finding("-- What it is for.\n\n-- oldest generation: 2\nSELECT 1;\n"), None);
        for text in
            ["", "SELECT 1;\n-- oldest generation: 1\n", "-- oldest generation: none\n", "-- oldest generation: 0\n"]
        {
            assert!(finding(text).is_some_and(|message| message.contains("oldest generation")), "{text}");
        }
    }

    #[test]
    fn a_script_in_no_migration_is_a_finding() {
        assert_eq!(paths(&["migrations/sqlite/up.sql"]), ["migrations/sqlite/up.sql"]);
    }
}
