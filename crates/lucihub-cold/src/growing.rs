//! Rows of samples that are encoded as their cells grow.

use lucihub_models_core::cold::{Begun, GrownCell};
use lucihub_models_core::{Gap, Invalid, Result, RunId, SUMMARY_WIDTH, SampleCell, Series, StoreError};

use crate::codec::{samples, summary};
use crate::error::Error;
use crate::samples::{SampleRow, check_cell, invalid_cell};

/// What a row of `run_samples` will have of a cell, as far as that has come.
#[derive(Debug, Clone)]
pub(crate) struct Growing {
    pub(crate) first: u64,
    pub(crate) end: u64,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) summary: Vec<u8>,
    samples: samples::Encoder,
}

impl Growing {
    /// Nothing yet of a cell that begins at an index.
    pub(crate) const fn starting_at(first: u64) -> Self {
        let samples = samples::Encoder::new();
        Self { first, end: first, gaps: Vec::new(), summary: Vec::new(), samples }
    }

    /// Encodes more of a cell ahead, after what was begun.
    pub(crate) fn begin(before: Option<&Begun>, part: &SampleCell, channels: usize) -> Result<Option<Begun>, Error> {
        check_cell(part, channels)?;
        let SampleCell { channel, cell, series } = part;
        if series.first >= series.end {
            return Err(invalid_cell(part, format!("a part of it ends at index {}", series.end)).into());
        }
        let mut growing = match before {
            None => Self::starting_at(series.first),
            Some(begun) if (begun.channel(), begun.cell()) == (*channel, *cell) => Self::of(begun)?.clone(),
            Some(begun) => {
                let other = format!("cell {} of channel {} was begun", begun.cell(), begun.channel());
                return Err(invalid_cell(part, other).into());
            }
        };
        growing.goes_on_with(part)?;
        if !growing.samples.push(&series.values) {
            return Ok(None);
        }
        growing.add(series);
        let (range, values) = (growing.first..growing.end, growing.samples.count() as u64);
        let bytes = growing.samples.bytes() + growing.summary.len() + growing.gaps.len() * size_of::<Gap>();
        Ok(Some(Begun::new((*channel, *cell), range, values, bytes, growing)))
    }

    /// The row of a cell that was begun.
    pub(crate) fn row(run: RunId, grown: &GrownCell, channels: usize) -> Result<SampleRow, Error> {
        let GrownCell { begun, rest } = grown;
        let growing = Self::of(begun)?.clone();
        let rest = SampleCell { channel: begun.channel(), cell: begun.cell(), series: rest.clone() };
        growing.goes_on_with(&rest)?;
        if rest.series.end > rest.series.first {
            check_cell(&rest, channels)?;
        }
        growing.into_row(run, &rest)
    }

    /// The row of a cell of which this is all but the rest.
    pub(crate) fn into_row(mut self, run: RunId, rest: &SampleCell) -> Result<SampleRow, Error> {
        let SampleCell { channel, cell, series } = rest;
        self.add(series);
        let count = self.samples.count() + series.values.len();
        let encoded = std::mem::replace(&mut self.samples, samples::Encoder::new()).finish(&series.values);
        let what = || format!("what was encoded ahead of cell {cell} of channel {channel}");
        let encoded = encoded.map_err(|damage| StoreError::corrupt(what(), damage))?;
        SampleRow::encoded(run, (*channel, *cell), &self, count as u64, encoded)
    }

    fn of(begun: &Begun) -> Result<&Self, Invalid> {
        begun.encoded().ok_or_else(|| {
            Invalid::new(format!("cell {} of channel {}", begun.cell(), begun.channel()), "another store began it")
                .hint("write it whole")
        })
    }

    /// Refuses what does not begin where this ends, comes after its last part, or makes it too long.
    fn goes_on_with(&self, rest: &SampleCell) -> Result<(), Invalid> {
        if !self.end.is_multiple_of(SUMMARY_WIDTH) && rest.series.end > rest.series.first {
            return Err(invalid_cell(rest, format!("its last part ended at index {}", self.end))
                .hint(format!("end a part that is not the last one at a multiple of {SUMMARY_WIDTH}")));
        }
        if rest.series.first != self.end {
            return Err(invalid_cell(rest, format!("it goes on at index {}", rest.series.first))
                .hint(format!("go on at index {}", self.end)));
        }
        if rest.series.end.saturating_sub(self.first) > samples::MAX_SAMPLES {
            return Err(invalid_cell(rest, format!("indices {} to {}", self.first, rest.series.end))
                .hint(format!("the limit is {} indices", samples::MAX_SAMPLES)));
        }
        Ok(())
    }

    /// Takes in what stands beside the samples.
    fn add(&mut self, series: &Series) {
        if series.first >= series.end {
            return;
        }
        series.gaps.iter().for_each(|gap| Gap::push(&mut self.gaps, gap.clone()));
        self.summary.extend(summary::encode(series));
        self.end = series.end;
    }
}
