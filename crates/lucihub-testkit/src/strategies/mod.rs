//! Proptest strategies for what recorders, stores and readers must carry.

mod places;
mod streams;
mod texts;
mod values;

pub use places::{cursors, positions, windows};
pub use streams::{Stretch, batches, cuts, gap_causes, series, state_sequences, stretches};
pub use texts::{log_lines, texts, timestamps};
pub use values::{any_f64, sample_lists};
