//! What the adapter must survive, on real servers: cuts, kills, frozen and full servers, failovers, races, damage.
//!
//! What writers bring is a function of run, channel and index, so every line and sample is verified without a ledger: over
//! a handle that is made for it, and in part past the adapter.

mod check;
mod cluster;
mod cuts;
mod damage;
mod disk;
mod fencing;
mod frozen;
mod full;
mod hostile;
mod kill;
mod leaks;
mod leftovers;
mod races;
mod refused;
mod scripted;
mod subscriptions;
mod tally;
mod watch;
mod writer;
