#![doc = include_str!("../README.md")]

mod any;
pub mod assemble;
mod attachment;
mod batch;
mod cell;
mod check;
pub mod cold;
mod digest;
mod envelope;
mod error;
mod exact;
mod extra;
mod filter;
mod head_document;
pub mod hot;
mod id;
mod json;
mod latest;
mod limits;
mod model;
mod older;
mod open_text;
mod page;
#[cfg(feature = "check")]
mod parameters;
mod plan;
mod position;
mod prefix;
mod schema;
mod store_event;
mod summary;
mod timestamp;
mod transition;
pub mod v1;
pub mod v2;
mod version;
mod write_as;

pub use any::{AnyDevice, AnyRun};
pub use attachment::{Attachment, AttachmentInfo, AttachmentName, ByteStream, NewAttachment, Subject, whole};
pub use batch::{Batch, BatchBody, GapMark, HeadPatch, SampleBlock, WriterMark};
pub use cell::{CellHash, CellSummary, LogCell, SampleCell};
pub use check::check_labels;
pub use digest::{ByteDigest, Digest, RunDigest};
pub use envelope::{Bucket, Envelope, EnvelopeBuilder, SUMMARY_WIDTH};
pub use error::{Invalid, ModelError, Result, StoreError};
pub use extra::Extra;
pub use filter::RunFilter;
pub use head_document::HeadDocument;
pub use id::{DeviceId, EventId, IdSource, RunId, SystemIds, WriterId};
pub use json::JsonText;
pub use latest::{
    Channel, Device, DeviceType, FinalValue, Gap, GapCause, Grid, InputType, JobType, LogLine, Overload, Phase,
    PhaseChange, Relation, RelationKind, Run, RunHead, RunState, Series, StateChange, TimeBase,
};
pub use limits::Limits;
pub use model::{DeviceModel, RunModel};
pub use older::LeftOut;
pub use page::{Order, PageCursor, PageRequest, RunPage};
#[cfg(feature = "check")]
pub use parameters::{ParameterSchema, Violation, Violations};
pub use plan::{Piece, Plan, Reject};
pub use position::{Cursor, Positions};
pub use prefix::RunPrefix;
pub use store_event::{StoreEvent, StoreEventKind};
pub use summary::RunSummary;
pub use timestamp::{Clock, SystemClock, Timestamp};
pub use transition::Step;
pub use version::Version;
pub use write_as::WriteAs;
