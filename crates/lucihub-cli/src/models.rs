//! `lucihub models`: which versions of the models storages hold.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use lucihub_models_core::cold::ModelUse;
use lucihub_models_core::{HeadDocument, Timestamp, Version};
use serde::Serialize;

use crate::args::{ModelsArgs, ModelsVerb};
use crate::failure::Failure;
use crate::{output, place};

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Status {
    /// The versions that this program reads, oldest first.
    reads: Vec<&'static str>,
    cold: Vec<Used>,
    /// Absent where hot storage is no server, or does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    hot: Option<Hot>,
}

#[derive(Debug, Serialize)]
struct Used {
    version: String,
    written_by: Option<String>,
    runs: u64,
    last: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Hot {
    runs: u64,
    /// Runs of a version past what this program knows, by that version.
    newer: BTreeMap<String, u64>,
}

pub(crate) async fn run(verb: ModelsVerb) -> Result<(), Failure> {
    let ModelsVerb::Status(args) = verb;
    status(&args).await
}

async fn status(args: &ModelsArgs) -> Result<(), Failure> {
    let reading = place::read(&args.place).await?;
    // Only a shared hot storage has what other processes wrote.
    let is_known = args.place.hot.is_shared() && reading.away.is_none();
    let store = reading.whatever_is_there();
    let (cold, hot) = if is_known {
        let found = store.models().await?;
        (found.cold, Some(Hot { runs: found.live, newer: found.newer }))
    } else {
        (store.cold().models().await?, None)
    };
    if args.json {
        let cold = cold.into_iter().map(Used::of).collect();
        return output::json(&Status { reads: reads(), cold, hot });
    }
    output::table(&["VERSION", "WRITTEN BY", "RUNS", "LAST WRITTEN"], cold.iter().map(row).collect())?;
    if let Some(hot) = hot {
        output::line(in_words(&hot))?;
    }
    let newer = cold.iter().filter(|used| used.version.parse::<Version>().is_err());
    let runs: u64 = newer.map(|used| used.runs).sum();
    if runs > 0 {
        let runs = output::counted(runs, "run is", "runs are");
        let knows = HeadDocument::newest();
        output::say(format!("lucihub: {runs} of a version that this program does not know; it knows up to {knows}"));
    }
    Ok(())
}

fn reads() -> Vec<&'static str> {
    HeadDocument::VERSIONS.iter().map(|version| version.as_str()).collect()
}

impl Used {
    fn of(used: ModelUse) -> Self {
        let ModelUse { version, written_by, runs, last } = used;
        Self { version, written_by, runs, last }
    }
}

fn row(used: &ModelUse) -> Vec<String> {
    vec![
        output::one_line(&used.version),
        used.written_by.as_deref().map_or_else(|| "-".to_owned(), output::one_line),
        HumanCount(used.runs).to_string(),
        used.last.map_or_else(|| "-".to_owned(), |at| at.to_string()),
    ]
}

fn in_words(hot: &Hot) -> String {
    let mut said = format!("hot storage: {}", output::counted(hot.runs, "run", "runs"));
    for (version, runs) in &hot.newer {
        let runs = output::counted(*runs, "run", "runs");
        said += &format!(", and {runs} of {}, which this program does not know", output::one_line(version));
    }
    said
}
