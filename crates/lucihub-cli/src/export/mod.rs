//! `lucihub runs export`: samples of a run in the formats of other programs.
//!
//! A [`Table`] is what is exported. Formats that have the channels side by side are [`Rows`], written a block of
//! rows at a time; [`npz`] and [`document`] have a channel after the other. Memory is bounded by one cell of each channel.
//! A new format is a variant of [`ExportFormat`] and an arm in [`write()`].

#[cfg(feature = "export")]
mod arrow;
pub(crate) mod columns;
mod csv;
mod document;
mod jsonl;
mod npz;
mod out;
#[cfg(feature = "export")]
mod parquet;
mod rows;
mod spill;
mod table;
pub(crate) mod text;

use indicatif::HumanCount;

pub(crate) use out::Out;
pub(crate) use rows::{Rows, write as write_rows};
pub(crate) use table::{Block, Table};

use crate::args::{ExportArgs, ExportFormat};
use crate::failure::Failure;
use crate::{output, place, stop};
use out::Target;

/// Exports a run.
pub(crate) async fn run(args: ExportArgs) -> Result<(), Failure> {
    let target = Target::find(args.out.as_deref(), args.force)?;
    let format = format(&args, &target)?;
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let table = Table::open(reading.whatever_is_there(), run, &args.channels, args.window).await?;
    if let Some(caveat) = table.caveat() {
        output::say(caveat);
    }
    let exporting = async {
        let out = write(&table, format, target.open()?).await.map_err(|failure| target.named(failure))?;
        target.finish(out)
    };
    let Some(file) = target.file() else { return exporting.await };
    tokio::select! {
        biased;
        // What was begun goes with the future that writes it.
        () = stop::asked() => return Err(Failure::Interrupted(format!("{} was not written", file.display()))),
        exported = exporting => exported?,
    }
    let indices = output::counted(table.range.end - table.range.start, "sample index", "sample indices");
    let channels = HumanCount(table.channels.len() as u64);
    output::say(format!("written: {}, {indices} of channels: {channels}", file.display()));
    Ok(())
}

/// The format that was asked for, if it can go where it shall.
fn format(args: &ExportArgs, target: &Target) -> Result<ExportFormat, Failure> {
    let format = match (args.format, target.file()) {
        (Some(format), _) => format,
        (None, Some(file)) => ExportFormat::of(file).ok_or_else(|| {
            Failure::Usage(format!(
                "the name of {} says no format; give --format csv, jsonl, npz, json, arrow or parquet",
                file.display()
            ))
        })?,
        (None, None) => {
            return Err(Failure::Usage(
                "give --format csv, jsonl, npz, json, arrow or parquet, or a file with --out".to_owned(),
            ));
        }
    };
    if matches!(format, ExportFormat::Arrow | ExportFormat::Parquet) && !cfg!(feature = "export") {
        return Err(Failure::Usage(
            "this lucihub was built without Arrow and Parquet; install it with `cargo install --path crates/lucihub-cli \
             --features export`, or export csv, jsonl, json or npz"
                .to_owned(),
        ));
    }
    if target.is_terminal() && !format.is_text() {
        return Err(Failure::Usage("a terminal cannot show this format; name a file with --out".to_owned()));
    }
    Ok(format)
}

/// Writes a table in a format.
pub(crate) async fn write(table: &Table, format: ExportFormat, out: Out) -> Result<Out, Failure> {
    match format {
        ExportFormat::Csv => rows::write(table, Box::new(csv::Csv::begin(table, out)?)).await,
        ExportFormat::Jsonl => rows::write(table, Box::new(jsonl::Jsonl::begin(table, out)?)).await,
        ExportFormat::Npz => npz::write(table, out).await,
        ExportFormat::Json => document::write(table, out).await,
        #[cfg(feature = "export")]
        ExportFormat::Arrow => rows::write(table, Box::new(arrow::File::begin(table, out)?)).await,
        #[cfg(feature = "export")]
        ExportFormat::Parquet => rows::write(table, Box::new(parquet::File::begin(table, out)?)).await,
        #[cfg(not(feature = "export"))]
        ExportFormat::Arrow | ExportFormat::Parquet => Err(Failure::Broken("no such format in this build".to_owned())),
    }
}
