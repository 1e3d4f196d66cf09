//! What can be typed after `lucihub archive`.

use std::net::SocketAddr;

use clap::Args;

use super::Place;

/// `lucihub archive`
#[derive(Debug, Args)]
#[command(after_help = "\
Attends to every run that is not archived yet: checkpoints of live ones, the archive of ended ones. \
Any number of these may run, beside the one inside `lucihub demo` too.

Examples:
  lucihub archive --redis-url redis://127.0.0.1:6379
  lucihub archive --watch
  lucihub archive --watch --json
  lucihub archive --watch --listen 9464")]
pub(crate) struct ArchiveArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Go on until Ctrl-C or SIGTERM, as runs change. Makes the database if it
    /// is not there.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Answer HTTP on this port of this machine, or on an address with its port:
    /// /metrics for Prometheus, /healthz and /readyz with 200 or 503.
    #[arg(long, value_name = "ADDR", requires = "watch", value_parser = crate::archive::serve::address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Print one JSON object per report; with --watch, whenever there is news.
    #[arg(long)]
    pub(crate) json: bool,
}
