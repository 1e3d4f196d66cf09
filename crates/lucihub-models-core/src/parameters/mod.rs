//! Parameter schemas: what a valid input of a device looks like, and checking inputs.
//!
//! A schema is JSON Schema 2020-12, of which `subset.rs` names what may be used, and rules that JSON Schema cannot say,
//! by name (`x-lucihub-rules`). A new rule is a variant in `rules.rs`.

mod rules;
mod schema;
mod sentence;
mod subset;
mod violation;

pub use schema::ParameterSchema;
pub use violation::{Violation, Violations};
