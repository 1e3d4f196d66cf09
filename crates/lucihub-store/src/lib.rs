#![doc = include_str!("../README.md")]

pub mod archive;
mod attachments;
mod devices;
mod events;
pub mod follow;
pub mod maintain;
mod models;
mod no_cold;
mod no_hot;
pub mod observe;
mod open;
#[cfg(feature = "check")]
mod parameters;
pub mod read;
pub mod record;
mod runs;
mod store;
mod wait;

pub use archive::{Keeper, KeeperOptions};
pub use follow::{Event, Follower, Select};
pub use models::ModelsInUse;
pub use observe::StoreHealth;
pub use open::Urls;
#[cfg(feature = "check")]
pub use parameters::{Checked, Rechecked};
pub use read::{Located, RunStatus, Snapshot, Source};
pub use record::{RecordError, RecordOptions, Recorder};
pub use store::{Store, StoreBuilder};

/// The examples of the repository's front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;
