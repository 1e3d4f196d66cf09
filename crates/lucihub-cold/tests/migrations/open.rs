//! Cold storage in a database of a test's own, on either engine.

use std::sync::Arc;

#[cfg(feature = "postgres")]
use lucihub_cold::{PostgresCold, PostgresOptions};
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_models_core::cold::ColdStore;
use lucihub_testkit::ManualClock;

use crate::migrations::place::Place;

/// Opens what was migrated.
pub(crate) async fn open(place: &Place, clock: &Arc<ManualClock>) -> Arc<dyn ColdStore> {
    match place {
        Place::Sqlite(_) => {
            let options = SqliteOptions::url(&place.url()).unwrap();
            Arc::new(SqliteCold::open(options, clock.clone()).await.unwrap())
        }
        #[cfg(feature = "postgres")]
        Place::Postgres(_) => {
            let options = PostgresOptions::url(&place.url()).unwrap();
            Arc::new(PostgresCold::open(options, clock.clone()).await.unwrap())
        }
    }
}
