//! What can be typed after `lucihub sweep`, `lucihub gc` and `lucihub verify`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use lucihub_models_core::{RunPrefix, RunState};
use lucihub_store::maintain::KeepRule;

use super::Place;
use super::span::span;

/// `lucihub sweep`
#[derive(Debug, Args)]
#[command(after_help = "\
Finds and counts: orphans, which hot storage has and cold storage no row of; leftovers, which hot storage has a day \
after their archive; runs that are queued for too long; and open runs that hot storage lost, which a keeper rescues. \
Removes nothing unless --remove says so; then it asks, and off a terminal it wants --yes. A queued run is cancelled, and \
a keeper archives it as that. --dry-run looks only, whatever else is typed.

Examples:
  lucihub sweep
  lucihub sweep --queued-for 2h --json
  lucihub sweep --remove queued --queued-for 7d
  lucihub sweep --remove all --yes
  lucihub sweep --restore")]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// For how long a run may be queued, as in 30m, 24h or 7d.
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = span)]
    pub(crate) queued_for: Duration,
    /// For how long a run of hot storage must not have changed to be an orphan.
    #[arg(long, value_name = "AGE", default_value = "1h", value_parser = span)]
    pub(crate) settled_for: Duration,
    /// What to remove: orphans (and leftovers) from hot storage, runs that are queued for too long, or both.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) remove: Vec<What>,
    /// Create the rows of orphans anew, so that keepers archive them.
    #[arg(long)]
    pub(crate) restore: bool,
    /// Remove orphans that a worker holds, too.
    #[arg(long, requires = "remove")]
    pub(crate) force: bool,
    /// Say what would be removed or restored, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// How many runs of each kind to name.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a sweep removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Runs of hot storage without a row in cold storage, and archived ones that stayed.
    Orphans,
    /// Runs that are queued for too long.
    Queued,
    /// Both.
    All,
}

/// `lucihub gc`
#[derive(Debug, Args)]
#[command(after_help = "\
Deletes archived runs by the state they ended in and their age, which counts from their archive, seconds after their \
end. Open runs are never deleted, and without a --keep nothing is. Counts first, then asks; off a terminal it wants \
--yes. May be stopped at any time, and goes on when it is called again.

Examples:
  lucihub gc --keep succeeded=90d --keep failed=30d --keep cancelled=7d --dry-run
  lucihub gc --keep cancelled=12h --yes")]
pub(crate) struct GcArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// For how long to keep runs that ended in this state, as in succeeded=90d. Repeat for several.
    #[arg(long, value_name = "STATE=AGE", value_parser = rule)]
    pub(crate) keep: Vec<KeepRule>,
    /// Count, and delete nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lucihub verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads every cell of archived runs back, compares its checksum, and computes the digest of the run anew. Says which cells \
are damaged and what is still readable. Without a run and without --all it takes the runs created in the last 24 hours.

With --repair, damaged and missing cells are written anew from hot storage, which has an archived run for an hour; only \
if the run has its digest again with them.

Exit code 1 if something is wrong, or still is after the repair.

Examples:
  lucihub verify
  lucihub verify ID ID
  lucihub verify --all --json
  lucihub verify --since 7d --repair")]
pub(crate) struct VerifyArgs {
    /// Which runs.
    #[arg(value_name = "RUN", conflicts_with_all = ["all", "since"])]
    pub(crate) runs: Vec<RunPrefix>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// All archived runs.
    #[arg(long, conflicts_with = "since")]
    pub(crate) all: bool,
    /// The archived runs that were created in this time [default: 24h].
    #[arg(long, value_name = "AGE", value_parser = span)]
    pub(crate) since: Option<Duration>,
    /// Write damaged and missing cells anew from what hot storage still has.
    #[arg(long)]
    pub(crate) repair: bool,
    /// Print one JSON object per run.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A rule of retention.
fn rule(text: &str) -> Result<KeepRule, String> {
    let (state, age) = text.split_once('=').ok_or_else(|| format!("{text:?} is no rule; use succeeded=90d"))?;
    KeepRule::new(RunState::from_any_case(state), span(age)?).map_err(|invalid| invalid.to_string())
}

#[cfg(test)]
mod tests {
    use super::rule;

    #[test]
    fn rules_are_about_ends() {
        assert_eq!(rule("Succeeded=90d").unwrap().age().as_secs(), 90 * 86_400);
        for bad in ["succeeded", "queued=1d", "in_progress=1d", "lost=1d", "failed=1"] {
            assert!(rule(bad).is_err(), "{bad}");
        }
    }
}
