//! What can be typed after `lucihub completions` and `lucihub man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `lucihub completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub completions bash > /etc/bash_completion.d/lucihub
  lucihub completions zsh > ~/.zfunc/_lucihub
  lucihub completions fish > ~/.config/fish/completions/lucihub.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    pub(crate) shell: Shell,
}

/// `lucihub man`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub man ~/.local/share/man/man1
  man lucihub-runs-plot")]
pub(crate) struct ManArgs {
    /// The folder for the pages, one per verb; it is made if it is not there.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
