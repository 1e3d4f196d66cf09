//! `lucihub sweep`: what belongs to nothing any more.

use indicatif::{BinaryBytes, HumanCount};
use lucihub_models_core::RunId;
use lucihub_models_core::hot::Health;
use lucihub_store::maintain::{Remove, SweepOptions, SweepReport, Swept, SweptCount, SweptKind};
use serde::Serialize;

use crate::args::{SweepArgs, What};
use crate::failure::Failure;
use crate::{confirm, output, place};

const VERB: &str = "lucihub sweep";

/// Looks, asks, and removes.
pub(crate) async fn run(args: SweepArgs) -> Result<(), Failure> {
    if !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer(VERB));
    }
    let store = place::find(&args.place).await?;
    let mut options = SweepOptions::default();
    options.queued_for = args.queued_for;
    options.settled_for = args.settled_for;
    options.named = args.limit;
    options.restore = args.restore;
    if args.dry_run {
        options.restore = false;
        return tell(&store.sweep(&options).await?, args.json);
    }
    let asked = |what| args.remove.iter().any(|asked| *asked == what || *asked == What::All);
    if args.remove.is_empty() {
        return tell(&store.sweep(&options).await?, args.json);
    }
    options.restore = false;
    let looked = store.sweep(&options).await?;
    let mut losing = 0;
    if asked(What::Orphans) {
        losing += looked.orphans.found + looked.leftovers.found;
    }
    if asked(What::Queued) {
        losing += looked.queued.found;
    }
    if losing == 0 && !args.restore {
        return tell(&looked, args.json);
    }
    if losing > 0 && !args.yes {
        if !confirm::can_ask() {
            return Err(Failure::Unswept);
        }
        tell(&looked, false)?;
        output::say(format!(
            "{} of these {} removed or cancelled.",
            HumanCount(losing),
            if losing == 1 { "is" } else { "are" }
        ));
        if !confirm::is_confirmed()? {
            return Err(Failure::Declined);
        }
    }
    let mut remove = Remove::default();
    if asked(What::Orphans) {
        remove = remove.orphans();
    }
    if asked(What::Queued) {
        remove = remove.queued();
    }
    options.restore = args.restore;
    options.remove = remove;
    options.force = args.force;
    tell(&store.sweep(&options).await?, args.json)
}

/// What was found, and done; fails if something could not be done.
fn tell(report: &SweepReport, json: bool) -> Result<(), Failure> {
    if json {
        output::json(&Report::of(report))?;
    } else {
        let runs = output::counted(report.hot_runs, "run", "runs");
        let open = HumanCount(report.open_runs);
        output::line(format!("{runs} in hot storage, {open} open; {}", usage(&report.health)))?;
        for (kind, one, more, done) in KINDS {
            let SweptCount { found, settled, .. } = report.count(kind);
            if found > 0 {
                let done = if settled > 0 { format!(", {} {done}", HumanCount(settled)) } else { String::new() };
                output::line(format!("{}{done}", output::counted(found, one, more)))?;
            }
        }
        if report.runs.is_empty() {
            output::line("nothing is out of place")?;
        } else {
            output::table(&["RUN", "WHAT", "STATE", "SINCE", "NOTE"], report.runs.iter().map(row).collect())?;
        }
    }
    let failed = report.runs.iter().filter(|swept| swept.why.is_some()).count() as u64;
    if failed > 0 { Err(Failure::Unsettled(failed, VERB)) } else { Ok(()) }
}

/// Each kind, what one and what more of it are, and what is done about it.
const KINDS: [(SweptKind, &str, &str, &str); 5] = [
    (
        SweptKind::Orphan,
        "orphan: hot storage has it, cold storage has no row",
        "orphans: hot storage has them, cold storage has no row",
        "removed or restored",
    ),
    (
        SweptKind::Leftover,
        "leftover: hot storage has it long after its archive",
        "leftovers: hot storage has them long after their archive",
        "removed",
    ),
    (SweptKind::Queued, "queued for too long", "queued for too long", "cancelled"),
    (
        SweptKind::Lost,
        "lost: hot storage does not have it; a keeper rescues it",
        "lost: hot storage does not have them; a keeper rescues them",
        "rescued",
    ),
    (
        SweptKind::Unreadable,
        "unreadable: its row is damaged or of a newer version; restore it from a backup, upgrade, or delete the run",
        "unreadable: their rows are damaged or of a newer version; restore them from a backup, upgrade, or delete the runs",
        "removed",
    ),
];

const fn word(kind: SweptKind) -> &'static str {
    match kind {
        SweptKind::Orphan => "orphan",
        SweptKind::Leftover => "leftover",
        SweptKind::Queued => "queued",
        SweptKind::Lost => "lost",
        SweptKind::Unreadable => "unreadable",
        _ => "other",
    }
}

fn row(swept: &Swept) -> Vec<String> {
    let note = match (&swept.why, &swept.held_by) {
        (Some(why), _) => output::one_line(&why.to_string()),
        (None, _) if swept.settled => "done".to_owned(),
        (None, Some(worker)) => format!("held by {}", output::one_line(worker)),
        (None, None) => "-".to_owned(),
    };
    let state = output::one_line(swept.state.as_str());
    vec![swept.run.to_string(), word(swept.kind).to_owned(), state, swept.since.to_string(), note]
}

/// How full hot storage is, in words.
pub(crate) fn usage(health: &Health) -> String {
    let used = BinaryBytes(health.used_bytes);
    match health.max_bytes {
        Some(max) => format!("hot storage uses {used} of {}", BinaryBytes(max)),
        None => format!("hot storage uses {used}, without a limit"),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    hot_runs: u64,
    open_runs: u64,
    hot_used_bytes: u64,
    hot_max_bytes: Option<u64>,
    orphans: Count,
    leftovers: Count,
    queued: Count,
    lost: Count,
    unreadable: Count,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
struct Count {
    found: u64,
    settled: u64,
}

#[derive(Serialize)]
struct Run<'a> {
    run: RunId,
    kind: &'static str,
    state: &'a str,
    since: String,
    held_by: Option<&'a str>,
    settled: bool,
    error: Option<String>,
}

impl<'a> Report<'a> {
    fn of(report: &'a SweepReport) -> Self {
        let count = |kind| {
            let SweptCount { found, settled, .. } = report.count(kind);
            Count { found, settled }
        };
        let run = |swept: &'a Swept| Run {
            run: swept.run,
            kind: word(swept.kind),
            state: swept.state.as_str(),
            since: swept.since.to_string(),
            held_by: swept.held_by.as_deref(),
            settled: swept.settled,
            error: swept.why.as_ref().map(ToString::to_string),
        };
        Self {
            hot_runs: report.hot_runs,
            open_runs: report.open_runs,
            hot_used_bytes: report.health.used_bytes,
            hot_max_bytes: report.health.max_bytes,
            orphans: count(SweptKind::Orphan),
            leftovers: count(SweptKind::Leftover),
            queued: count(SweptKind::Queued),
            lost: count(SweptKind::Lost),
            unreadable: count(SweptKind::Unreadable),
            runs: report.runs.iter().map(run).collect(),
        }
    }
}
