//! The laws of the cold ports, on PostgreSQL: as the writer role with exactly its grants.

use std::sync::Arc;

use lucihub_cold::PostgresCold;

use crate::postgres::lab::{Database, WRITER, open, shared};

async fn fresh() -> (Arc<PostgresCold>, Database) {
    let database = Database::new();
    (Arc::new(open(&database.url(WRITER)).await.unwrap()), database)
}

/// Over TLS, with the certificate and the host's name checked. Always on the suite's own server.
async fn verified() -> (Arc<PostgresCold>, Database) {
    let database = Database::own();
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", database.url(WRITER), shared().ca_file().display());
    (Arc::new(open(&url).await.unwrap()), database)
}

lucihub_testkit::cold_conformance!(writer, fresh().await);
lucihub_testkit::cold_conformance!(verify_full, verified().await);
