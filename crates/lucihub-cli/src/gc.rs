//! `lucihub gc`: archived runs that are older than they are kept for.

use indicatif::HumanCount;
use lucihub_models_core::RunId;
use lucihub_store::Store;
use lucihub_store::maintain::{Expired, KeepRule, Retention};
use serde::Serialize;

use crate::args::GcArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{confirm, output, place, sweep};

const VERB: &str = "lucihub gc";

/// Counts, asks, and deletes.
pub(crate) async fn run(args: GcArgs) -> Result<(), Failure> {
    // A deleted run leaves a tombstone in hot storage; without, what a worker still sends makes it rise again. A file and
    // the memory of this process are a lab by themselves.
    if !args.dry_run && place::is_server(&args.place.cold)? && !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer(VERB));
    }
    let store = place::find(&args.place).await?;
    let retention = args.keep.into_iter().try_fold(Retention::default(), Retention::with)?;
    let found = store.expired(&retention).await?;
    let total: u64 = found.iter().map(|of_rule| of_rule.found).sum();
    if args.dry_run || total == 0 {
        return tell(&store, &found, args.json).await;
    }
    if !args.yes {
        if !confirm::can_ask() {
            return Err(Failure::Unconfirmed(VERB));
        }
        output::say("This deletes archived runs with all that they recorded:");
        found.iter().for_each(|of_rule| output::say(format!("  {}", sentence(of_rule))));
        if !confirm::is_confirmed()? {
            return Err(Failure::Declined);
        }
    }
    let (mut bar, mut before) = (Progress::of(total), (None::<KeepRule>, 0, 0));
    let deleted = store.delete_expired(&retention, |of_rule| {
        let (rule, earlier, seen) = &mut before;
        if rule.as_ref() != Some(&of_rule.rule) {
            *earlier += *seen;
            *rule = Some(of_rule.rule.clone());
        }
        *seen = of_rule.found;
        bar.at(*earlier + *seen);
    });
    let deleted = deleted.await?;
    drop(bar);
    tell(&store, &deleted, args.json).await?;
    let failed = deleted.iter().map(|of_rule| of_rule.failed).sum();
    if failed > 0 { Err(Failure::Unsettled(failed, VERB)) } else { Ok(()) }
}

async fn tell(store: &Store, rules: &[Expired], json: bool) -> Result<(), Failure> {
    let health = store.hot().health().await?;
    if json {
        let rules = rules.iter().map(Rule::of).collect();
        return output::json(&Report { rules, hot_used_bytes: health.used_bytes, hot_max_bytes: health.max_bytes });
    }
    for of_rule in rules {
        output::line(sentence(of_rule))?;
        for (run, error) in &of_rule.errors {
            output::say(format!("run {run}: {}", output::one_line(&error.to_string())));
        }
    }
    if rules.is_empty() {
        output::line("no --keep rule, so nothing is deleted")?;
    }
    output::line(sweep::usage(&health))
}

fn sentence(of_rule: &Expired) -> String {
    let Expired { rule, before, found, deleted, .. } = of_rule;
    let done = if *deleted > 0 { format!(", {} deleted", HumanCount(*deleted)) } else { String::new() };
    format!("{}: {} archived before {before}{done}", rule.state(), HumanCount(*found))
}

#[derive(Serialize)]
struct Report<'a> {
    rules: Vec<Rule<'a>>,
    hot_used_bytes: u64,
    hot_max_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Rule<'a> {
    state: &'a str,
    keep_seconds: u64,
    before: String,
    found: u64,
    deleted: u64,
    failed: u64,
    errors: Vec<Wrong>,
}

#[derive(Serialize)]
struct Wrong {
    run: RunId,
    error: String,
}

impl<'a> Rule<'a> {
    fn of(of_rule: &'a Expired) -> Self {
        Self {
            state: of_rule.rule.state().as_str(),
            keep_seconds: of_rule.rule.age().as_secs(),
            before: of_rule.before.to_string(),
            found: of_rule.found,
            deleted: of_rule.deleted,
            failed: of_rule.failed,
            errors: of_rule.errors.iter().map(|(run, error)| Wrong { run: *run, error: error.to_string() }).collect(),
        }
    }
}
