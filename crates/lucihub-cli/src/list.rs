//! `lucihub runs list` and `lucihub runs search`

use indicatif::HumanCount;
use lucihub_models_core::{Order, PageRequest, RunSummary, Timestamp};
use serde_json::{Value, json};

use crate::args::{FilterArgs, ListArgs, PageArgs, SearchArgs};
use crate::failure::Failure;
use crate::output::Row;
use crate::{output, place};

/// Prints a page of runs.
pub(crate) async fn list(args: ListArgs) -> Result<(), Failure> {
    print(&args.filter, args.total, args.page).await
}

/// Prints a page of what was searched for, and how many there are in all.
pub(crate) async fn search(args: SearchArgs) -> Result<(), Failure> {
    let filter = args.terms.iter().try_fold(FilterArgs::default(), FilterArgs::with);
    print(&filter.map_err(Failure::Usage)?, true, args.page).await
}

async fn print(filter: &FilterArgs, total: bool, args: PageArgs) -> Result<(), Failure> {
    let store = place::history(&args.place).await?;
    let page = PageRequest {
        order: if args.oldest { Order::Oldest } else { Order::Newest },
        after: args.after.as_deref().map(str::parse).transpose()?,
        limit: args.limit,
        offset: args.offset,
        total,
    };
    let mut related = Vec::new();
    for run in filter.related_to() {
        // A whole id needs no run that is still there.
        related.push(match run.whole() {
            Some(run) => run,
            None => store.find_run(run).await?,
        });
    }
    let found = store.list(&filter.filter(store.now(), &related), &page).await?;
    output::list(&found.runs, args.lists.format())?;
    if let Some(total) = found.total {
        output::say(format!("{} in all", HumanCount(total)));
    }
    if let Some(next) = found.next {
        output::say(format!("more: --after {next}"));
    }
    Ok(())
}

impl Row for RunSummary {
    const COLUMNS: &'static [&'static str] = &["RUN", "TYPE", "STATE", "DEVICE", "CHANNELS", "CREATED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            output::one_line(self.job_type.as_str()),
            output::one_line(self.state().as_str()),
            self.device.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            self.channels.to_string(),
            self.created_at.to_string(),
        ]
    }

    const FIELDS: &'static [&'static str] =
        &["id", "type", "state", "created_at", "device", "owner", "labels", "error", "channels", "archived_at"];

    fn values(&self) -> Vec<Value> {
        let text = |time: Timestamp| time.to_string();
        vec![
            json!(self.id),
            json!(self.job_type.as_str()),
            json!(self.state().as_str()),
            json!(text(self.created_at)),
            json!(self.device),
            json!(self.owner),
            json!(self.labels),
            json!(self.error),
            json!(self.channels),
            json!(self.archived_at.map(text)),
        ]
    }

    fn name(&self) -> String {
        self.id.to_string()
    }
}
