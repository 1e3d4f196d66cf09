//! Version 3: what changed since version 2.
//!
//! A device has an entity tree for each of its carriers, and a digest of each.

mod device;

pub use device::Device;
