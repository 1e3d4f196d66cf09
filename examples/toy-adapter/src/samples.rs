//! Reading samples.

use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::hot::HotSamples;
use lucihub_models_core::{Piece, Result, RunId, Series};

use crate::Toy;

#[async_trait]
impl HotSamples for Toy {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        Ok(self.locked(|state, _| {
            let run = state.runs.get(&run)?;
            let (base, next) = (run.hot.base.sample(channel), run.hot.next.sample(channel));
            let start = range.start.clamp(base, next);
            let end = range.end.clamp(start, next);
            let mut series = Series::starting_at(start);
            let Some(pieces) = run.channels.get(&channel) else { return Some(series) };
            // The piece that holds the start may begin before it.
            let from = pieces.range(..=start).next_back().map_or(start, |(first, _)| *first);
            for piece in pieces.range(from..end.max(from)).map(|(_, piece)| piece) {
                match piece {
                    Piece::Block { first, values } => series.push_values(inside(*first, values, start..end)),
                    Piece::Gap(gap) => gap.clip(&(start..end)).into_iter().for_each(|gap| series.push_gap(gap)),
                }
            }
            Some(series)
        }))
    }
}

/// The values of a block whose index lies in a range.
fn inside(first: u64, values: &[f64], range: Range<u64>) -> &[f64] {
    let place = |index: u64| usize::try_from(index.saturating_sub(first)).unwrap_or(usize::MAX).min(values.len());
    &values[place(range.start)..place(range.end).max(place(range.start))]
}
