//! Reading runs: one answer from both storages, live or archived.
//!
//! Cold storage is asked first: an archived run is answered without hot
//! storage, so history stays readable while that is away. A live run is joined:
//! below its base from cold cells, from there on from hot storage.

mod cells;
mod envelope;
mod in_hot;
mod lines;
mod locate;
mod samples;
mod snapshot;

pub use cells::CellKey;
pub(crate) use cells::{Cell, Found, ReadBack, log_cells, sample_cells};
pub(crate) use in_hot::cell_in_hot;
pub use locate::{Located, RunStatus, Source};
pub use snapshot::Snapshot;
