//! How far chunks may be out of order, and what no device would send.

/// How an assembler waits, and what it refuses. With the defaults no single gap
/// between two chunks is longer than [`Limits::gap`](crate::Limits::gap) allows.
///
/// ```
/// use lucihub_models_core::assemble::AssemblerOptions;
/// // TCP keeps the order: what is missing will not come.
/// let options = AssemblerOptions::default().with_window_chunks(0);
/// assert_eq!(options.chunk_samples, 1_024);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssemblerOptions {
    /// Chunks of one carrier that may overtake a missing one; at most 65,536.
    pub window_chunks: u32,
    /// Values of one carrier, all its channels together, that may wait for a
    /// missing chunk.
    pub window_values: usize,
    /// Samples per channel of one chunk; at most 1,048,576.
    pub chunk_samples: u32,
    /// Chunk numbers that one jump may skip. A greater jump is a corrupt or a
    /// hostile message, and is refused.
    pub jump_chunks: u32,
}

impl Default for AssemblerOptions {
    fn default() -> Self {
        Self {
            // Datagrams overtake a few others; a plot stands still while it waits.
            window_chunks: 64,
            // 4 MiB: the window above with 1,024 samples on 8 channels.
            window_values: 1 << 19,
            // Firmware sends 100 to 800.
            chunk_samples: 1 << 10,
            // The longest run, 10 s at 500 kHz, has 50,000 chunks of 100 samples.
            jump_chunks: 1 << 16,
        }
    }
}

impl AssemblerOptions {
    /// Sets how many chunks may overtake a missing one; 0 where the transport
    /// keeps the order.
    #[must_use]
    pub const fn with_window_chunks(mut self, chunks: u32) -> Self {
        self.window_chunks = chunks;
        self
    }

    /// Sets how many values of one carrier may wait.
    #[must_use]
    pub const fn with_window_values(mut self, values: usize) -> Self {
        self.window_values = values;
        self
    }

    /// Sets how many samples per channel a chunk may have.
    #[must_use]
    pub const fn with_chunk_samples(mut self, samples: u32) -> Self {
        self.chunk_samples = samples;
        self
    }

    /// Sets how many chunk numbers one jump may skip.
    #[must_use]
    pub const fn with_jump_chunks(mut self, chunks: u32) -> Self {
        self.jump_chunks = chunks;
        self
    }

    /// Within the bounds that keep every sum and product below 2^63.
    pub(super) fn bounded(mut self) -> Self {
        self.window_chunks = self.window_chunks.min(1 << 16);
        self.chunk_samples = self.chunk_samples.clamp(1, 1 << 20);
        self
    }
}
