//! `cargo xtask ci`: the checks that CI runs, in order, each one timed.
//!
//! A new step is a variant of [`Step`] and its arm in [`Step::run`].

mod deny;
mod features;
mod promises;

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{codegen, job::Job, recipe, tidy, workspace::Workspace};

/// Options of `cargo xtask ci`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run this step alone.
    #[arg(long, value_name = "STEP")]
    only: Option<Step>,
}

/// One check. They run in this order.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Step {
    /// The sources are formatted.
    Fmt,
    /// No lint warns.
    Clippy,
    /// The documentation builds without a warning.
    Doc,
    /// Licences, banned crates and sources of dependencies.
    Deny,
    /// Each published crate compiles with each of its features alone.
    Features,
    /// Crates stay free of the dependencies that they promise to be free of.
    Promises,
    /// The properties of the repository that no compiler checks.
    Tidy,
    /// What is generated from the models is what they say, and released versions are as they were.
    Codegen,
    /// A new version of the models is added by its recipe, on a copy.
    Recipe,
}

impl Step {
    fn run(self, workspace: &Workspace) -> Result<()> {
        let cargo = |arguments: &[&str]| Job::cargo(arguments.iter().copied(), workspace.root());
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"]).run(),
            Self::Clippy => {
                cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]).run()
            }
            Self::Doc => cargo(&["doc", "--workspace", "--no-deps", "--all-features"])
                .with_environment("RUSTDOCFLAGS", "-D warnings")
                .run(),
            Self::Deny => deny::run(workspace),
            Self::Features => features::run(workspace),
            Self::Promises => promises::run(workspace),
            Self::Tidy => tidy::run(workspace),
            Self::Codegen => codegen::check(workspace),
            Self::Recipe => recipe::run(workspace, &recipe::Options::default()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// Runs the steps and prints how long each took.
///
/// # Errors
/// At the first step that fails; the error names the command that repeats it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let steps = options.only.as_ref().map_or(Step::value_variants(), std::slice::from_ref);
    let mut times = Vec::new();
    let mut outcome = Ok(());
    for step in steps {
        println!("== {step} ==");
        let start = Instant::now();
        outcome = step
            .run(workspace)
            .with_context(|| format!("step {step} failed; repeat it with `cargo xtask ci --only {step}`"));
        times.push((step.to_string(), start.elapsed()));
        if outcome.is_err() {
            break;
        }
    }
    print!("{}", table(&times));
    outcome
}

/// One line per step and one for the total, in seconds.
fn table(times: &[(String, Duration)]) -> String {
    let total = ("total".to_owned(), times.iter().map(|(_, time)| *time).sum());
    let lines = times.iter().chain([&total]).map(|(step, time)| format!("{step:<10} {:>8.1} s\n", time.as_secs_f64()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_the_total() {
        let times = [("fmt".to_owned(), Duration::from_millis(1500)), ("clippy".to_owned(), Duration::from_secs(60))];
        assert_eq!(table(&times), "fmt             1.5 s\nclippy         60.0 s\ntotal          61.5 s\n");
    }

    #[test]
    fn steps_are_named_as_they_are_typed() {
        let names: Vec<_> = Step::value_variants().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["fmt", "clippy", "doc", "deny", "features", "promises", "tidy", "codegen", "recipe"]);
    }
}
