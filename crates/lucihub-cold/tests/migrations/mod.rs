//! The schema and its migrations, on both databases.

mod first;
mod given;
pub(crate) mod open;
mod ours;
pub(crate) mod place;
mod schema;
