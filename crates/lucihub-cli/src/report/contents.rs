//! What a page needs of a run, read at one position.

use lucihub_models_core::{Envelope, LogLine, RunId};
use lucihub_store::{Located, RunStatus, Store};

use crate::failure::Failure;
use crate::plot::{self, Request};
use crate::runs::source_in_words;

/// The most log lines of a page.
const LINES: usize = 10_000;
/// The most bytes of their texts: a page must open.
const LINE_BYTES: usize = 1 << 20;
/// Buckets of all channels together: 16 bytes each, and a third more as text.
const BUCKETS: usize = 64_000;
/// The least and the most buckets of one channel.
const EACH: (usize, usize) = (500, 8_000);

/// All of a run that is on its page.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) status: RunStatus,
    /// Where it was found, in words.
    pub(super) source: &'static str,
    /// One for each channel.
    pub(super) envelopes: Vec<Envelope>,
    /// The last lines.
    pub(super) lines: Vec<LogLine>,
    /// The number of the first of them.
    pub(super) first_line: u64,
    /// The channels as a still picture, if anything was measured.
    pub(super) picture: Option<String>,
}

/// Reads it.
pub(super) async fn read(store: &Store, run: RunId, is_shared: bool) -> Result<Contents, Failure> {
    let located = store.locate(run).await?;
    let status = located.status();
    let channels = status.head.channels.len();
    let most = (BUCKETS / channels.max(1)).clamp(EACH.0, EACH.1);
    let mut envelopes = Vec::with_capacity(channels);
    for channel in 0..u32::try_from(channels).unwrap_or(u32::MAX) {
        envelopes.push(store.envelope_at(&located, channel, 0..u64::MAX, most).await?);
    }
    let picture = if envelopes.iter().take(plot::CHANNELS).any(|envelope| envelope.end > 0) {
        let request = Request { run, channels: Vec::new(), xy: None, from: None, to: None };
        Some(plot::as_svg(store, &located, &request).await?)
    } else {
        None
    };
    let (first_line, lines) = last_lines(store, &located).await?;
    Ok(Contents { source: source_in_words(status.source, is_shared), status, envelopes, lines, first_line, picture })
}

/// The last lines, from their end on until they are enough.
async fn last_lines(store: &Store, located: &Located) -> Result<(u64, Vec<LogLine>), Failure> {
    const AT_ONCE: u64 = 1_024;
    let mut first = located.positions().lines;
    let mut parts = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    'enough: while first > 0 {
        let slice = store.lines_at(located, first.saturating_sub(AT_ONCE)..first).await?;
        for line in slice.lines.into_iter().rev() {
            count += 1;
            bytes += line.size();
            // One line is shown, however long it is.
            if count > LINES || (bytes > LINE_BYTES && count > 1) {
                break 'enough;
            }
            parts.push(line);
            first -= 1;
        }
    }
    parts.reverse();
    Ok((first, parts))
}
