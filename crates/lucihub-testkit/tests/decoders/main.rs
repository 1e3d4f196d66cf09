//! Core's decoders under hostile input: documents, cursors, times, names, a device's chunks.
//!
//! Here and not in core, which would have to depend on the crate that depends on it.

mod fuzz;
