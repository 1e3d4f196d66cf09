//! What shells and `man` are given.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::failure::Failure;
use crate::{output, place};

/// Prints the completions for a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lucihub", &mut script);
    output::text(&script)
}

/// Writes the manual pages, one per verb.
pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    place::make_folder(&args.dir)?;
    let failed = |why| Failure::File { what: "write manual pages to", path: args.dir.clone(), why };
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(failed)?;
    output::say(format!("written: {}", args.dir.display()));
    Ok(())
}
