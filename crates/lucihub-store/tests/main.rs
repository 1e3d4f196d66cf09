//! The tests of this crate, in one program: each program more is linked with every dependency once more.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.
//!
//! `observe.rs` is apart: it takes the recorder of metrics and the subscriber that a process has once.

#[cfg(all(feature = "memory", feature = "sqlite"))]
#[cfg(test)]
mod adapters;
#[cfg(test)]
mod ahead;
#[cfg(test)]
mod attachments;
#[cfg(test)]
mod attachments_lost;
#[cfg(test)]
mod behind;
#[cfg(all(feature = "memory", feature = "sqlite"))]
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod deletes;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod events;
#[cfg(test)]
mod follow;
#[cfg(all(feature = "redis", feature = "postgres"))]
#[cfg(test)]
mod generations;
#[cfg(test)]
mod health;
#[cfg(test)]
mod keeper_faults;
#[cfg(test)]
mod keepers;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod main_job;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod overtaken;
#[cfg(feature = "check")]
#[cfg(test)]
mod parameters;
#[cfg(all(feature = "redis", feature = "sqlite"))]
#[cfg(test)]
mod partition;
#[cfg(all(feature = "redis", feature = "postgres"))]
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod pressure;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod recorder;
#[cfg(all(feature = "redis", feature = "sqlite"))]
#[cfg(test)]
mod redis;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tails;
#[cfg(test)]
mod trimming;
#[cfg(all(feature = "memory", feature = "sqlite"))]
#[cfg(test)]
mod verify;
