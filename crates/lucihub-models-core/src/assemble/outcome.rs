//! What an assembler gives out, counts, and says at the end.

use crate::batch::{GapMark, SampleBlock};

/// The next stretch of one channel. Stretches of a channel come in order of
/// index, without a hole and without an overlap.
#[derive(Debug, Clone)]
pub enum Assembled {
    /// Samples at their index.
    Samples(SampleBlock),
    /// Samples that never came, with cause `device`.
    Gap(GapMark),
}

/// What became of the chunks of one carrier. Samples count per channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkStats {
    /// Chunks that came and have or will get their place.
    pub chunks: u64,
    /// Chunks that had come already.
    pub duplicates: u64,
    /// Chunks that came after they had been given up. A chunk so old that nothing
    /// is known of it any more counts here too.
    pub late: u64,
    /// Chunks given up because a later one came. Those after the last one that
    /// came have no number, so only their samples are known.
    pub lost_chunks: u64,
    /// Samples that are missing.
    pub lost_samples: u64,
    /// Samples that are missing in gaps whose length is inferred.
    pub inferred_samples: u64,
}

/// How one carrier's samples compare with what the run must have. Samples count
/// per channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// The carrier.
    pub carrier: String,
    /// The index after the last one, gaps included.
    pub end: u64,
    /// The length of the inferred gap that was added at the end, because samples
    /// were missing to the expected number.
    pub missing: u64,
    /// Samples past the expected number. Inferred gaps were taken too long, or the
    /// device measured longer: worth a line in the log.
    pub surplus: u64,
    /// What became of its chunks.
    pub stats: ChunkStats,
}

impl Reconciled {
    /// Whether nothing was added and nothing is too much.
    #[must_use]
    pub const fn is_as_expected(&self) -> bool {
        self.missing == 0 && self.surplus == 0
    }
}

/// The end of an assembly.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finished {
    /// What was still waiting, the gaps in it, and those at the end.
    pub pieces: Vec<Assembled>,
    /// The carriers, by name.
    pub carriers: Vec<Reconciled>,
}
