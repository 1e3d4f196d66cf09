//! `lucihub runs create`, `cancel`, `label` and `delete`.

use std::collections::BTreeMap;
use std::time::Duration;

use lucihub_models_core::cold::{Created, RunUpdate};
use lucihub_models_core::hot::Cancelled;
use lucihub_models_core::{Channel, InputType, JobType, Relation, RelationKind, RunHead, RunId, RunPrefix, TimeBase};
use lucihub_store::{Checked, RunStatus, Store};
use serde_json::json;

use crate::args::{CancelArgs, CreateArgs, DeleteArgs, LabelArgs, LabelChange, Place, say_unknown};
use crate::failure::Failure;
use crate::{check, confirm, output, place};

/// Queues a run, and prints its id.
pub(crate) async fn create(args: CreateArgs) -> Result<(), Failure> {
    let store = shared(&args.place, "lucihub runs create").await?;
    say_unknown("type", std::slice::from_ref(&args.job_type), JobType::KNOWN);
    say_unknown("input type", args.input_type.as_slice(), InputType::KNOWN);
    let mut head = store.new_run(JobType::from(&*args.job_type));
    head.id = args.id.unwrap_or(head.id);
    if let Some(earlier) = earlier(&store, args.id).await? {
        // The same run again has the time of the first.
        head.created_at = earlier.created_at;
        head.states.clone_from(&earlier.states[..1].to_vec());
    }
    fill(&store, &mut head, &args).await?;
    if !args.unchecked
        && let Checked::Broken(violations) = store.check_input(&mut head).await?
    {
        check::tell(&violations)?;
        let input = args.input.as_deref().map_or_else(String::new, check::shown);
        return Err(Failure::NotValid { input, violations: check::count(&violations) });
    }
    let created = store.create(&head).await?;
    let is_new = created == Created::Created;
    if args.one.is_json() {
        return output::json(&json!({ "id": head.id, "created": is_new }));
    }
    if !is_new {
        output::say("it was there already, with this content");
    }
    output::line(head.id.to_string())
}

async fn earlier(store: &Store, id: Option<RunId>) -> Result<Option<RunHead>, Failure> {
    let Some(id) = id else { return Ok(None) };
    Ok(store.cold().get(id).await?.map(|run| run.head))
}

/// Writes what was typed into a head.
async fn fill(store: &Store, head: &mut RunHead, args: &CreateArgs) -> Result<(), Failure> {
    head.device.clone_from(&args.device);
    if let Some(device) = &args.device {
        let known = store.device(device).await?;
        if known.is_none() {
            output::say(format!("warning: device {device} is not in the registry; the run waits until it is there"));
        }
        head.device_type = known.map(|device| device.device_type);
    }
    head.owner.clone_from(&args.owner);
    head.labels = args.label.iter().cloned().collect::<BTreeMap<_, _>>();
    if head.labels.len() < args.label.len() {
        return Err(Failure::Usage("a label is given twice; a run has one value of each name".to_owned()));
    }
    if let Some(twice) = args.channel.iter().enumerate().find(|(at, name)| args.channel[..*at].contains(name)) {
        return Err(Failure::Usage(format!("two channels have the name {:?}; give each its own", twice.1)));
    }
    if let Some(file) = &args.input {
        let text = check::read(file)?;
        text.check("input", store.limits())?;
        head.input = Some(text);
        head.input_type = Some(InputType::from(args.input_type.as_deref().unwrap_or("circuit")));
    }
    head.channels = args.channel.iter().map(Channel::named).collect();
    head.time_base = args.rate.map(TimeBase::from_rate);
    head.op_time_ns = args.op_time.map(nanoseconds);
    head.ic_time_ns = args.ic_time.map(nanoseconds);
    head.k0 = args.k0;
    head.priority = args.priority;
    let kinds = [
        (RelationKind::Verifies, &args.verifies),
        (RelationKind::Repeats, &args.repeats),
        (RelationKind::CompiledBy, &args.compiled_by),
    ];
    for (kind, runs) in kinds {
        for run in runs {
            head.related_to.push(Relation::new(kind.clone(), store.find_run(run).await?));
        }
    }
    Ok(())
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Asks for the end of runs.
pub(crate) async fn cancel(args: CancelArgs) -> Result<(), Failure> {
    let store = shared(&args.place, "lucihub runs cancel").await?;
    let mut ended = None;
    for run in found(&store, &args.runs).await? {
        match store.cancel(run, args.reason.as_deref()).await? {
            Cancelled::Cancelled => output::line(format!("{run}: cancelled"))?,
            Cancelled::Requested => output::line(format!("{run}: its worker is asked to end it"))?,
            Cancelled::Ended(state) => {
                output::line(format!("{run}: it had ended before, as {}", output::one_line(state.as_str())))?;
                ended = Some(run);
            }
            Cancelled::NoRun => return Err(Failure::Usage(format!("run {run} is being put back; try again"))),
        }
    }
    ended.map_or(Ok(()), |run| Err(Failure::Ended(run)))
}

/// Changes the labels of a run, and prints all of them.
pub(crate) async fn label(args: LabelArgs) -> Result<(), Failure> {
    let store = place::history(&args.place).await?;
    let run = store.find_run(&args.run).await?;
    let mut labels = store.status(run).await?.head.labels.clone();
    if !args.changes.is_empty() {
        for change in args.changes {
            match change {
                LabelChange::Set(name, value) => drop(labels.insert(name, value)),
                LabelChange::Remove(name) => drop(labels.remove(&name)),
            }
        }
        store.update(run, &RunUpdate { labels: Some(labels.clone()), ..RunUpdate::default() }).await?;
    }
    if args.one.is_json() {
        return output::json(&json!({ "id": run, "labels": labels }));
    }
    labels
        .iter()
        .try_for_each(|(name, value)| output::line(format!("{}={}", output::one_line(name), output::one_line(value))))
}

const DELETE: &str = "lucihub runs delete";

/// Deletes runs with all that hangs on them.
pub(crate) async fn delete(args: DeleteArgs) -> Result<(), Failure> {
    // A deleted run leaves a tombstone in hot storage; without, what a worker still sends makes it rise again. A file and
    // the memory of this process are a lab by themselves.
    if !args.dry_run && place::is_server(&args.place.cold)? && !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer(DELETE));
    }
    let store = place::find(&args.place).await?;
    let runs = found(&store, &args.runs).await?;
    if !args.place.hot.is_shared() && !args.force && !args.dry_run {
        // The server may have it, and a worker on it.
        for run in &runs {
            if readable(&store, *run).await?.is_none_or(|status| status.archived.is_none()) {
                return Err(Failure::OpenAndAlone(*run));
            }
        }
    }
    if args.dry_run || !args.yes {
        for run in &runs {
            let line = match readable(&store, *run).await? {
                Some(status) => format!(
                    "{run}  {}  {}, {}",
                    output::one_line(status.head.state().as_str()),
                    output::counted(status.head.channels.len() as u64, "channel", "channels"),
                    output::counted(status.positions.lines, "log line", "log lines"),
                ),
                None => format!("{run}  unreadable"),
            };
            if args.dry_run { output::line(line)? } else { output::say(line) }
        }
    }
    if args.dry_run {
        return Ok(());
    }
    if !args.yes {
        if !confirm::can_ask() {
            return Err(Failure::Unconfirmed(DELETE));
        }
        let one = runs.len() == 1;
        output::say(format!(
            "This deletes {} with all that {} recorded.",
            if one { "it" } else { "them" },
            if one { "it" } else { "they" }
        ));
        if !confirm::is_confirmed()? {
            return Err(Failure::Declined);
        }
    }
    for run in runs {
        let was_there = store.delete(run, args.force).await?;
        output::line(format!("{run}: {}", if was_there { "deleted" } else { "it was gone already" }))?;
    }
    Ok(())
}

/// How a run is. `None` if its row is damaged or of a newer version: it can be deleted all the same.
async fn readable(store: &Store, run: RunId) -> Result<Option<RunStatus>, Failure> {
    match store.status(run).await {
        Ok(status) => Ok(Some(status)),
        Err(error) if error.is_unreadable() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Both storages, where other processes see what is done.
async fn shared(place: &Place, verb: &'static str) -> Result<Store, Failure> {
    if !place.hot.is_shared() {
        return Err(Failure::NeedsServer(verb));
    }
    place::find(place).await
}

/// All runs that were named, before anything is done to the first.
async fn found(store: &Store, runs: &[RunPrefix]) -> Result<Vec<RunId>, Failure> {
    let mut found = Vec::new();
    for run in runs {
        let run = store.find_run(run).await?;
        if !found.contains(&run) {
            found.push(run);
        }
    }
    Ok(found)
}
