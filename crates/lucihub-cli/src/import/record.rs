//! Recording what was checked, as a worker does.

use lucihub_models_core::{GapCause, LogLine, RunHead, RunState};
use lucihub_store::record::End;
use lucihub_store::{Recorder, Store};

use super::axis::Checked;
use super::rows::{Row, Rows};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{output, stop};

/// Samples of a channel that are pushed at once.
const AT_ONCE: usize = 4_096;

/// Why samples are missing: the file says that they are, and not why.
const CAUSE: &str = "import";

/// Creates the run and records it to its end. If that fails, or is stopped, the run is removed again.
pub(super) async fn record(
    store: &Store,
    head: &RunHead,
    rows: Box<dyn Rows>,
    checked: &Checked,
    name: &str,
) -> Result<(), Failure> {
    let recording = async {
        store.create(head).await?;
        let recorder = store.record(head.id, "lucihub-import").await?;
        push(store, &recorder, rows, checked, name).await?;
        recorder.finish(RunState::Succeeded, End::default()).await?;
        Ok(())
    };
    let recorded = tokio::select! {
        biased;
        () = stop::asked() => Err(Failure::Interrupted("nothing was imported".to_owned())),
        recorded = recording => recorded,
    };
    if recorded.is_err()
        && let Err(why) = store.delete(head.id, true).await
    {
        output::say(format!("lucihub: run {} was begun and cannot be removed: {why}", head.id));
    }
    recorded
}

async fn push(
    store: &Store,
    recorder: &Recorder,
    mut rows: Box<dyn Rows>,
    checked: &Checked,
    name: &str,
) -> Result<(), Failure> {
    recorder.state(RunState::InProgress).await?;
    recorder.line(LogLine::new(store.now(), format!("imported from {name}")).level("info").source("lucihub")).await?;
    let mut pens: Vec<Pen> =
        (0..).map(|channel| Pen::new(channel, checked.first)).take(checked.layout.channels.len()).collect();
    let (mut row, mut done, mut bar) = (Row::default(), 0, Progress::of(checked.rows));
    let changed = || Failure::Usage(format!("{name} changed while it was imported; import it again"));
    while rows.next(&mut row)? {
        if done == checked.rows || row.values.len() != pens.len() {
            return Err(changed());
        }
        for (pen, value) in pens.iter_mut().zip(&row.values) {
            pen.write(recorder, *value).await?;
        }
        done += 1;
        if done % AT_ONCE as u64 == 0 {
            bar.at(done);
            // A file on a fast disk would leave no room to be stopped.
            tokio::task::yield_now().await;
        }
    }
    if done < checked.rows {
        return Err(changed());
    }
    for pen in &mut pens {
        pen.lift(recorder).await?;
    }
    Ok(())
}

/// What is written of one channel.
struct Pen {
    channel: u32,
    /// The index of the next sample.
    next: u64,
    values: Vec<f64>,
    /// Whether what was written last is missing.
    is_up: bool,
}

impl Pen {
    /// Begins at an index; what comes before is missing.
    const fn new(channel: u32, first: u64) -> Self {
        Self { channel, next: first, values: Vec::new(), is_up: first > 0 }
    }

    async fn write(&mut self, recorder: &Recorder, value: Option<f64>) -> Result<(), Failure> {
        match value {
            Some(value) => {
                if self.is_up {
                    self.lift(recorder).await?;
                }
                self.values.push(value);
                self.next += 1;
                if self.values.len() == AT_ONCE { self.lift(recorder).await } else { Ok(()) }
            }
            None => {
                if !self.is_up {
                    self.lift(recorder).await?;
                    self.is_up = true;
                }
                self.next += 1;
                Ok(())
            }
        }
    }

    /// Records what was not recorded yet: a stretch of samples, or a gap.
    async fn lift(&mut self, recorder: &Recorder) -> Result<(), Failure> {
        if std::mem::replace(&mut self.is_up, false) {
            recorder.gap(self.channel, self.next, GapCause::from(CAUSE)).await?;
        } else if !self.values.is_empty() {
            let first = self.next - self.values.len() as u64;
            recorder.samples(self.channel, first, &self.values).await?;
            self.values.clear();
        }
        Ok(())
    }
}
