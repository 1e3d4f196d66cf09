//! What the demo says at its end.

use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount};
use lucihub_models_core::{Run, StoreError};
use lucihub_store::Store;
use serde::Serialize;

use super::Recorded;
use super::pictures::Pictures;
use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::{output, place};

/// The figures of a demo, as `--json` prints them. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    run_id: String,
    channels: usize,
    samples: u64,
    log_lines: usize,
    state: String,
    gaps: usize,
    hot_bytes: u64,
    cold_bytes: u64,
    bytes_per_sample: f64,
    record_ms: f64,
    archive_ms: f64,
    read_ms: f64,
    verified: bool,
    #[serde(skip)]
    digest: String,
}

impl Report {
    /// Gathers the figures of a run that was compared and found equal.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(super) async fn new(
        store: &Store,
        back: &Run,
        recorded: &Recorded,
        archive: Duration,
        read: Duration,
    ) -> Result<Self, Failure> {
        let run = back.head.id;
        let gone = || StoreError::not_found(format!("run {run}"));
        let stored = store.cold().stored_bytes(run).await?.ok_or_else(gone)?;
        let archived = store.status(run).await?.archived.ok_or_else(gone)?;
        let samples: u64 = back.series.iter().map(|series| series.values.len() as u64).sum();
        let ms = |time: Duration| (time.as_secs_f64() * 1e5).round() / 1e2;
        Ok(Self {
            run_id: run.to_string(),
            channels: back.series.len(),
            samples,
            log_lines: back.logs.len(),
            state: back.head.state().to_string(),
            gaps: back.series.iter().map(|series| series.gaps.len()).sum(),
            hot_bytes: recorded.hot_bytes,
            cold_bytes: stored.total(),
            bytes_per_sample: ((stored.samples + stored.summaries) as f64 / samples as f64 * 1e4).round() / 1e4,
            record_ms: ms(recorded.time),
            archive_ms: ms(archive),
            read_ms: ms(read),
            verified: true,
            digest: archived.digest.to_string(),
        })
    }

    pub(super) fn print_json(&self) -> Result<(), Failure> {
        output::json(self)
    }

    pub(super) fn print(&self, args: &DemoArgs, pictures: &Pictures) -> Result<(), Failure> {
        let hot = match args.place.hot.server() {
            None => "in this process's memory, gone when it ends".to_owned(),
            Some(server) => format!("more on {server}; the run leaves hot storage in an hour"),
        };
        let Typed { command, place } = Typed::of(args);
        let per_channel = self.gaps / self.channels.max(1);
        let text = format!(
            "\
Run {id}  {state}

  recorded   {channels} channels, {samples} samples, {lines} log lines in {record} ms
  gaps       {per_channel} on each channel: a chunk that the device sent and that never came
  hot        {hot_bytes} {hot}
  archived   {archive} ms after the end: {cold}, {bytes} bytes per sample
  read back  {read} ms, every bit as it was recorded
  digest     {digest}
  drawn      {time}
             {phase}

It lies in {database}. Look at it:

  {command} runs list{place}
  {command} runs show {id}{place}
  {command} runs logs {id}{place}
  {command} runs plot {id}{place} {window}
  {command} devices list{place}",
            id = self.run_id,
            state = self.state,
            channels = self.channels,
            samples = HumanCount(self.samples),
            lines = self.log_lines,
            record = self.record_ms.round(),
            hot_bytes = DecimalBytes(self.hot_bytes),
            archive = self.archive_ms.round(),
            cold = DecimalBytes(self.cold_bytes),
            bytes = self.bytes_per_sample,
            read = self.read_ms.round(),
            digest = self.digest,
            time = pictures.time.display(),
            phase = pictures.phase.display(),
            window = pictures.typed(),
            database = place::shown(&args.place.cold)?,
        );
        output::line(text)
    }
}

/// How this command was called, so that the next ones can be copied.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) command: String,
    /// The flags that they need to find database and server.
    pub(super) place: String,
}

impl Typed {
    pub(super) fn of(args: &DemoArgs) -> Self {
        let by_cargo = std::env::var_os("CARGO").is_some();
        let command = if by_cargo { "cargo run --release -p lucihub-cli --" } else { "lucihub" };
        let (before_cold, cold) = place::typed(&args.place.cold);
        let (before_hot, hot) = args.place.hot.typed();
        Self { command: format!("{before_cold}{before_hot}{command}"), place: cold + &hot }
    }
}
