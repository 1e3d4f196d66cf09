//! The migrations of this library go up, down and up again, by its public functions.

#[cfg(feature = "postgres")]
use lucihub_cold::migrate::Problem;
use lucihub_cold::migrate::{self, Change, Direction, MigrationState};
use lucihub_models_core::StoreError;

use crate::migrations::place::{Place, places};

/// What `lucihub_migrations` holds, without times.
fn marks(place: &Place) -> Vec<String> {
    place.rows("SELECT version || ' ' || name || ' ' || digest || ' ' || oldest_generation || ' ' || state FROM lucihub_migrations")
}

#[tokio::test]
async fn migrations_go_up_down_and_up() {
    for place in places() {
        let url = &place.url();
        let names = migrate::up(url).await.unwrap();
        let (first, marked) = (place.catalog(), marks(&place));
        assert!(first.len() > 8, "{first:?}");
        assert_eq!(marked.len(), names.len(), "{place}");
        assert_eq!(migrate::up(url).await.unwrap(), Vec::<String>::new(), "{place}");
        assert_eq!(
            (place.catalog(), marks(&place)),
            (first.clone(), marked.clone()),
            "once more changes nothing: {place}"
        );

        let redone = migrate::redo(url).await.unwrap();
        assert_eq!(redone, vec![names.last().unwrap().clone(); 2]);
        assert_eq!(place.catalog(), first, "{place}");

        place.sql("INSERT INTO devices (id, device_type) VALUES ('in the way', 'of nothing')");
        let mut undone = migrate::down(url, 1).await.unwrap();
        undone.extend(migrate::down(url, usize::MAX).await.unwrap());
        undone.reverse();
        assert_eq!(undone, names);
        assert_eq!(place.catalog(), Vec::<String>::new(), "{place}");
        assert_eq!(marks(&place), Vec::<String>::new(), "{place}");

        assert_eq!(migrate::up(url).await.unwrap(), names);
        assert_eq!((place.catalog(), marks(&place)), (first, marked), "{place}");
    }
}

#[tokio::test]
async fn each_step_down_and_up_again_gives_the_same() {
    for place in places() {
        let url = &place.url();
        let count = migrate::up(url).await.unwrap().len();
        let whole = place.catalog();
        for steps in 1..=count {
            assert_eq!(migrate::down(url, steps).await.unwrap().len(), steps);
            assert_eq!(migrate::up(url).await.unwrap().len(), steps);
            assert_eq!(place.catalog(), whole, "{steps} steps: {place}");
        }
    }
}

#[tokio::test]
async fn status_plan_and_check_tell_before_and_after() {
    for place in places() {
        let url = &place.url();
        let plan = migrate::plan(url, Change::Up).await.unwrap();
        assert!(plan.steps.iter().all(|step| step.direction == Direction::Up && step.repair.is_empty()));
        assert!(plan.steps[0].sql.contains("CREATE TABLE runs"), "{plan:?}");
        assert!(plan.preparation.iter().any(|sql| sql.contains("CREATE TABLE lucihub_migrations")), "{plan:?}");
        match &place {
            Place::Sqlite(folder) => {
                assert!(!folder.path().join("cold.db").exists(), "a plan makes no file");
                assert!(matches!(migrate::status(url).await.unwrap_err(), StoreError::NotFound { .. }));
            }
            #[cfg(feature = "postgres")]
            Place::Postgres(_) => {
                let pending = migrate::check(url).await.unwrap();
                assert!(pending.iter().all(|problem| matches!(problem, Problem::Pending { .. })), "{pending:?}");
                assert_eq!(pending.len(), plan.steps.len());
            }
        }

        let applied = migrate::up(url).await.unwrap();
        assert_eq!(plan.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>(), applied);
        let status = migrate::status(url).await.unwrap();
        assert_eq!(status.iter().map(|migration| migration.name.clone()).collect::<Vec<_>>(), applied);
        assert!(status.iter().all(|m| m.state == MigrationState::Applied && m.applied_at.is_some()), "{status:?}");
        assert_eq!(migrate::check(url).await.unwrap(), []);

        let before = (place.catalog(), marks(&place));
        let plan = migrate::plan(url, Change::Down(1)).await.unwrap();
        assert_eq!((plan.steps.len(), plan.preparation.len()), (1, 0), "{plan:?}");
        assert!(plan.steps[0].sql.contains("DROP"), "{plan:?}");
        assert_eq!(migrate::plan(url, Change::Redo).await.unwrap().steps.len(), 2);
        assert_eq!((place.catalog(), marks(&place)), before, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_six_that_migrate_at_once_one_does() {
    for place in places() {
        let starters: Vec<_> = (0..6)
            .map(|_| {
                let url = place.url();
                tokio::spawn(async move { migrate::up(&url).await })
            })
            .collect();
        let mut busy = 0;
        for starter in starters {
            busy += usize::from(!starter.await.unwrap().unwrap().is_empty());
        }
        assert_eq!(busy, 1, "{place}");
        assert_eq!(migrate::check(&place.url()).await.unwrap(), [], "{place}");
    }
}

#[tokio::test]
async fn a_url_of_no_database_is_not_shown() {
    let error = migrate::up("mysql://u:s3cret@h/d").await.unwrap_err();
    assert!(error.to_string().contains("sqlite:PATH") && !error.to_string().contains("s3cret"), "{error}");
}
