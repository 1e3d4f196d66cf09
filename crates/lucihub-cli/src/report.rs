//! `lucihub runs report`: one run as one page of HTML.
//!
//! [`contents`] reads the run at one position; [`page`] writes it down, with the curves of [`curves`] as data in a
//! script tag. Whatever stands in the run is text there and nothing else. The scripts are a few files by concept, joined.

mod contents;
mod curves;
mod inert;
mod page;
mod tables;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::args::ReportArgs;
use crate::failure::Failure;
use crate::{output, place, whole_file};

/// Writes the page of a run.
pub(crate) async fn run(args: ReportArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let file = args.out.unwrap_or_else(|| PathBuf::from(format!("{run}.html")));
    let is_stdout = file == Path::new("-");
    // Before the run is read, which takes longer.
    if !is_stdout && !args.force && std::fs::symlink_metadata(&file).is_ok() {
        return Err(Failure::FileExists(file));
    }
    let store = reading.whatever_is_there();
    let contents = contents::read(&store, run, args.place.hot.is_shared()).await?;
    let page = page::page(&contents)?;
    if is_stdout {
        let mut out = std::io::stdout().lock();
        out.write_all(page.as_bytes())?;
        out.flush()?;
        return Ok(());
    }
    whole_file::replace(&file, page.as_bytes()).map_err(|why| Failure::File {
        what: "write",
        path: file.clone(),
        why,
    })?;
    output::say(format!("written: {}", file.display()));
    Ok(())
}
