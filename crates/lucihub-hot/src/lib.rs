#![doc = include_str!("../README.md")]

#[cfg(feature = "embedded")]
pub mod embedded;
