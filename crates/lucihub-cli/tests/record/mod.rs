//! `lucihub record`: workers of any language, as processes beside a Redis server and a database file.

mod ends;
mod going_on;
mod lab;
mod python;
mod session;
mod taking;
