//! What every verb says and prints, compared with what was looked at.

mod golden;
mod help;
mod lists;
mod mistakes;
