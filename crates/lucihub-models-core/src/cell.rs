//! Cells: the fixed grid on which cold storage keeps lines and samples.
//!
//! A cell is a pure function of the index, so checkpoints, restarts and
//! competing archivers with any settings write the same cells.

use std::ops::Range;

use crate::digest::{Canonical, Digest};
use crate::envelope::{Bucket, SUMMARY_WIDTH};
use crate::error::Invalid;
use crate::latest::{Gap, Grid, LogLine, Series};
use crate::position::Positions;

impl Grid {
    /// Refuses sizes that the grid cannot have: samples per cell a power of two
    /// from 1,024 to 1,048,576, lines per cell from 1 to 2,048.
    ///
    /// # Errors
    /// [`Invalid`] naming the size.
    pub fn check(&self) -> Result<(), Invalid> {
        if !self.samples.is_power_of_two() || !(1_024..=1 << 20).contains(&self.samples) {
            return Err(Invalid::new("grid", format!("{} samples per cell", self.samples))
                .hint("use a power of two from 1024 to 1048576"));
        }
        // 2,048 lines of 64 KiB are 128 MiB, which a keeper may have to hold at once; of control characters alone, six
        // times that as JSON, which is just below what SQLite takes in one value.
        if !(1..=2_048).contains(&self.lines) {
            return Err(Invalid::new("grid", format!("{} lines per cell", self.lines)).hint("use 1 to 2048"));
        }
        Ok(())
    }

    /// The indices of a sample cell.
    #[must_use]
    pub fn sample_cell(&self, cell: u64) -> Range<u64> {
        let size = u64::from(self.samples);
        cell * size..(cell + 1) * size
    }

    /// The numbers of the lines of a log cell.
    #[must_use]
    pub fn log_cell(&self, cell: u64) -> Range<u64> {
        let size = u64::from(self.lines);
        cell * size..(cell + 1) * size
    }

    /// The indices of a part of a sample cell, which keepers encode ahead of the rest: an eighth of a cell, but at least
    /// [`SUMMARY_WIDTH`].
    ///
    /// ```
    /// use lucihub_models_core::Grid;
    /// assert_eq!(Grid::default().part(), 8_192);
    /// assert_eq!(Grid { samples: 1_024, ..Grid::default() }.part(), 1_024);
    /// ```
    #[must_use]
    pub fn part(&self) -> u64 {
        (u64::from(self.samples) / 8).max(SUMMARY_WIDTH)
    }

    /// Whether between two positions a [part](Self::part) of a cell became complete of every channel that has samples,
    /// or a cell of the lines: then there is something to encode or to write that nothing changes any more. Channels
    /// come side by side, so it is the slowest that counts.
    ///
    /// ```
    /// use lucihub_models_core::{Grid, Positions};
    /// let at = |samples: &[u64]| Positions { samples: samples.to_vec(), ..Positions::default() };
    /// let grid = Grid::default();
    /// assert!(grid.completes(&at(&[16_400, 16_300]), &at(&[16_400, 16_400])));
    /// assert!(grid.completes(&at(&[66_000, 65_000, 0]), &at(&[66_000, 66_000, 0])));
    /// assert!(!grid.completes(&at(&[65_000, 65_000, 0]), &at(&[66_000, 65_500, 0])));
    /// ```
    #[must_use]
    pub fn completes(&self, before: &Positions, after: &Positions) -> bool {
        let lines = u64::from(self.lines);
        self.complete_parts(after) > self.complete_parts(before) || after.lines / lines > before.lines / lines
    }

    /// How many [parts](Self::part) are complete of every channel that has samples: those of the slowest.
    #[must_use]
    pub fn complete_parts(&self, at: &Positions) -> u64 {
        at.samples.iter().copied().filter(|next| *next > 0).min().unwrap_or(0) / self.part()
    }

    /// The sample cells that a range of indices touches.
    #[must_use]
    pub fn sample_cells(&self, range: &Range<u64>) -> Range<u64> {
        touched(range, self.samples.into())
    }

    /// The log cells that a range of line numbers touches.
    #[must_use]
    pub fn log_cells(&self, range: &Range<u64>) -> Range<u64> {
        touched(range, self.lines.into())
    }
}

fn touched(range: &Range<u64>, size: u64) -> Range<u64> {
    if range.start >= range.end {
        let at = range.start / size;
        return at..at;
    }
    range.start / size..range.end.div_ceil(size)
}

/// Samples of one channel in one cell of the grid. While the run is open the
/// last cell may end early.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleCell {
    /// The channel.
    pub channel: u32,
    /// The number of the cell.
    pub cell: u64,
    /// What is in it; it begins at the cell's first index.
    pub series: Series,
}

impl SampleCell {
    /// The hash of its logical content.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut hash = CellHash::begin(self.channel, self.cell, self.series.first);
        hash.add(&self.series);
        hash.finish()
    }
}

/// The hash of a sample cell that comes in parts: [`SampleCell::hash`] of all of them.
///
/// ```
/// use lucihub_models_core::{CellHash, SampleCell, Series};
/// let mut series = Series::starting_at(0);
/// series.push_values(&[0.5, 0.25, 0.125]);
/// let mut hash = CellHash::begin(3, 0, 0);
/// hash.add(&series.slice(0..2));
/// hash.add(&series.slice(2..3));
/// assert_eq!(hash.finish(), SampleCell { channel: 3, cell: 0, series }.hash());
/// ```
#[derive(Debug, Clone)]
pub struct CellHash {
    samples: Canonical,
    place: [u64; 3],
    count: usize,
    gaps: Vec<Gap>,
    end: u64,
}

impl CellHash {
    /// Begins the hash of a cell of a channel, which begins at an index.
    #[must_use]
    pub fn begin(channel: u32, cell: u64, first: u64) -> Self {
        let samples = Canonical::of_floats("lucihub samples 1");
        Self { samples, place: [channel.into(), cell, first], count: 0, gaps: Vec::new(), end: first }
    }

    /// Adds what follows.
    pub fn add(&mut self, part: &Series) {
        self.samples.bits(&part.values);
        self.count += part.values.len();
        part.gaps.iter().for_each(|gap| Gap::push(&mut self.gaps, gap.clone()));
        self.end = part.end;
    }

    /// Bytes of memory that it takes, about: most are gaps.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of::<Self>() + self.gaps.len() * size_of::<Gap>()
    }

    /// The hash of all parts so far.
    #[must_use]
    pub fn finish(&self) -> Digest {
        // Behind the samples, since nobody knows it before they have come. That is as unambiguous: the number of samples,
        // which is the last of all, says where they end.
        let mut c = self.samples.clone();
        self.place.into_iter().for_each(|number| c.number(number));
        c.number(self.end);
        c.each(&self.gaps, Canonical::gap);
        c.count(self.count);
        c.finish()
    }
}

/// Log lines in one cell of the grid. While the run is open the last cell may
/// end early.
#[derive(Debug, Clone, PartialEq)]
pub struct LogCell {
    /// The number of the cell.
    pub cell: u64,
    /// The number of its first line.
    pub first: u64,
    /// The lines.
    pub lines: Vec<LogLine>,
}

impl LogCell {
    /// The number after its last line.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The hash of its logical content.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut c = Canonical::of("lucihub lines 1");
        c.number(self.cell);
        c.number(self.first);
        c.each(&self.lines, Canonical::line);
        c.finish()
    }
}

/// What a cell's small column says without decoding its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct CellSummary {
    /// The channel.
    pub channel: u32,
    /// The number of the cell.
    pub cell: u64,
    /// The first index.
    pub first: u64,
    /// The index after the last one.
    pub end: u64,
    /// Where samples are missing.
    pub gaps: Vec<Gap>,
    /// One bucket per [`SUMMARY_WIDTH`] indices, from the first.
    pub buckets: Vec<Bucket>,
}
