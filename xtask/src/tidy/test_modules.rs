//! Each file of a crate whose tests are one program is a module of it: a file that nobody names is compiled by nobody, and says so nowhere.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for main in repository.files().filter(|file| file.ends_with("/tests/main.rs")) {
        let folder = main.trim_end_matches("main.rs");
        let manifest = format!("{}Cargo.toml", folder.trim_end_matches("tests/"));
        let (main, manifest) = (repository.text(main)?, repository.text(&manifest)?);
        let named = named(&main.unwrap_or_default(), &manifest.unwrap_or_default());
        findings.extend(check_files(folder, &named, repository.files()));
    }
    Ok(findings)
}

/// Modules of the program, and programs of their own.
fn named(main: &str, manifest: &str) -> BTreeSet<String> {
    let module = |line: &str| Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned());
    let program = |line: &str| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned());
    main.lines().filter_map(module).chain(manifest.lines().filter_map(program)).collect()
}

fn check_files<'a>(folder: &str, named: &BTreeSet<String>, files: impl Iterator<Item = &'a str>) -> Vec<Finding> {
    files
        .filter(|file| !matches!(stem(folder, file), None | Some("main")))
        .filter(|file| stem(folder, file).is_some_and(|stem| !named.contains(stem)))
        .map(|file| Finding::file(file, format!("is compiled by nobody; name it in {folder}main.rs: `mod ...;`")))
        .collect()
}

/// `x` of `x.rs` and of `x/mod.rs`.
fn stem<'a>(folder: &str, file: &'a str) -> Option<&'a str> {
    let file = file.strip_prefix(folder)?;
    let stem = file.strip_suffix("/mod.rs").or_else(|| file.strip_suffix(".rs"))?;
    (!stem.contains('/')).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "//! All.\n\n#[cfg(test)]\nmod keepers;\n#[cfg(test)]\nmod lab;\n";
    const MANIFEST: &str = "[[test]]\nname = \"observe\"\n";

    fn unnamed(files: &[&str]) -> Vec<String> {
        let named = named(MAIN, MANIFEST);
        check_files("a/tests/", &named, files.iter().copied()).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn modules_and_programs_of_their_own_pass() {
        let files = ["a/tests/main.rs", "a/tests/keepers.rs", "a/tests/lab/mod.rs", "a/tests/observe.rs"];
        assert_eq!(unnamed(&files), Vec::<String>::new());
    }

    #[test]
    fn what_nobody_names_is_found() {
        assert_eq!(unnamed(&["a/tests/gone.rs", "a/tests/more/mod.rs"]), ["a/tests/gone.rs", "a/tests/more/mod.rs"]);
    }

    #[test]
    fn other_files_are_not_looked_at() {
        assert_eq!(unnamed(&["a/tests/lab/part.rs", "a/tests/data.json", "b/tests/x.rs"]), Vec::<String>::new());
    }
}
