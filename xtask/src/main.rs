//! `cargo xtask`: what the maintainers of this repository run, locally and in CI alike.
//!
//! One file is one subcommand: [`mod@test`] runs every test, [`ci`] every check, [`tidy`] the properties of the repository that no compiler
//! checks. A new subcommand is a file beside them and a variant of [`Task`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user on the terminal")]

mod bench;
mod chaos;
mod ci;
mod codegen;
mod fuzz;
mod installed;
mod job;
mod migrate;
mod programs;
mod python;
mod recipe;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Maintainers' tasks of LuciHub's storage.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
enum Task {
    /// Set up and run every test.
    Test(test::Options),
    /// Run every check that CI runs, each one timed; stops at the first that fails.
    Ci(ci::Options),
    /// Write what is generated from the models: schemas, the data model's page, types in other languages.
    Codegen(codegen::Options),
    /// Measure the storage beside the limits of what it stands on.
    Bench(bench::Options),
    /// Record runs while servers are killed, frozen, emptied and cut, and check what is left.
    Chaos(chaos::Options),
    /// Let libFuzzer search for input that a decoder of stored bytes does not bear.
    Fuzz(fuzz::Options),
    /// Make a new migration; look at the tables of a database and change them.
    Migrate(migrate::Options),
    /// Follow the recipe of a new version of the models on a copy of core, and see that everything holds.
    Recipe(recipe::Options),
    /// Check the properties of the repository that no compiler checks.
    Tidy,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::load()?;
    match &arguments.task {
        Task::Test(options) => test::run(&workspace, options),
        Task::Ci(options) => ci::run(&workspace, options),
        Task::Codegen(options) => codegen::run(&workspace, options),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::Chaos(options) => chaos::run(&workspace, options),
        Task::Fuzz(options) => fuzz::run(&workspace, options),
        Task::Migrate(options) => migrate::run(&workspace, options),
        Task::Recipe(options) => recipe::run(&workspace, options),
        Task::Tidy => tidy::run(&workspace),
    }
}
