//! Which channels of the run a carrier measures, and where its chunks begin.

/// A carrier as its assembler has to know it.
///
/// ```
/// use lucihub_models_core::assemble::Carrier;
/// // The second carrier of a run: eight channels; its firmware counts from 1.
/// let carrier = Carrier::new("04-E9-E5-00-00-02", 8..16).first_chunk(1);
/// # let _ = carrier;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    pub(super) name: String,
    pub(super) channels: Vec<u32>,
    pub(super) first_chunk: u32,
    pub(super) first_index: u64,
}

impl Carrier {
    /// A carrier, by MAC, and the run's channel numbers in the order in which its
    /// chunks hold them. Chunks and samples count from 0.
    #[must_use]
    pub fn new(name: impl Into<String>, channels: impl IntoIterator<Item = u32>) -> Self {
        Self { name: name.into(), channels: channels.into_iter().collect(), first_chunk: 0, first_index: 0 }
    }

    /// Sets the number of its first chunk.
    #[must_use]
    pub const fn first_chunk(mut self, number: u32) -> Self {
        self.first_chunk = number;
        self
    }

    /// Sets the sample index at which its first chunk begins: for a worker that
    /// takes over a run with samples.
    #[must_use]
    pub const fn first_index(mut self, index: u64) -> Self {
        self.first_index = index;
        self
    }
}
