//! `cargo xtask migrate new`: the files of a new migration, for every engine.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::workspace::Workspace;

/// What the files begin with. The lines with a colon are read by the build; see `crates/lucihub-cold/README.md`.
const UP: &str = "\
-- oldest generation: 2
--
-- What it is for. State above the oldest generation of the library that may still use the schema after it: leave it as it
-- is while tables, columns and indexes are only added; see `How to add a column` in crates/lucihub-cold/README.md.

";

/// Only PostgreSQL has statements that cannot run in a transaction.
const UP_POSTGRES: &str = "\
-- A large table gets an index beside its writers by CREATE INDEX CONCURRENTLY IF NOT EXISTS, which cannot run in a
-- transaction: add the line `-- in a transaction: no` above, end each statement with its line, and make each repeatable.

";

const DOWN: &str = "-- Undo it, last thing first.\n";

/// Makes the files and prints their names.
pub(super) fn make(workspace: &Workspace, name: &str) -> Result<()> {
    let migrations = workspace.root().join("migrations");
    #[expect(clippy::disallowed_methods, reason = "a stamp is the time at which its migration is written")]
    let now = OffsetDateTime::now_utc();
    let folder = folder(name, now)?;
    let engines = folders(&migrations)?;
    for engine in &engines {
        refuse_another(&folders(&migrations.join(engine))?, name)?;
    }
    for engine in engines {
        let place = migrations.join(&engine).join(&folder);
        fs::create_dir(&place).with_context(|| format!("cannot make {}", place.display()))?;
        let up = if engine == "postgres" { format!("{UP}{UP_POSTGRES}") } else { UP.to_owned() };
        for (file, text) in [("up.sql", &*up), ("down.sql", DOWN)] {
            fs::write(place.join(file), text)?;
            println!("migrations/{engine}/{folder}/{file}");
        }
    }
    println!("then: crates/lucihub-cold/src/schema.rs, which a test compares with a migrated database");
    Ok(())
}

/// The stamp and the name, as `2026-11-23-000000_first`.
fn folder(name: &str, now: OffsetDateTime) -> Result<String> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        bail!("{name:?} will not do as a name; use a-z, 0-9 and _, such as run_priority");
    }
    let stamp = now.format(format_description!("[year]-[month]-[day]-[hour][minute][second]"))?;
    Ok(format!("{stamp}_{name}"))
}

/// Two of one name are told apart by their stamps alone, in messages and by people.
fn refuse_another(folders: &[String], name: &str) -> Result<()> {
    let taken = folders.iter().find(|folder| folder.split_once('_').is_some_and(|(_, taken)| taken == name));
    taken.map_or(Ok(()), |taken| bail!("{taken} has that name; take another, such as {name}_2"))
}

fn folders(place: &Path) -> Result<Vec<String>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(place).with_context(|| format!("cannot read {}", place.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::tidy::has_header;

    #[test]
    fn a_folder_is_a_stamp_and_a_name() {
        let at = datetime!(2026-11-25 09:05:07 UTC);
        assert_eq!(folder("run_priority", at).unwrap(), "2026-11-25-090507_run_priority");
        for name in ["", "two words", "../up", "Größe", "--help"] {
            assert!(folder(name, at).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_is_taken_once() {
        let there = ["2026-11-25-090507_run_priority".to_owned()];
        let error = refuse_another(&there, "run_priority").unwrap_err().to_string();
        assert!(error.contains(&there[0]), "{error}");
        for free in ["priority", "run_priority_2", "run"] {
            refuse_another(&there, free).unwrap();
        }
    }

    #[test]
    fn the_templates_are_tidy() {
        for text in [UP.to_owned(), format!("{UP}{UP_POSTGRES}")] {
            assert!(has_header(&text), "{text}");
        }
    }
}
