//! Looking after what lies in both storages: sweeping, retention, verification.
//!
//! Nothing here runs by itself. Keepers and readers do not need it; it is for the operator, who looks first and removes
//! then. Every step looks again before it changes anything, may be stopped anywhere, and may be taken again.

mod events;
mod repair;
mod retention;
mod sweep;
mod swept;
mod verify;

pub use retention::{Expired, KeepRule, Retention};
pub use swept::{Remove, SweepOptions, SweepReport, Swept, SweptCount, SweptKind};
pub use verify::{Damage, Verified};
