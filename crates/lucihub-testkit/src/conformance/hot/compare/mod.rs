//! Model tests: two stores are given the same operations and must answer the same.
//!
//! One of them is the reference store; proptest makes the operations and shrinks
//! those that tell the stores apart.

mod answers;
mod operation;
mod pair;

pub use operation::{Content, Numbering, Operation, operations};
pub use pair::compare_hot;
