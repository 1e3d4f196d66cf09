//! No file holds an absolute path of the machine that it was written on.

use anyhow::Result;

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

/// First parts of paths where people and build machines keep their work.
const PLACES: &[&str] = &["work", "root", "home"];

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in repository.files() {
        if let Some(text) = repository.text(path)? {
            findings.extend(check_text(path, &text));
        }
    }
    Ok(findings)
}

fn check_text(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().enumerate().filter_map(|(index, line)| {
        let place = PLACES.iter().find(|place| names_place(line, place))?;
        Some(Finding::at(
            path,
            index + 1,
            format!("absolute path below /{place}; write it relative to the repository, or take it as a parameter"),
        ))
    });
    lines.collect()
}

/// Whether `line` holds `/place/` as the beginning of a path, and not as a part of a longer one.
fn names_place(line: &str, place: &str) -> bool {
    let needle = format!("/{place}/");
    line.match_indices(&needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "_-.~}*>)]".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written in parts, so that this file passes its own check.
    fn below(place: &str) -> String {
        format!("/{place}/someone")
    }

    #[test]
    fn absolute_paths_are_found_with_their_line() {
        for place in PLACES {
            for line in [
                below(place),
                format!("open(\"{}\")", below(place)),
                format!("sqlite:{}", below(place)),
                format!("file://{}", below(place)),
            ] {
                assert_eq!(check_text("a", &format!("\n{line}\n"))[0].line, 2, "{line}");
            }
        }
    }

    #[test]
    fn parts_of_other_paths_are_free() {
        for line in [
            "crates/work/src",
            "https://example.org/home/page",
            "../root/x",
            "~/work/x",
            "$DIR}/home/x",
            "/workshop/x",
            "/var/lib/lucihub",
        ] {
            assert_eq!(check_text("a", line), [], "{line}");
        }
    }
}
