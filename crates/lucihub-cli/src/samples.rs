//! `lucihub runs samples`: a few samples of a channel as numbers.

use std::io::Write;

use indicatif::HumanCount;

use crate::args::{ExportFormat, SamplesArgs, SamplesFormat};
use crate::export::{self, Block, Out, Rows, Table};
use crate::failure::Failure;
use crate::{output, place};

/// Prints samples of a channel, and says how many there are.
pub(crate) async fn run(args: SamplesArgs) -> Result<(), Failure> {
    let (reading, run) = place::read_run(&args.place, &args.run).await?;
    let store = reading.whatever_is_there();
    let mut table = Table::open(store, run, std::slice::from_ref(&args.channel), args.window).await?;
    if let Some(caveat) = table.caveat() {
        output::say(caveat);
    }
    let asked = table.range.end - table.range.start;
    table.range.end = table.range.end.min(table.range.start.saturating_add(args.limit));
    let out = Out::stdout();
    let mut out = match args.output {
        SamplesFormat::Table => export::write_rows(&table, Box::new(Lines::begin(&table, out)?)).await?,
        SamplesFormat::Csv => export::write(&table, ExportFormat::Csv, out).await?,
        SamplesFormat::Jsonl => export::write(&table, ExportFormat::Jsonl, out).await?,
        SamplesFormat::Json => export::write(&table, ExportFormat::Json, out).await?,
    };
    out.flush()?;
    let shown = table.range.end - table.range.start;
    if shown < asked {
        let (shown, asked) = (HumanCount(shown), output::counted(asked, "sample index", "sample indices"));
        output::say(format!("{shown} of {asked}; more with --limit, or from another one with --from"));
    }
    Ok(())
}

/// Lines for people.
struct Lines {
    out: Out,
    /// As wide as the greatest index.
    index: usize,
}

/// As wide as any number is.
const TIME: usize = 24;

impl Lines {
    fn begin(table: &Table, mut out: Out) -> Result<Self, Failure> {
        let index = table.range.end.to_string().len().max("INDEX".len());
        let time = if table.base().is_some() { format!("{:<TIME$} ", "TIME / s") } else { String::new() };
        let name = table.names.iter().map(|name| output::one_line(name)).collect::<String>();
        writeln!(out, "{:>index$}  {time}{name}", "INDEX")?;
        Ok(Self { out, index })
    }
}

impl Rows for Lines {
    fn block(&mut self, table: &Table, block: &Block) -> Result<(), Failure> {
        let width = self.index;
        for mut walk in block.walks() {
            for index in block.range.clone() {
                let value = walk.step().map_or_else(|| "missing".to_owned(), |value| format!("{value:?}"));
                let time = table.base().map(|base| format!("{:<TIME$?} ", base.seconds(index)));
                writeln!(self.out, "{index:>width$}  {}{value}", time.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Out, Failure> {
        Ok(self.out)
    }
}
