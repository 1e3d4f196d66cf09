//! Pushing samples: in order, early, late, missing, or with no room for them.

use std::ops::Range;

use lucihub_models_core::assemble::Assembled;
use lucihub_models_core::{Gap, GapCause, Invalid};

use super::error::RecordError;
use super::options::OnFull;
use super::recorder::Recorder;
use super::reorder::Arrival;

impl Recorder {
    /// Appends samples of one channel that begin at an index.
    ///
    /// Samples may come a little out of order: what comes early waits for what
    /// is missing, up to [`RecordOptions::reorder_samples`](super::RecordOptions::reorder_samples); what is still
    /// missing then becomes a gap with cause `device`, and is dropped if it
    /// comes after all.
    ///
    /// # Errors
    /// `Invalid` for a channel that the run does not have, or an index past a
    /// limit; `Failed` when recording cannot go on.
    pub async fn samples(&self, channel: u32, first: u64, values: &[f64]) -> Result<Arrival, RecordError> {
        let end = first.saturating_add(values.len() as u64);
        if end > self.limits.samples {
            return Err(Invalid::new(format!("channel {channel}"), format!("sample index {end}"))
                .hint(format!("the limit is {}", self.limits.samples))
                .into());
        }
        let mut arrival = Arrival::InOrder;
        let chunk = (self.options.batch_bytes / 8).max(1);
        for (n, part) in values.chunks(chunk).enumerate() {
            let first = first + (n * chunk) as u64;
            if self.is_full() {
                match self.options.on_full {
                    OnFull::Wait => self.wait_for_room().await?,
                    OnFull::Gap => {
                        self.overflow(channel, first..first + part.len() as u64)?;
                        continue;
                    }
                }
            }
            arrival = self.with_pending(|p, _| {
                self.check_jump(p, channel, first)?;
                Ok(p.arrive(channel, first, part, self.options.reorder_samples))
            })?;
        }
        Ok(arrival)
    }

    /// Says that samples of a channel are missing up to an index, and why. What
    /// waits before that index is appended first.
    ///
    /// # Errors
    /// `Invalid` for a channel that the run does not have, or a gap past the
    /// limit; `Failed` when recording cannot go on.
    pub async fn gap(&self, channel: u32, end: u64, cause: GapCause) -> Result<(), RecordError> {
        self.mark(channel, Gap::new(0..end, cause)).await
    }

    /// Appends what an [`Assembler`](lucihub_models_core::assemble::Assembler)
    /// gave out: samples, or a gap with its certainty.
    ///
    /// # Errors
    /// As [`samples`](Self::samples) and [`gap`](Self::gap).
    pub async fn assembled(&self, piece: &Assembled) -> Result<(), RecordError> {
        match piece {
            Assembled::Samples(block) => self.samples(block.channel, block.first, &block.values).await.map(drop),
            Assembled::Gap(mark) => self.mark(mark.channel, mark.gap.clone()).await,
        }
    }

    async fn mark(&self, channel: u32, gap: Gap) -> Result<(), RecordError> {
        gap.check(&self.limits)?;
        let end = gap.end;
        self.push(
            |p, _| {
                Self::check_channel(channel, p.channels)?;
                let next = p.next.sample(channel);
                if end.saturating_sub(next) > self.limits.gap || end > self.limits.samples {
                    return Err(Invalid::new(format!("channel {channel}"), format!("a gap up to index {end}"))
                        .hint(format!("a gap has at most {} samples", self.limits.gap)));
                }
                p.gap_up_to(channel, gap);
                Ok(())
            },
            |_| false,
        )
        .await
    }

    fn overflow(&self, channel: u32, range: Range<u64>) -> Result<(), RecordError> {
        self.with_pending(|p, _| {
            self.check_jump(p, channel, range.start)?;
            p.overflow(channel, range);
            Ok(())
        })
    }
}
