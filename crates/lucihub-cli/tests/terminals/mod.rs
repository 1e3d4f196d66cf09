//! Several processes on one Redis server, as people run them in several terminals.

mod act;
mod ask;
mod away;
mod listen;
mod process;
mod refusals;
mod screen;
mod stops;
mod together;
mod watch;
