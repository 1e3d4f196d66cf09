//! Databases that the first schema's code filled are read by today's, whole.

use std::sync::Arc;

use lucihub_cold::migrate::{self, MigrationState};
use lucihub_models_core::cold::{Archived, ColdStore};
use lucihub_models_core::{PageRequest, RunFilter};
use lucihub_testkit::ManualClock;

use crate::migrations::given;
use crate::migrations::open::open;
use crate::migrations::place::Place;

#[cfg(feature = "postgres")]
use crate::migrations::place::postgres;

const FIRST: &str = "2026-11-23-000000_first";

/// Everything is as it was written.
async fn read(store: &dyn ColdStore) {
    let runs = given::runs();
    for run in &runs {
        let id = run.queued.id;
        let found = store.get(id).await.unwrap().unwrap();
        assert_eq!(&found.head, run.head());
        let archived = run.commit.as_ref().map(|commit| Archived { at: commit.at, digest: commit.digest });
        assert_eq!(found.archived, archived);
        if let Some(commit) = &run.commit {
            assert_eq!(found.positions, commit.positions);
        }
        assert_eq!(store.log_cells(id, 0..u64::MAX).await.unwrap(), run.cells.lines);
        for channel in 0..3 {
            let expected = run.cells.samples.iter().filter(|cell| cell.channel == channel);
            let expected: Vec<_> = expected.cloned().collect();
            assert_eq!(store.sample_cells(id, channel, 0..u64::MAX).await.unwrap(), expected, "{id} channel {channel}");
            let summaries = store.summaries(id, channel, 0..u64::MAX).await.unwrap();
            assert_eq!(summaries.len(), expected.len());
        }
    }

    let page = store.list(&RunFilter::default(), &PageRequest::newest(50)).await.unwrap();
    let expected = runs.iter().rev().map(|run| (run.queued.id, run.queued.owner.clone(), run.head().states.clone()));
    let listed: Vec<_> = page.runs.into_iter().map(|run| (run.id, run.owner, run.states)).collect();
    assert_eq!(listed, expected.collect::<Vec<_>>());
    // Searched by what later migrations took out of the documents.
    for run in &runs {
        let labels = run.head().labels.iter().map(|(name, value)| RunFilter::default().label(name, value));
        let relations = run.head().related_to.iter().map(|relation| RunFilter::default().related_to(relation.run));
        for filter in labels.chain(relations) {
            let page = store.list(&filter, &PageRequest::newest(50)).await.unwrap();
            assert!(page.runs.iter().any(|found| found.id == run.queued.id), "{filter:?} finds {}", run.queued.id);
        }
    }
    let pending: Vec<_> = store.pending(None, 10).await.unwrap().into_iter().map(|run| run.id).collect();
    let open: Vec<_> = runs.iter().filter(|run| !run.released).map(|run| run.queued.id).collect();
    assert_eq!(pending, open);

    let devices = given::devices();
    for device in &devices {
        assert_eq!(store.device(&device.id).await.unwrap().as_ref(), Some(device));
    }
    assert_eq!(store.devices(None, 10).await.unwrap().devices, devices);
}

/// Before there was our table, diesel's alone told what was applied.
async fn migrate(place: &Place) {
    let url = &place.url();
    let before = migrate::status(url).await.unwrap();
    assert_eq!((&*before[0].name, before[0].state, before[0].applied_at), (FIRST, MigrationState::Applied, None));
    assert!(before[1..].iter().all(|migration| migration.state == MigrationState::Pending), "{before:?}");
    let applied = migrate::up(url).await.unwrap();
    assert_eq!(applied.len(), before.len() - 1);
    assert_eq!(migrate::check(url).await.unwrap(), []);
    assert_eq!(
        place.rows("SELECT count(*) || '' FROM lucihub_migrations WHERE state = 'done'"),
        [before.len().to_string()]
    );
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_read() {
    let place = Place::sqlite();
    let path = place.url().strip_prefix("sqlite:").unwrap().to_owned();
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/first.sqlite"), path).unwrap();
    migrate(&place).await;
    read(&*open(&place, &Arc::new(ManualClock::new())).await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_database_of_the_first_schema_is_read() {
    let place = Place::Postgres(postgres::Database::new());
    place.sql(include_str!("../fixtures/first-postgres.sql"));
    migrate(&place).await;
    read(&*open(&place, &Arc::new(ManualClock::new())).await).await;
}
