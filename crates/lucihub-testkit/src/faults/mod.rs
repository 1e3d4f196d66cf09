//! Fault wrappers: a store whose operations fail when a plan says so.
//!
//! Every step of a procedure can be made to fail: run it once without a fault,
//! read [`FaultPlan::operations`], and run it again for each number up to that.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use lucihub_models_core::{Limits, StoreError, hot::HotRuns};
//! use lucihub_testkit::{FaultPlan, FaultyHot, ManualClock, models::run_head, reference::hot::ReferenceHot};
//!
//! let inner = Arc::new(ReferenceHot::new(Arc::new(ManualClock::new()), Limits::default()));
//! let plan = FaultPlan::none().lose_nth(1);
//! let store = FaultyHot::new(inner, plan.clone());
//! let head = run_head(1);
//! assert!(matches!(store.open(&head).await, Err(StoreError::Unknown { .. })));
//! assert!(store.get(head.id).await.unwrap().is_some(), "it was applied, its answer was lost");
//! assert_eq!(plan.log(), ["hot.open", "hot.get"]);
//! # });
//! ```

mod cold;
mod hot;
mod plan;

pub use cold::FaultyCold;
pub use hot::FaultyHot;
pub use plan::FaultPlan;
