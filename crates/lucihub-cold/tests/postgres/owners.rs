//! Who may migrate, and how a schema that is another role's becomes the migrator's.

use std::process::Command;

use lucihub_cold::{PostgresCold, PostgresOptions, migrate};
use lucihub_models_core::StoreError;
use lucihub_models_core::cold::ColdRuns;
use lucihub_testkit::{ManualClock, models};

use crate::postgres::lab::{Database, MIGRATOR, READER, ROLES, WRITER, as_role, open, shared};

/// What is not the migrator's in the schema, and whose it is.
const OF_OTHERS: &str = "SELECT c.relname, c.relowner::regrole FROM pg_class AS c
    WHERE c.relnamespace = 'lucihub'::regnamespace AND c.relowner <> 'lucihub_migrator'::regrole
    UNION ALL SELECT 'schema', nspowner::regrole FROM pg_namespace
    WHERE nspname = 'lucihub' AND nspowner <> 'lucihub_migrator'::regrole";

/// Rights and owners of everything.
const RIGHTS: &str = "SELECT relname, relowner::regrole, relacl FROM pg_class
    WHERE relnamespace = 'lucihub'::regnamespace ORDER BY 1";

/// Who may not migrate is told so in one sentence, and changes nothing.
async fn refused(url: &str) -> String {
    let mut told = Vec::new();
    for refused in [migrate::up(url).await, migrate::down(url, 1).await, migrate::redo(url).await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Precondition { .. }), "{error:?}");
        told.push(error.to_string());
    }
    told.dedup();
    let [one] = &told[..] else { panic!("{told:?}") };
    assert!(!one.contains('\n') && !one.contains("permission denied"), "{one}");
    one.clone()
}

/// What the migrator, the writer and the reader do where all is right.
async fn assert_right(database: &Database) {
    assert_eq!(database.sql(OF_OTHERS).trim(), "");
    let rights = database.sql(RIGHTS);
    database.sql(ROLES);
    assert_eq!(database.sql(RIGHTS), rights, "once more changes nothing");
    migrate::redo(&database.url(MIGRATOR)).await.unwrap();
    assert_eq!(migrate::check(&database.url(MIGRATOR)).await.unwrap(), []);
    let head = models::run_head(1);
    open(&database.url(WRITER)).await.unwrap().create(&head).await.unwrap();
    assert!(open(&database.url(READER)).await.unwrap().get(head.id).await.unwrap().is_some());
}

/// A superuser migrated before there were roles.
#[tokio::test]
async fn the_roles_file_takes_what_a_superuser_made() {
    let database = Database::empty();
    migrate::up(&database.admin_url()).await.unwrap();
    database.sql("CREATE SEQUENCE lucihub.alone; CREATE TABLE lucihub.numbered (n int GENERATED ALWAYS AS IDENTITY)");
    let told = refused(&database.url(MIGRATOR)).await;
    assert!(told.contains("docs/postgres-roles.sql, which hands the schema over"), "{told}");
    assert!(!told.contains("postgres;") && !told.contains("role postgres"), "whose it is: {told}");
    database.sql(ROLES);
    assert_right(&database).await;
    let owners = database.sql("SELECT DISTINCT relowner::regrole FROM pg_class WHERE relname ~ '^(alone|numbered)'");
    assert_eq!(owners.trim(), "lucihub_migrator");
}

/// `pg_restore` without `--role`, into a database that had its roles.
#[tokio::test]
async fn the_roles_file_takes_what_was_restored_by_a_superuser() {
    let (database, restored) = (Database::own(), Database::empty_beside(&Database::own()));
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("lucihub.dump");
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    run(Command::new("pg_dump").args(["-Fc", "-n", "lucihub", "-f"]).arg(&dump).arg(database.url(MIGRATOR)));
    restored.sql(ROLES);
    run(Command::new("pg_restore").args(["--no-owner", "-n", "lucihub", "-d"]).arg(restored.admin_url()).arg(&dump));
    assert_ne!(restored.sql(OF_OTHERS).trim(), "");
    let told = refused(&restored.url(MIGRATOR)).await;
    assert!(told.contains("docs/postgres-roles.sql"), "{told}");
    restored.sql(ROLES);
    assert_right(&restored).await;
}

#[tokio::test]
async fn whoever_does_not_own_the_schema_may_not_migrate() {
    let database = Database::new();
    for role in [WRITER, READER] {
        let told = refused(&database.url(role)).await;
        assert!(told.contains("connect as lucihub_migrator"), "{told}");
    }
    // A component that would migrate finds nothing to do, and starts; else it is told.
    let open_up = |url: String| async move {
        let options = PostgresOptions::url(&url).unwrap().with_migrate(true);
        PostgresCold::open(options, std::sync::Arc::new(ManualClock::new())).await
    };
    open_up(database.url(WRITER)).await.unwrap();
    let undone = migrate::down(&database.url(MIGRATOR), 1).await.unwrap();
    let error = open_up(database.url(WRITER)).await.unwrap_err();
    assert!(error.to_string().contains("connect as lucihub_migrator"), "{error}");
    assert_eq!(migrate::up(&database.url(MIGRATOR)).await.unwrap(), undone);

    let told = refused(&Database::empty().url(WRITER)).await;
    assert!(told.contains("no schema lucihub") && told.contains("connect as lucihub_migrator"), "{told}");
    let reader = open(&database.url(READER)).await.unwrap();
    let error = reader.create(&models::run_head(1)).await.unwrap_err();
    assert!(error.to_string().contains("connect as lucihub_writer"), "{error}");
}

/// A member of the owner, and a superuser: what they make is the owner's too.
#[tokio::test]
async fn what_a_member_of_the_owner_makes_is_the_owners() {
    let database = Database::own();
    let (home, role) = (shared().databases(), format!("deploy_{}", database.name));
    home.sql(&database.name, &format!("CREATE ROLE {role} LOGIN PASSWORD 's3cret' IN ROLE lucihub_migrator"));
    for url in [as_role(&database.url(MIGRATOR), (&role, "s3cret")), database.admin_url()] {
        let undone = migrate::down(&url, usize::MAX).await.unwrap();
        assert_eq!(migrate::up(&url).await.unwrap().len(), undone.len());
        assert_eq!(database.sql(OF_OTHERS).trim(), "");
    }
    home.sql(&database.name, &format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    database.sql(ROLES);
    assert_right(&database).await;
}

/// It waits for whoever uses the tables, as long as the URL or its ten seconds say.
#[test]
fn a_migration_behind_a_lock_says_what_to_do() {
    let database = Database::own();
    let url = format!("{}?options=-c%20lock_timeout%3D200", database.url(MIGRATOR));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    std::thread::scope(|scope| {
        let holding = scope.spawn(|| {
            database.sql("BEGIN; LOCK TABLE lucihub.runs, lucihub.commits; SELECT pg_sleep(2); COMMIT");
        });
        while database.sql(held).trim() != "1" {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let error = runtime.block_on(migrate::down(&url, usize::MAX)).unwrap_err();
        let StoreError::Unavailable { why, .. } = &error else { panic!("{error:?}") };
        assert!(
            ["(down) failed", "lock timeout", "stop the components"].iter().all(|part| why.contains(part)),
            "{why}"
        );
        holding.join().unwrap();
    });
    assert_eq!(runtime.block_on(migrate::check(&database.url(MIGRATOR))).unwrap(), []);
}
