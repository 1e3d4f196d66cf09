//! `lucihub runs list`

use std::collections::BTreeMap;

use indicatif::HumanCount;
use lucihub_models_core::{DeviceId, DeviceType, JobType, Order, PageRequest, RunFilter, RunState, RunSummary};
use serde::Serialize;

use crate::args::ListArgs;
use crate::failure::Failure;
use crate::{output, place};

/// Prints a page of runs.
pub(crate) async fn run(args: ListArgs) -> Result<(), Failure> {
    let store = place::history(&args.place).await?;
    say_unknown("state", &args.state, RunState::KNOWN);
    say_unknown("type", &args.job_type, JobType::KNOWN);
    let filter = filter(&args);
    let page = PageRequest {
        order: if args.oldest { Order::Oldest } else { Order::Newest },
        after: args.after.as_deref().map(str::parse).transpose()?,
        limit: args.limit,
        offset: args.offset,
        total: args.total,
    };
    let found = store.list(&filter, &page).await?;
    if args.json {
        output::json(&found.runs.iter().map(Listed::of).collect::<Vec<_>>())?;
    } else {
        let rows = found.runs.iter().map(row).collect();
        output::table(&["RUN", "TYPE", "STATE", "DEVICE", "CHANNELS", "CREATED"], rows)?;
    }
    if let Some(total) = found.total {
        output::say(format!("{} in all", HumanCount(total)));
    }
    if let Some(next) = found.next {
        output::say(format!("more: --after {next}"));
    }
    Ok(())
}

/// What was asked. A flag that was not given asks nothing; an empty list would match nothing.
fn filter(args: &ListArgs) -> RunFilter {
    fn asked<'a, T, U>(given: &'a [T], read: impl Fn(&'a T) -> U) -> Option<Vec<U>> {
        (!given.is_empty()).then(|| given.iter().map(read).collect())
    }
    let filter = RunFilter {
        owners: asked(&args.owner, Clone::clone),
        devices: asked(&args.device, Clone::clone),
        device_types: asked(&args.device_type, |word| DeviceType::from(&**word)),
        job_types: asked(&args.job_type, |word| JobType::from(&**word)),
        states: asked(&args.state, |word| RunState::from_any_case(word)),
        related_to: asked(&args.related_to, |run| *run),
        created_from: args.from,
        created_to: args.to,
        labels: BTreeMap::new(),
    };
    args.label.iter().fold(filter, |filter, (name, value)| filter.label(name, value))
}

/// Says which words this version does not know: those of newer components are found all the same.
fn say_unknown(kind: &str, asked: &[String], known: &[&str]) {
    for word in asked.iter().filter(|word| !known.iter().any(|known| known.eq_ignore_ascii_case(word))) {
        let known = known.join(", ");
        output::say(format!("lucihub: {} is no {kind} that this version knows: {known}", output::one_line(word)));
    }
}

fn row(run: &RunSummary) -> Vec<String> {
    vec![
        run.id.to_string(),
        output::one_line(run.job_type.as_str()),
        output::one_line(run.state().as_str()),
        run.device.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        run.channels.to_string(),
        run.created_at.to_string(),
    ]
}

/// A run of a list, as JSON.
#[derive(Serialize)]
struct Listed<'a> {
    id: String,
    r#type: &'a str,
    state: &'a str,
    created_at: String,
    device: Option<&'a DeviceId>,
    owner: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    error: Option<&'a str>,
    channels: u32,
    archived_at: Option<String>,
}

impl<'a> Listed<'a> {
    fn of(run: &'a RunSummary) -> Self {
        Self {
            id: run.id.to_string(),
            r#type: run.job_type.as_str(),
            state: run.state().as_str(),
            created_at: run.created_at.to_string(),
            device: run.device.as_ref(),
            owner: run.owner.as_deref(),
            labels: &run.labels,
            error: run.error.as_deref(),
            channels: run.channels,
            archived_at: run.archived_at.map(|at| at.to_string()),
        }
    }
}
