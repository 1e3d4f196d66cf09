//! What can be typed after `lucihub config`.

use clap::{Args, Subcommand};

use super::{Lists, Place};

/// `lucihub config ...`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Print every setting with where it comes from; passwords are not shown.
    Show(ConfigArgs),
}

/// `lucihub config show`
#[derive(Debug, Args)]
#[command(after_help = "\
A flag comes first, then its variable, then the file that DATABASE_URL_FILE or REDIS_URL_FILE names (for secrets), then \
the configuration file: the one that LUCIHUB_CONFIG names, else lucihub/config.toml in XDG_CONFIG_HOME or ~/.config. It \
may say database_url or database_url_file, redis_url or redis_url_file, redis_ca_file, key_prefix and write_version:

  redis_url_file = \"/run/secrets/lucihub-redis\"
  database_url = \"sqlite:/var/lib/lucihub/lucihub.sqlite\"

Examples:
  lucihub config show
  LUCIHUB_CONFIG=lab.toml lucihub config show --json")]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) lists: Lists,
    #[command(flatten)]
    pub(crate) place: Place,
}
