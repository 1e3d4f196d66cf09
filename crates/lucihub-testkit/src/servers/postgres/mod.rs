//! PostgreSQL as a child process.
//!
//! [`PostgresServer`] is one server, [`PostgresDatabases`] what a test does with the databases of one, its own or not.

mod databases;
mod options;
mod place;
mod postmaster;
mod proc;
mod psql;
mod server;
mod url;

use std::path::{Path, PathBuf};

pub use databases::PostgresDatabases;
pub use options::PostgresOptions;
pub use server::PostgresServer;

use super::program;

const PACKAGES: &str = "postgresql postgresql-client";
/// The superuser of every server here.
const SUPERUSER: &str = "postgres";

/// A program of PostgreSQL, all of them of the newest version; Debian has those of the server outside of `PATH`.
fn require(name: &str) -> PathBuf {
    program::require_in(&program::versions(Path::new("/usr/lib/postgresql")), name, PACKAGES)
}
