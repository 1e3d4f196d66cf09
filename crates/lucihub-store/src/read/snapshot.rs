//! A run at one position: what a viewer shows before it follows.

use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::hot::LineSlice;
use lucihub_models_core::{Cursor, Envelope, Result, RunId};

use super::RunStatus;
use super::samples::CHANNELS_AT_ONCE;
use crate::store::Store;

/// A run at one position.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// How it stands.
    pub status: RunStatus,
    /// Its last log lines.
    pub lines: LineSlice,
    /// Every channel's envelope.
    pub envelopes: Vec<Envelope>,
    /// Where to follow from: exactly after what is here.
    pub cursor: Cursor,
}

impl Store {
    /// Head, last log lines and envelopes at one position, with the cursor to
    /// follow from.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming the cell; others when a storage cannot be read.
    pub async fn snapshot(&self, run: RunId, last_lines: u64, buckets: usize) -> Result<Snapshot> {
        let located = self.locate(run).await?;
        let status = located.status();
        let at = located.positions().clone();
        let lines = self.lines_at(&located, at.lines.saturating_sub(last_lines)..at.lines).await?;
        let channels = 0..u32::try_from(status.head.channels.len()).unwrap_or(u32::MAX);
        let envelopes = stream::iter(channels).map(|channel| self.envelope_at(&located, channel, 0..u64::MAX, buckets));
        let envelopes = envelopes.buffered(CHANNELS_AT_ONCE).try_collect().await?;
        Ok(Snapshot { status, lines, envelopes, cursor: Cursor::new(run, at) })
    }
}
