//! Two who do something to one run in the same moment.

use std::time::Duration;

use lucihub_cold::PostgresCold;
use lucihub_models_core::RunHead;
use lucihub_models_core::cold::{ColdRuns, Created};
use lucihub_testkit::models;

use crate::postgres::lab::{Database, WRITER, open};

/// Makes `create` wait after its insertion, in the midst of its transaction, while somebody has this lock.
const PAUSE: &str = "
    CREATE FUNCTION lucihub.pause() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
    CREATE TRIGGER pause AFTER INSERT ON lucihub.runs FOR EACH STATEMENT EXECUTE FUNCTION lucihub.pause()";

/// Those who have the lock, or wait for it.
const HOLDERS: &str = "
    SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.objid = 7 AND d.datname = current_database()";

/// Creates a run once somebody else, who deletes it, has taken the lock.
fn create_beside(database: &Database, delete: &str, cold: &PostgresCold, head: &RunHead) {
    std::thread::scope(|scope| {
        scope.spawn(|| database.sql(delete));
        while database.sql(HOLDERS).trim() == "0" {
            std::thread::sleep(Duration::from_millis(10));
        }
        let create = scope.spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(cold.create(head)));
        assert_eq!(create.join().unwrap().unwrap(), Created::Created);
    });
}

/// The insertion finds the run and does nothing; when it is looked at, it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_deleted_while_it_is_created_again_is_created() {
    let database = Database::new();
    let cold = open(&database.url(WRITER)).await.unwrap();
    let head = models::run_head(1);
    assert_eq!(cold.create(&head).await.unwrap(), Created::Created);
    database.sql(PAUSE);
    // The lock is its session's, and is let go after the deletion has been committed.
    let delete = format!(
        "SELECT pg_advisory_lock(7);
         DO $$ BEGIN WHILE ({HOLDERS} AND NOT l.granted) = 0 LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
         DELETE FROM lucihub.runs WHERE id = '{}'",
        head.id
    );
    create_beside(&database, &delete, &cold, &head);
    assert_eq!(cold.get(head.id).await.unwrap().unwrap().head, head);
}

/// An insertion waits for whoever is about to delete the run, and then creates it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_about_to_be_deleted_is_created_once_it_is() {
    let database = Database::new();
    let cold = open(&database.url(WRITER)).await.unwrap();
    let head = models::run_head(1);
    cold.create(&head).await.unwrap();
    let delete = format!(
        "BEGIN;
         DELETE FROM lucihub.runs WHERE id = '{}';
         SELECT pg_advisory_lock(7);
         DO $$ BEGIN WHILE (SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'
             AND transactionid = pg_current_xact_id()::xid) = 0 LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
         COMMIT",
        head.id
    );
    create_beside(&database, &delete, &cold, &head);
}
