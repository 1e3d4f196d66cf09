//! Step `promises`: crates stay free of the dependencies that they promise to be free of, asked of `cargo tree`.
//!
//! A new promise is a row of [`PROMISES`].

use anyhow::{Result, bail};

use crate::{job::Job, workspace::Workspace};

/// What a row of the table asks about.
#[derive(Clone, Copy, Debug)]
enum Scope {
    /// One package with all its features.
    Whole(&'static str),
    /// One package with these features and no defaults.
    With(&'static str, &'static str),
    /// All members with all features on every platform, tests and build scripts included.
    Workspace,
}

/// Packages that are absent below a scope.
#[derive(Clone, Copy, Debug)]
struct Promise {
    scope: Scope,
    absent: &'static [&'static str],
    reason: &'static str,
}

const PROMISES: &[Promise] = &[
    Promise {
        scope: Scope::Whole("lucihub-models-core"),
        absent: &["tokio", "diesel", "diesel-async", "fred", "libsqlite3-sys", "pco", "reqwest", "rustls"],
        reason: "models and ports do no I/O, and a parameter schema is never fetched",
    },
    Promise {
        scope: Scope::With("lucihub-models-core", ""),
        absent: &["jsonschema", "referencing", "regex"],
        reason: "only who asks for feature `check` compiles a validator",
    },
    Promise {
        scope: Scope::With("lucihub-store", "memory,postgres,redis,sqlite"),
        absent: &["jsonschema"],
        reason: "no adapter asks for feature `check`",
    },
    Promise {
        scope: Scope::Whole("lucihub-hot"),
        absent: &["diesel", "diesel-async", "libsqlite3-sys", "pco"],
        reason: "workers and scanners use hot storage and compile no database",
    },
    Promise {
        scope: Scope::Whole("lucihub-cold"),
        absent: &["fred"],
        reason: "readers of history compile no Redis client",
    },
    Promise {
        scope: Scope::With("lucihub-store", "memory"),
        absent: &["lucihub-cold", "diesel", "diesel_migrations", "diesel-async", "libsqlite3-sys", "pco"],
        reason: "a worker's set: it records and compiles no database",
    },
    Promise {
        scope: Scope::With("lucihub-store", "redis"),
        absent: &["lucihub-cold", "diesel", "diesel_migrations", "diesel-async", "libsqlite3-sys", "pco"],
        reason: "a worker's or scanner's set on a shared server: no database either",
    },
    Promise {
        scope: Scope::With("lucihub-store", "sqlite"),
        absent: &["lucihub-hot", "fred"],
        reason: "a reader's set: it looks at history and compiles no hot storage",
    },
    Promise {
        scope: Scope::With("lucihub-store", "postgres"),
        absent: &["lucihub-hot", "fred", "libsqlite3-sys"],
        reason: "an API server's set: it compiles no SQLite",
    },
    Promise {
        scope: Scope::With("lucihub-cli", ""),
        absent: &["arrow-array", "arrow-ipc", "arrow-schema", "parquet"],
        reason: "only who asks for feature `export` compiles Arrow and Parquet",
    },
    Promise {
        scope: Scope::Workspace,
        absent: &["pq-sys", "openssl-sys", "aws-lc-rs", "aws-lc-sys"],
        reason: "a C compiler is all that a build needs of the system, and there is one TLS provider, ring",
    },
];

/// Asks `cargo tree` about every row.
///
/// # Errors
/// At the first promise that is broken; the error holds the path to the package that should be absent.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    for promise in PROMISES {
        let tree = Job::cargo(tree_arguments(promise.scope), workspace.root());
        println!("$ {tree}   # no {}", promise.absent.join(", "));
        let names = package_names(&tree.capture()?);
        if names.is_empty() {
            bail!("no package at all in the output of: {tree}");
        }
        if let Some(package) = promise.absent.iter().find(|package| names.iter().any(|name| name == *package)) {
            let mut path = tree_arguments(promise.scope);
            path.extend(["--invert".to_owned(), (*package).to_owned()]);
            bail!(
                "{package} must be absent here ({}); see who pulls it in with: {}",
                promise.reason,
                Job::cargo(path, workspace.root())
            );
        }
    }
    Ok(())
}

fn tree_arguments(scope: Scope) -> Vec<String> {
    let scope: &[&str] = match scope {
        Scope::Whole(package) => &["--edges", "normal", "--package", package, "--all-features"],
        Scope::With(package, features) => {
            &["--edges", "normal", "--package", package, "--no-default-features", "--features", features]
        }
        Scope::Workspace => &["--edges", "all", "--workspace", "--all-features", "--target", "all"],
    };
    ["tree", "--prefix", "none", "--format", "{p}"].iter().chain(scope).map(ToString::to_string).collect()
}

/// The first word of each line of `cargo tree`.
fn package_names(tree: &str) -> Vec<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        let tree = "lucihub-hot v0.1.0 (/somewhere)\ntokio-stream v0.1.19\ntokio v1.54.0 (*)\n";
        assert_eq!(package_names(tree), ["lucihub-hot", "tokio-stream", "tokio"]);
    }

    #[test]
    fn every_promise_names_packages_and_a_reason() {
        for promise in PROMISES {
            assert!(!promise.absent.is_empty() && !promise.reason.is_empty(), "{promise:?}");
        }
    }

    #[test]
    fn features_are_asked_for_without_the_defaults() {
        let arguments = tree_arguments(Scope::With("lucihub-store", "memory")).join(" ");
        assert!(arguments.ends_with("--package lucihub-store --no-default-features --features memory"), "{arguments}");
    }
}
