//! LuciHub.
fn main(){}
