//! Each Rust source is short, begins by saying what it is, and uses `#[expect]` instead of `#[allow]`.

use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Finding, repository::Repository};
use crate::workspace::Workspace;

/// A file is one concept; longer ones hold two.
const MOST_LINES: usize = 400;

pub(super) fn check(repository: &Repository, _: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in repository.sources() {
        match repository.text(path)? {
            Some(text) => findings.extend(check_source(path, &text)),
            None => findings.push(Finding::file(path, "is not UTF-8; save it as UTF-8")),
        }
    }
    Ok(findings)
}

fn check_source(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES {
        findings
            .push(Finding::file(path, format!("has {lines} lines, the limit is {MOST_LINES}; split it by concept")));
    }
    if !text.lines().next().is_some_and(says_what_it_is) {
        findings.push(Finding::at(path, 1, "begins without a `//!` line; say in one sentence what the file is"));
    }
    match text.parse::<TokenStream>() {
        Ok(tokens) => find_allow(path, tokens, &mut findings),
        Err(error) => findings.push(Finding::at(path, error.span().start().line, format!("is not Rust: {error}"))),
    }
    findings
}

/// A documentation line, or the readme as documentation of a whole crate.
fn says_what_it_is(line: &str) -> bool {
    line.starts_with("#![doc = include_str!(") || line.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty())
}

/// Looks at tokens and not at text, so that strings and comments may speak of it, and macros may not hide it.
fn find_allow(path: &str, tokens: TokenStream, findings: &mut Vec<Finding>) {
    let mut after_hash = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                if after_hash && group.delimiter() == Delimiter::Bracket {
                    find_allow_in_attribute(path, group.stream(), findings);
                } else {
                    find_allow(path, group.stream(), findings);
                }
                after_hash = false;
            }
            TokenTree::Punct(punct) => {
                after_hash = punct.as_char() == '#' || (after_hash && punct.as_char() == '!');
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => after_hash = false,
        }
    }
}

/// `allow(...)` at any depth, for it may stand in `cfg_attr`.
fn find_allow_in_attribute(path: &str, attribute: TokenStream, findings: &mut Vec<Finding>) {
    let mut allow = None;
    for token in attribute {
        match token {
            TokenTree::Ident(ident) => {
                allow = (ident == "allow").then(|| ident.span().start().line);
            }
            TokenTree::Group(group) => {
                if let Some(line) = allow.take().filter(|_| !depends_on_who_compiles(group.stream())) {
                    findings.push(Finding::at(
                        path,
                        line,
                        "`allow` attribute; use `#[expect(lint, reason = \"...\")]`",
                    ));
                }
                find_allow_in_attribute(path, group.stream(), findings);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => allow = None,
        }
    }
}

/// `dead_code` and `unused_imports`, with a reason: of a file that several test programs share, and of what a macro writes, each use leaves
/// other parts unused, so that an expectation would fail in some of them.
fn depends_on_who_compiles(arguments: TokenStream) -> bool {
    let words: Vec<String> = arguments
        .into_iter()
        .filter_map(|token| if let TokenTree::Ident(ident) = token { Some(ident.to_string()) } else { None })
        .collect();
    matches!(words.as_slice(), [lint, reason] if ["dead_code", "unused_imports"].contains(&lint.as_str()) && reason == "reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: [usize; 0] = [];

    fn lines_of(text: &str) -> Vec<usize> {
        check_source("crates/x/src/lib.rs", text).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_good_source_passes() {
        assert_eq!(check_source("a.rs", "//! What it is.\nfn f() {}\n"), []);
    }

    #[test]
    fn the_first_line_says_what_the_file_is() {
        assert_eq!(lines_of("fn f() {}\n"), [1]);
        assert_eq!(lines_of("//!\nfn f() {}\n"), [1]);
        assert_eq!(lines_of("// A.\nfn f() {}\n"), [1]);
        assert_eq!(lines_of("#![doc = include_str!(\"../README.md\")]\n"), NOWHERE);
        assert_eq!(lines_of(""), [1]);
    }

    #[test]
    fn the_limit_of_lines_is_exact() {
        let text = |lines| format!("//! A.\n{}", "\n".repeat(lines - 1));
        assert_eq!(check_source("a.rs", &text(MOST_LINES)), []);
        assert!(check_source("a.rs", &text(MOST_LINES + 1))[0].message.contains("401 lines"));
    }

    #[test]
    fn allow_is_found_wherever_it_hides() {
        assert_eq!(lines_of("//! A.\n#[allow(dead_code)]\nfn f() {}\n"), [2]);
        assert_eq!(lines_of("//! A.\n#![allow(dead_code)]\n"), [2]);
        assert_eq!(lines_of("//! A.\n\n#[cfg_attr(test, allow(dead_code))]\nfn f() {}\n"), [3]);
        assert_eq!(lines_of("//! A.\nmacro_rules! m { () => {\n#[allow(dead_code)] fn f() {} } }\n"), [3]);
    }

    #[test]
    fn what_depends_on_who_compiles_may_be_allowed_with_a_reason() {
        assert_eq!(lines_of("//! A.\n#![allow(dead_code, reason = \"shared\")]\n"), NOWHERE);
        assert_eq!(lines_of("//! A.\n#![allow(dead_code, unused_imports, reason = \"shared\")]\n"), [2]);
        assert_eq!(lines_of("//! A.\n#![allow(clippy::panic, reason = \"shared\")]\n"), [2]);
    }

    #[test]
    fn other_uses_of_the_word_are_free() {
        assert_eq!(
            lines_of("//! A.\n// #[allow(x)]\nfn f() { let s = \"#[allow(x)]\"; allow(s); g([allow(s)]); }\n"),
            NOWHERE
        );
        assert_eq!(lines_of("//! A.\n#[expect(dead_code, reason = \"allow (this)\")]\nfn f() {}\n"), NOWHERE);
    }
}
