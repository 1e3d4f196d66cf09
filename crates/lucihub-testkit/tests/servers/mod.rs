//! The private servers do what they say: they start, die, come back, and stay out of each other's way.

mod failover;
#[cfg(target_os = "linux")]
mod orphans;
mod postgres;
mod postgres_proxy;
mod proxy;
mod redis;
