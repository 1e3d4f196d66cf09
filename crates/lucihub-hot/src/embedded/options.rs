//! How an embedded store is set up.

use lucihub_models_core::Limits;

/// What an embedded store may use and accept.
///
/// ```
/// use lucihub_hot::embedded::EmbeddedOptions;
/// let options = EmbeddedOptions::default().with_max_bytes(256 << 20);
/// assert_eq!(options.max_bytes, 268_435_456);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbeddedOptions {
    /// Bytes that runs and devices may use together; beyond it, appends are
    /// answered `Full`. 1 GiB by default.
    pub max_bytes: u64,
    /// What one request may bring.
    pub limits: Limits,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { max_bytes: 1 << 30, limits: Limits::default() }
    }
}

impl EmbeddedOptions {
    /// Sets the bytes that runs and devices may use together.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets what one request may bring.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
