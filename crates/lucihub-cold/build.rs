//! Rebuilds the crate when a migration changes: the compiler does not see files that a macro embeds.

fn main() {
    println!("cargo::rerun-if-changed=migrations/postgres");
    println!("cargo::rerun-if-changed=migrations/sqlite");
}
