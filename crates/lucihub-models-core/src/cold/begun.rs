//! Cells that are encoded before all of them has come.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::latest::Series;

/// The beginning of a sample cell, as cold storage encoded it ahead. What is in it only the store knows that made it.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Begun {
    channel: u32,
    cell: u64,
    range: Range<u64>,
    values: u64,
    bytes: usize,
    encoded: Arc<dyn Any + Send + Sync>,
}

impl Begun {
    /// The beginning of a cell of a channel: which indices, how many of them have a sample, how many bytes it takes in
    /// memory, and what the store makes of it.
    pub fn new<T: Any + Send + Sync>(
        (channel, cell): (u32, u64),
        range: Range<u64>,
        values: u64,
        bytes: usize,
        encoded: T,
    ) -> Self {
        Self { channel, cell, range, values, bytes, encoded: Arc::new(encoded) }
    }

    /// The channel.
    #[must_use]
    pub const fn channel(&self) -> u32 {
        self.channel
    }

    /// The number of the cell.
    #[must_use]
    pub const fn cell(&self) -> u64 {
        self.cell
    }

    /// The indices that it has of the cell.
    #[must_use]
    pub const fn range(&self) -> &Range<u64> {
        &self.range
    }

    /// How many of them have a sample.
    #[must_use]
    pub const fn values(&self) -> u64 {
        self.values
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What a store made of it; `None` if that was a store of another kind.
    #[must_use]
    pub fn encoded<T: Any>(&self) -> Option<&T> {
        self.encoded.downcast_ref()
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, cell, range, values, bytes, encoded: _ } = self;
        f.debug_struct("Begun")
            .field("channel", channel)
            .field("cell", cell)
            .field("range", range)
            .field("values", values)
            .field("bytes", bytes)
            .finish_non_exhaustive()
    }
}

/// A sample cell whose beginning was encoded ahead.
#[derive(Debug, Clone)]
pub struct GrownCell {
    /// Its beginning.
    pub begun: Begun,
    /// The rest, from where that ends; it may be empty.
    pub rest: Series,
}
