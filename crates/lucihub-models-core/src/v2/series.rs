//! The samples of one channel over a range of indices, with their gaps.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::open_text::open_text;

open_text! {
    /// Why samples are missing. The list is open.
    GapCause, "The cause of a gap" {
        /// The device's data never came.
        Device = "device",
        /// The store was slow and the worker could not wait.
        Overflow = "overflow",
        /// The store lost what it had.
        Store = "store",
    }
}

/// A stretch of indices without samples. Closed, as all coordinates are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The first missing index.
    #[schemars(extend("x-unit" = "sample"))]
    pub first: u64,
    /// The index after the last missing one.
    #[schemars(extend("x-unit" = "sample"))]
    pub end: u64,
    /// Why they are missing.
    pub cause: GapCause,
    /// Whether the length is a conclusion rather than known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub inferred: bool,
}

impl Gap {
    /// A gap of known length.
    #[must_use]
    pub const fn new(range: Range<u64>, cause: GapCause) -> Self {
        Self { first: range.start, end: range.end, cause, inferred: false }
    }

    /// Marks the length as a conclusion.
    #[must_use]
    pub const fn inferred(mut self) -> Self {
        self.inferred = true;
        self
    }

    /// Checks its cause against the limits.
    ///
    /// # Errors
    /// [`Invalid`](crate::Invalid) if it is too long.
    pub fn check(&self, limits: &crate::Limits) -> Result<(), crate::Invalid> {
        crate::check::check_gap(self, limits)
    }

    /// How many samples are missing.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.end.saturating_sub(self.first)
    }

    /// Whether none is missing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.end <= self.first
    }

    /// The part of this gap inside a range, if there is one.
    #[must_use]
    pub fn clip(&self, range: &Range<u64>) -> Option<Self> {
        let (first, end) = (self.first.max(range.start), self.end.min(range.end));
        (first < end).then(|| Self { first, end, ..self.clone() })
    }

    /// Adds a gap to a list in ascending order; neighbours alike in cause and
    /// certainty become one, so that the list does not depend on how it was cut.
    pub fn push(list: &mut Vec<Self>, gap: Self) {
        if gap.is_empty() {
            return;
        }
        match list.last_mut() {
            Some(last) if last.end == gap.first && last.cause == gap.cause && last.inferred == gap.inferred => {
                last.end = gap.end;
            }
            _ => list.push(gap),
        }
    }
}

/// The samples of one channel over `[first, end)`.
///
/// `values` holds the samples that exist, in order of index; the indices in
/// `gaps` have none. So a NaN that was measured never reads as a gap.
///
/// ```
/// use lucihub_models_core::{Gap, GapCause, Series};
/// let mut series = Series::starting_at(10);
/// series.push_values(&[0.1, 0.2]);
/// series.push_gap(Gap::new(12..14, GapCause::Device));
/// series.push_values(&[0.5]);
/// assert_eq!((series.first, series.end), (10, 15));
/// assert_eq!(series.get(14), Some(0.5));
/// assert_eq!(series.get(13), None);
/// let parts: Vec<_> = series.segments().collect();
/// assert_eq!(parts, [(10, &[0.1, 0.2][..]), (14, &[0.5][..])]);
/// ```
///
/// Reading one from a document refuses a range, gaps and values that do not agree.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The first index of the range.
    #[serde(default)]
    #[schemars(extend("x-unit" = "sample"))]
    pub first: u64,
    /// The index after the range.
    #[schemars(extend("x-unit" = "sample"))]
    pub end: u64,
    /// Where samples are missing, ascending, inside the range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub gaps: Vec<Gap>,
    /// The samples that exist, in machine units unless the channel says otherwise.
    #[serde(with = "crate::exact::list")]
    #[schemars(with = "Vec<crate::exact::ExactF64>", extend("x-unit" = "machine unit"))]
    pub values: Vec<f64>,
}

impl<'de> Deserialize<'de> for Series {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            #[serde(default)]
            first: u64,
            end: u64,
            #[serde(default)]
            gaps: Vec<Gap>,
            #[serde(with = "crate::exact::list")]
            values: Vec<f64>,
        }
        let Parts { first, end, gaps, values } = Parts::deserialize(deserializer)?;
        let series = Self { first, end, gaps, values };
        // Indices are subtracted from each other wherever a series is used.
        if !series.is_consistent() {
            return Err(serde::de::Error::custom("samples and gaps do not fill the range of the series"));
        }
        Ok(series)
    }
}

impl PartialEq for Series {
    /// Bit for bit: NaN equals the same NaN, -0.0 differs from 0.0.
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first
            && self.end == other.end
            && self.gaps == other.gaps
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

impl Series {
    /// An empty series that begins at an index.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self { first, end: first, gaps: Vec::new(), values: Vec::new() }
    }

    /// Appends samples at the end.
    pub fn push_values(&mut self, values: &[f64]) {
        self.values.extend_from_slice(values);
        self.end += values.len() as u64;
    }

    /// Appends a gap at the end; the range before it that is not covered yet
    /// becomes part of it.
    pub fn push_gap(&mut self, gap: Gap) {
        let gap = Gap { first: self.end, ..gap };
        self.end = self.end.max(gap.end);
        Gap::push(&mut self.gaps, gap);
    }

    /// Appends a series that begins where this one ends.
    pub fn append(&mut self, next: &Self) {
        debug_assert_eq!(self.end, next.first);
        let mut at = next.first;
        for gap in &next.gaps {
            at = gap.end;
            Gap::push(&mut self.gaps, gap.clone());
        }
        debug_assert!(at <= next.end);
        self.values.extend_from_slice(&next.values);
        self.end = next.end;
    }

    /// The samples as runs without a gap: first index and values.
    pub fn segments(&self) -> impl Iterator<Item = (u64, &[f64])> {
        let starts = std::iter::once(self.first).chain(self.gaps.iter().map(|g| g.end));
        let ends = self.gaps.iter().map(|g| g.first).chain(std::iter::once(self.end));
        let mut rest = self.values.as_slice();
        starts.zip(ends).filter_map(move |(start, end)| {
            let wanted = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
            let (part, tail) = rest.split_at(wanted.min(rest.len()));
            rest = tail;
            (!part.is_empty()).then_some((start, part))
        })
    }

    /// One sample; `None` outside the range and inside a gap.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<f64> {
        if !(self.first..self.end).contains(&index) {
            return None;
        }
        let mut missing = 0;
        for gap in self.gaps.iter().take_while(|g| g.first <= index) {
            if index < gap.end {
                return None;
            }
            missing += gap.len();
        }
        self.values.get(usize::try_from(index - self.first - missing).ok()?).copied()
    }

    /// The part inside a range of indices.
    #[must_use]
    pub fn slice(&self, range: Range<u64>) -> Self {
        let range = range.start.max(self.first)..range.end.min(self.end);
        if range.start >= range.end {
            return Self::starting_at(range.start.min(self.end));
        }
        let mut part = Self { first: range.start, end: range.end, gaps: Vec::new(), values: Vec::new() };
        part.gaps.extend(self.gaps.iter().filter_map(|g| g.clip(&range)));
        for (start, values) in self.segments() {
            let end = start + values.len() as u64;
            let (from, to) = (start.max(range.start), end.min(range.end));
            if from < to {
                // Both differences are within the segment's length, a usize.
                #[expect(clippy::cast_possible_truncation, reason = "within the segment's length")]
                part.values.extend_from_slice(&values[(from - start) as usize..(to - start) as usize]);
            }
        }
        part
    }

    /// One value per index, with `fill` in the gaps.
    #[must_use]
    pub fn dense(&self, fill: f64) -> Vec<f64> {
        let length = usize::try_from(self.end - self.first).unwrap_or(usize::MAX);
        let mut all = vec![fill; length];
        for (start, values) in self.segments() {
            let at = usize::try_from(start - self.first).unwrap_or(usize::MAX);
            all[at..at + values.len()].copy_from_slice(values);
        }
        all
    }

    /// Whether range, gaps and values agree: gaps not empty, ascending, inside the range, and exactly one value for every
    /// other index.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let mut at = self.first;
        let mut missing = 0;
        for gap in &self.gaps {
            if gap.is_empty() || gap.first < at || gap.end > self.end {
                return false;
            }
            at = gap.end;
            missing += gap.len();
        }
        let present = self.end.checked_sub(self.first).and_then(|all| all.checked_sub(missing));
        present == Some(self.values.len() as u64)
    }
}
