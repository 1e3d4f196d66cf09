//! Each file of a crate whose tests are one program is a module of it: a file that nobody names is compiled by nobody, and says so nowhere.

use anyhow::Result;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for main in repository.files().filter(|file| file.ends_with("/tests/main.rs")) {
        let tests = main.trim_end_matches("main.rs");
        let manifest = repository.text(&format!("{}Cargo.toml", tests.trim_end_matches("tests/")))?.unwrap_or_default();
        for file in repository.files().filter(|file| file.starts_with(tests) && file.ends_with(".rs")) {
            let Some((parents, module)) = place(file).filter(|_| !is_program(tests, file, &manifest)) else { continue };
            let mut named = false;
            for parent in parents {
                named |= repository.files().any(|file| file == parent)
                    && repository.text(&parent)?.is_some_and(|text| names(&text, module));
            }
            if !named {
                findings.push(Finding::file(file, format!("is compiled by nobody; name it: `mod {module};`")));
            }
        }
    }
    Ok(findings)
}

/// The files that may name a file as a module of theirs, and the name of it.
fn place(file: &str) -> Option<([String; 3], &str)> {
    let stem = file.strip_suffix("/mod.rs").or_else(|| file.strip_suffix(".rs"))?;
    let (folder, module) = stem.rsplit_once('/')?;
    Some(([format!("{folder}/main.rs"), format!("{folder}/mod.rs"), format!("{folder}.rs")], module))
}

/// Whether cargo compiles a file by itself: the program of a crate, or one that its manifest has beside it.
fn is_program(tests: &str, file: &str, manifest: &str) -> bool {
    let path = &file[tests.len()..];
    let is_named = |name: &str| manifest.lines().any(|line| line == format!("name = \"{name}\""));
    path == "main.rs"
        || manifest.lines().any(|line| line == format!("path = \"tests/{path}\""))
        || path.strip_suffix(".rs").is_some_and(|name| !name.contains('/') && is_named(name))
}

fn names(text: &str, module: &str) -> bool {
    text.lines().any(|line| {
        line.trim()
            .trim_start_matches("pub(crate) ")
            .strip_prefix("mod ")
            .is_some_and(|rest| rest == format!("{module};"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "[[test]]\nname = \"observe\"\n\n[[test]]\nname = \"d\"\npath = \"tests/decoders/main.rs\"\n";

    #[test]
    fn a_file_is_named_by_the_one_above_it() {
        let (parents, module) = place("a/tests/lab/part.rs").unwrap();
        assert_eq!(
            (parents, module),
            (["a/tests/lab/main.rs", "a/tests/lab/mod.rs", "a/tests/lab.rs"].map(str::to_owned), "part")
        );
        let (parents, module) = place("a/tests/lab/mod.rs").unwrap();
        assert_eq!((&*parents[0], module), ("a/tests/main.rs", "lab"));
        assert!(place("a/tests/data.json").is_none());
    }

    #[test]
    fn a_name_is_a_line_of_its_own() {
        let text = "//! All.\n\n#[cfg(test)]\nmod keepers;\n    pub(crate) mod lab;\n// mod gone;\nmod keepers_more;\n";
        assert!(names(text, "keepers") && names(text, "lab"));
        assert!(!names(text, "gone") && !names(text, "more"));
    }

    #[test]
    fn programs_of_their_own_are_in_the_manifest() {
        let is_program = |file: &str| is_program("a/tests/", file, MANIFEST);
        assert!(
            is_program("a/tests/main.rs") && is_program("a/tests/observe.rs") && is_program("a/tests/decoders/main.rs")
        );
        assert!(
            !is_program("a/tests/gone.rs")
                && !is_program("a/tests/decoders/fuzz.rs")
                && !is_program("a/tests/x/main.rs")
        );
    }
}
