//! `lucihub check`: inputs against parameter schemas.

use std::io::Read;
use std::path::Path;

use lucihub_models_core::{DeviceId, JsonText, Limits, ParameterSchema, RunFilter, RunId, StoreError, Violations};
use lucihub_store::Store;
use serde::Serialize;

use crate::args::CheckArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{output, place};

/// The answer about one input, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema: &'a str,
    valid: bool,
    #[serde(flatten)]
    violations: Option<&'a Violations>,
}

/// A stored run whose input is not valid.
#[derive(Debug, Serialize)]
struct Broken<'a> {
    run: RunId,
    #[serde(flatten)]
    violations: &'a Violations,
}

#[derive(Debug, Serialize)]
struct Counts<'a> {
    schema: &'a str,
    valid: u64,
    broken: u64,
    without_input: u64,
}

/// Checks one input, or stored ones.
pub(crate) async fn run(args: CheckArgs) -> Result<(), Failure> {
    match &args.file {
        Some(file) => one(&args, file).await,
        None => stored(&args).await,
    }
}

async fn one(args: &CheckArgs, file: &Path) -> Result<(), Failure> {
    let schema = match (&args.schema, &args.device) {
        (Some(_), Some(_)) => return Err(Failure::TwoSchemas),
        (Some(schema), None) => given(schema)?,
        (None, device) => of_device(&place::stored(&args.cold).await?, device.as_ref()).await?,
    };
    let found = schema.check(&read(file)?);
    if args.json {
        let violations = found.as_ref().err();
        output::json(&Answer { schema: schema.id(), valid: violations.is_none(), violations })?;
    } else {
        match &found {
            Ok(()) => output::line(format!("valid, by {}", output::one_line(schema.id())))?,
            Err(violations) => tell(violations)?,
        }
    }
    found.map_err(|violations| Failure::NotValid { input: shown(file), violations: count(&violations) })
}

async fn stored(args: &CheckArgs) -> Result<(), Failure> {
    let store = place::stored(&args.cold).await?;
    let schema = match &args.schema {
        Some(schema) => given(schema)?,
        None => of_device(&store, args.device.as_ref()).await?,
    };
    let filter = RunFilter { devices: args.device.clone().map(|device| vec![device]), ..RunFilter::default() };
    let (mut told, bar) = (Ok(()), Progress::of(0));
    let counts = store.recheck(&filter, &schema, |run, violations| {
        if told.is_ok() {
            told = bar.above(|| {
                if args.json { output::json(&Broken { run, violations }) } else { tell_run(run, violations) }
            });
        }
    });
    let counts = counts.await?;
    told?;
    let (valid, broken, without) = (counts.valid, counts.broken, counts.without);
    if args.json {
        output::json(&Counts { schema: schema.id(), valid, broken, without_input: without })?;
    } else {
        let runs = output::counted(valid + broken, "run", "runs");
        let without = output::counted(without, "run has", "runs have");
        output::line(format!("{runs} checked by {}: {valid} valid, {broken} not; {without} no input", schema.id()))?;
    }
    if broken > 0 { Err(Failure::NotValidStored { broken, all: valid + broken }) } else { Ok(()) }
}

/// A built-in schema, or that of a file.
pub(crate) fn given(name: &Path) -> Result<ParameterSchema, Failure> {
    Ok(match name.to_str() {
        Some("lucidac") => ParameterSchema::lucidac()?,
        Some("redac") => ParameterSchema::redac()?,
        _ => ParameterSchema::parse(&read(name)?)?,
    })
}

async fn of_device(store: &Store, device: Option<&DeviceId>) -> Result<ParameterSchema, Failure> {
    // The arguments demand a device where there is no schema.
    let Some(device) = device else { return Err(Failure::TwoSchemas) };
    if store.device(device).await?.is_none() {
        return Err(StoreError::not_found(format!("device {device}")).into());
    }
    store.parameter_schema(device).await?.ok_or_else(|| Failure::NoSchema(device.clone()))
}

/// A document of a file or of standard input, and no more of it than it takes to see that it is too large.
pub(crate) fn read(file: &Path) -> Result<JsonText, Failure> {
    let most = Limits::default().json_bytes as u64 + 1;
    let mut text = String::new();
    let read = if is_stdin(file) {
        std::io::stdin().take(most).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|why| Failure::File { what: "read", path: file.to_owned(), why })?;
    Ok(JsonText::from_stored(text))
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// A file as people may call it.
pub(crate) fn shown(file: &Path) -> String {
    if is_stdin(file) { "standard input".to_owned() } else { output::one_line(&file.to_string_lossy()) }
}

/// How much is wrong in all.
pub(crate) fn count(violations: &Violations) -> u64 {
    violations.violations.len() as u64 + violations.more
}

/// Prints all that is wrong.
pub(crate) fn tell(violations: &Violations) -> Result<(), Failure> {
    let rows = violations.violations.iter().map(|one| {
        let place = if one.pointer.is_empty() { "(the whole)" } else { &one.pointer };
        vec![output::one_line(place), one.rule.clone(), output::one_line(&one.sentence)]
    });
    output::table(&["PLACE", "RULE", "WHAT IS WRONG"], rows.collect())?;
    match violations.more {
        0 => Ok(()),
        more => output::line(format!("and {more} more")),
    }
}

fn tell_run(run: RunId, violations: &Violations) -> Result<(), Failure> {
    output::line(format!("{run}: {}", output::one_line(&violations.to_string())))
}
