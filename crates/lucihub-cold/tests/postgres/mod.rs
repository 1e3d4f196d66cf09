//! The PostgreSQL adapter, on real servers.

mod backup;
mod conformance;
mod costs;
mod disk;
mod faults;
mod lab;
mod owners;
mod races;
mod refusals;
