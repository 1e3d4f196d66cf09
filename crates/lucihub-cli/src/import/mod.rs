//! `lucihub runs import`: a finished run from a file of samples.
//!
//! The file is read twice: [`axis`] checks every row before there is a run, then [`record`] records them as a worker does.
//! [`csv`] and [`jsonl`] read rows, [`layout`] says what their columns are.

mod axis;
mod csv;
mod jsonl;
mod keep;
mod layout;
mod record;
mod rows;
mod time_base;

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use lucihub_models_core::{Channel, Invalid, JobType, RunHead};
use lucihub_store::Store;

use crate::args::{ImportArgs, ImportFormat};
use crate::failure::Failure;
use crate::{output, place};
use axis::Checked;
use rows::{Row, Rows};

/// Imports a run, and prints its id.
pub(crate) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let format = format(&args)?;
    let mut source = Source::open(&args.file)?;
    let checked = check(source.rows(format)?, args.rate)?;
    let store = place::find_or_make(&args.place).await?;
    let head = describe(&store, &args, &checked).await?;
    let keeping = keep::Keeping::begin(&store, args.place.hot.is_shared());
    let recorded = record::record(&store, &head, source.rows(format)?, &checked, &source.name).await;
    let kept = keeping.end(&store, head.id, recorded.is_ok()).await;
    recorded.and(kept)?;
    output::line(head.id.to_string())
}

fn format(args: &ImportArgs) -> Result<ImportFormat, Failure> {
    let of_name = || match args.file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(ImportFormat::Csv),
        "jsonl" | "ndjson" => Some(ImportFormat::Jsonl),
        _ => None,
    };
    args.format
        .or_else(of_name)
        .ok_or_else(|| Failure::Usage("give --format csv or jsonl: the name of the file says neither".to_owned()))
}

/// A file that can be read twice.
struct Source {
    file: File,
    name: String,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |why| Failure::File { what: "read", path: path.to_owned(), why };
        if path != Path::new("-") {
            let mut file = File::open(path).map_err(failed)?;
            let about = file.metadata().map_err(failed)?;
            if about.is_dir() {
                return Err(failed(io::Error::other("it is a folder")));
            }
            if !about.is_file() {
                file = kept(&mut file).map_err(failed)?;
            }
            return Ok(Self { file, name: output::one_line(&path.display().to_string()) });
        }
        let file = kept(&mut io::stdin().lock()).map_err(failed)?;
        Ok(Self { file, name: "standard input".to_owned() })
    }

    /// Its rows, from the beginning.
    fn rows(&mut self, format: ImportFormat) -> Result<Box<dyn Rows>, Failure> {
        self.file.rewind()?;
        let (file, name) = (self.file.try_clone()?, self.name.clone());
        Ok(match format {
            ImportFormat::Csv => Box::new(csv::Csv::open(file, name)?),
            ImportFormat::Jsonl => Box::new(jsonl::Jsonl::open(file, name)?),
        })
    }
}

/// What comes once, in a file without a name.
fn kept(from: &mut impl io::Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(from, &mut file)?;
    Ok(file)
}

/// Reads all of it.
fn check(mut rows: Box<dyn Rows>, rate: Option<f64>) -> Result<Checked, Failure> {
    let (mut row, mut axis) = (Row::default(), axis::Axis::new(rate)?);
    while rows.next(&mut row)? {
        axis.take(&row).map_err(|problem| rows.at(row.line, problem))?;
    }
    let checked = axis.finish(rows.layout().clone());
    checked.map_err(|problem| rows.at(row.line, problem))
}

async fn describe(store: &Store, args: &ImportArgs, checked: &Checked) -> Result<RunHead, Failure> {
    let mut head = store.new_run(JobType::from(&*args.job_type));
    head.owner.clone_from(&args.owner);
    for (name, value) in &args.label {
        if head.labels.insert(name.clone(), value.clone()).is_some() {
            return Err(Invalid::new(format!("label {name}"), "it is given twice").into());
        }
    }
    if let Some(device) = &args.device {
        head.device_type = store.cold().device(device).await?.map(|device| device.device_type);
        head.device = Some(device.clone());
    }
    head.channels = checked.layout.channels.iter().map(|name| Channel::named(name.as_str())).collect();
    head.time_base = checked.base;
    Ok(head)
}
