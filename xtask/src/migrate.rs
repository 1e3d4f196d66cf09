//! `cargo xtask migrate`: the schema of a database, from the sources.
//!
//! `new` is done here. The rest is `lucihub migrate`'s, built from here: so that `cargo xtask` itself compiles no database.

mod new;

use anyhow::{Result, bail};
use clap::Args;

use crate::job::Job;
use crate::workspace::Workspace;

/// `cargo xtask migrate`
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `new NAME` for the files of a new migration; else what `lucihub migrate` takes: `status`, `up`, `down`, `redo` or
    /// `check`, and `--database-url URL` or `--dir DIR`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// What there is here beside the command's own.
const NEW: &str = "\
Make a new migration, or run `lucihub migrate`, built from here.

  cargo xtask migrate new NAME   Make the files of a new migration for every engine; a-z, 0-9 and _, such as run_priority
  cargo xtask migrate ...        What `lucihub migrate` takes:
";

/// Makes the files of a new migration; or builds and calls `lucihub migrate`, in the folder that this was called from.
///
/// # Errors
/// Where the name will not do; where it does not build, or fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    match &options.arguments[..] {
        [new, name] if new == "new" && !name.starts_with('-') => new::make(workspace, name),
        [new, ..] if new == "new" => bail!("write: cargo xtask migrate new NAME, such as run_priority"),
        [help] if ["--help", "-h", "help"].contains(&&**help) => {
            println!("{NEW}");
            call(workspace, &["--help".to_owned()])
        }
        arguments => call(workspace, arguments),
    }
}

fn call(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let manifest = workspace.root().join("Cargo.toml");
    let cargo = ["run", "--quiet", "--manifest-path"].map(str::to_owned);
    let lucihub = ["--package", "lucihub-cli", "--", "migrate"].map(str::to_owned);
    let arguments =
        cargo.into_iter().chain([manifest.display().to_string()]).chain(lucihub).chain(arguments.iter().cloned());
    Job::cargo(arguments, &std::env::current_dir()?).run()
}
