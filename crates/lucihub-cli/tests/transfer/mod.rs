//! `lucihub runs export`, `import` and `samples` as people call them.

mod binary;
mod command;
mod export;
mod import;
mod memory;
mod python;
mod recorded;
mod round_trip;
mod samples;
mod stops;
