//! What cannot be opened or done is said in one sentence, with what to do, and without a secret.

use std::time::Duration;

use lucihub_cold::{PostgresCold, PostgresOptions, migrate};
use lucihub_models_core::cold::{ColdRuns, ColdUsage};
use lucihub_models_core::{PageRequest, RunFilter, StoreError};
use lucihub_testkit::servers::{PostgresOptions as Config, PostgresServer};
use lucihub_testkit::{ManualClock, models};

use crate::postgres::lab::{Database, MIGRATOR, READER, WRITER, as_role, open, shared, template};

/// The kind of an error and its text, in which no password stands.
async fn refused(url: &str) -> (&'static str, String) {
    let error = open(url).await.unwrap_err();
    let kind = match &error {
        StoreError::Precondition { .. } => "Precondition",
        StoreError::Unavailable { .. } => "Unavailable",
        StoreError::Invalid(_) => "Invalid",
        _ => "another",
    };
    for text in [error.to_string(), format!("{error:?}")] {
        for secret in ["s3cret", "wr@ter", "wr%40ter", "%77%72"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(!text.contains('\n'), "one sentence: {text}");
    }
    (kind, error.to_string())
}

#[tokio::test]
async fn who_may_not_come_in_is_told_why() {
    let database = Database::own();
    let good = database.url(WRITER);
    let wrong_password = as_role(&good, (WRITER.0, "s3cret"));
    let no_user = as_role(&good, ("nobody_here", "s3cret"));
    let no_database = good.replace(&database.name, "no_such_database");
    let no_password = format!("postgres://{}@{}", WRITER.0, good.rsplit_once('@').unwrap().1);
    for (url, kind, named) in [
        (&wrong_password, "Precondition", "password authentication failed"),
        (&no_user, "Precondition", "correct user and password"),
        (&no_database, "Precondition", "create the database, or correct its name"),
        (&no_password, "Precondition", "neither PGPASSWORD"),
        (&format!("{good}?options=-c%20nosuch%3D1"), "Precondition", "\"nosuch\"; correct `options`"),
        (&format!("{good}?options=-c%20statement_timeout%3Dsoon"), "Precondition", "\"soon\"; correct `options`"),
        (&format!("{good}?options=-c%20ssl%3Doff"), "Precondition", "correct `options`"),
        (&format!("{good}?options=-c%20log_duration%3Don"), "Precondition", "take it out of `options`"),
        (&format!("{good}?sslmod=verify-full"), "Invalid", "its setting sslmod is not known"),
    ] {
        let (found, text) = refused(url).await;
        assert!(found == kind && text.contains(named), "{found}: {text}");
        assert!(!text.contains(WRITER.0) && !text.contains("nobody_here"), "who it is: {text}");
    }
}

/// Where the server takes nobody any more, it says so and we say what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_says_how_to_make_some() {
    let database = Database::own();
    let home = shared().databases();
    let role = format!("one_{}", database.name);
    home.sql(&database.name, &format!("CREATE ROLE {role} LOGIN PASSWORD 's3cret' CONNECTION LIMIT 0"));
    database.sql(&format!("GRANT CONNECT ON DATABASE {} TO {role}", database.name));
    let url = format!("{}?connect_timeout=1", as_role(&database.url(WRITER), (&role, "s3cret")));
    let (kind, text) = refused(&url).await;
    assert!(kind == "Unavailable" && text.contains("for this role") && text.contains("CONNECTION LIMIT"), "{text}");
    home.sql("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", database.name));
    let (kind, text) = refused(&database.url(WRITER)).await;
    assert!(kind == "Precondition" && text.contains("ALLOW_CONNECTIONS true"), "{text}");
    home.sql("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", database.name));
    home.sql(&database.name, &format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let url = |host: &str| format!("postgres://writer:s3cret@{host}/lab?sslmode=disable");
    let (kind, text) = refused(&url("127.0.0.1:1")).await;
    assert!(kind == "Unavailable" && text.contains("127.0.0.1:1, database lab") && text.contains("refused"), "{text}");
    let (kind, text) = refused(&url("no-such-host.invalid")).await;
    assert!(kind == "Unavailable" && text.contains("lookup"), "{text}");
    // One that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url(&silent.local_addr().unwrap().to_string());
    let options = PostgresOptions::url(&url).unwrap().with_wait(Duration::from_millis(300));
    let error = PostgresCold::open(options, std::sync::Arc::new(ManualClock::new())).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("within 300ms")), "{error}");
    // What the URL says goes before the option, which is 10 s.
    let (kind, text) = refused(&format!("{url}&connect_timeout=1")).await;
    assert!(kind == "Unavailable" && text.contains("within 1s"), "{text}");
}

/// A pool that has lost its server says why at once, and goes on with the next call once the server is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_went_away_is_told_at_once() {
    let server = std::sync::Arc::new(PostgresServer::start(Config::new()));
    let database = Database::of(&server.databases(), Some(&template(&server.databases())));
    let options = PostgresOptions::url(&database.url(WRITER)).unwrap().with_wait(Duration::from_mins(10));
    let cold = PostgresCold::open(options, std::sync::Arc::new(ManualClock::new())).await.unwrap();
    let head = models::run_head(1);
    cold.create(&head).await.unwrap();
    let (gone, back) = (server.clone(), server.clone());
    tokio::task::spawn_blocking(move || gone.kill()).await.unwrap();
    cold.get(head.id).await.unwrap_err();
    let error = tokio::time::timeout(Duration::from_secs(60), cold.get(head.id)).await.expect("at once").unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("refused")), "{error}");
    tokio::task::spawn_blocking(move || back.restart()).await.unwrap();
    assert!(cold.get(head.id).await.unwrap().is_some(), "the refusal stays with nobody");
}

/// A statement may take as long as the URL says; one of a migration may take its time whatever that is.
#[tokio::test(flavor = "multi_thread")]
async fn the_statement_timeout_of_a_url_is_not_for_migrations() {
    let database = Database::own();
    let timed = |role| format!("{}?options=-c%20statement_timeout%3D300", database.url(role));
    let hold = |database: &Database| database.sql("BEGIN; LOCK TABLE lucihub.usage; SELECT pg_sleep(1.5); COMMIT");
    let held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Handle::current();
        let cold = tokio::task::block_in_place(|| runtime.block_on(open(&timed(WRITER)))).unwrap();
        let holding = scope.spawn(|| hold(&database));
        while database.sql(held).trim() != "1" {
            std::thread::sleep(Duration::from_millis(5));
        }
        let error = tokio::task::block_in_place(|| runtime.block_on(cold.usage("ada"))).unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("statement timeout")), "{error}");
        let undone = tokio::task::block_in_place(|| runtime.block_on(migrate::down(&timed(MIGRATOR), 3))).unwrap();
        assert_eq!(undone.len(), 3, "it waited for the lock");
        holding.join().unwrap();
    });
}

#[tokio::test]
async fn whoever_cannot_prove_itself_is_refused() {
    let database = Database::own();
    let url = database.url(WRITER);
    let (ca, folder) = (shared().ca_file().display().to_string(), tempfile::tempdir().unwrap());
    let other = PostgresServer::start(Config::new().tls_only());
    let (kind, text) = refused(&format!("{}?sslmode=disable", other.admin_url("postgres"))).await;
    assert!(
        kind == "Precondition" && text.contains("no encryption; it takes") && text.contains("verify-full"),
        "{text}"
    );
    let other_ca = other.ca_file().display().to_string();
    let no_certificate = folder.path().join("empty.pem").display().to_string();
    std::fs::write(&no_certificate, "").unwrap();
    // The same server under a name that its certificate does not have.
    let named = url.replace("127.0.0.1", "other.lab");
    for (url, ca, kind, named) in [
        (&url, &other_ca, "Precondition", "certificate"),
        (&url, &no_certificate, "Invalid", "no certificate"),
        (&url, &"/no/such/file.pem".to_owned(), "Invalid", "/no/such/file.pem"),
    ] {
        let (found, text) = refused(&format!("{url}?sslmode=verify-full&sslrootcert={ca}")).await;
        assert!(found == kind && text.contains(named), "{found}: {text}");
    }
    let (kind, text) = refused(&format!("{named}?sslmode=verify-full&sslrootcert={ca}&hostaddr=127.0.0.1")).await;
    assert!(kind == "Precondition" && text.contains("certificate"), "{text}");
    // The system's authorities did not sign it either.
    let (kind, text) = refused(&format!("{url}?sslmode=verify-full")).await;
    assert!(kind == "Precondition" && text.contains("sslrootcert"), "{text}");
    open(&format!("{url}?sslmode=verify-full&sslrootcert={ca}")).await.unwrap();
}

#[tokio::test]
async fn roles_do_what_is_theirs_and_nothing_else() {
    let database = Database::new();
    let writer = open(&database.url(WRITER)).await.unwrap();
    let head = models::run_head(1);
    writer.create(&head).await.unwrap();
    let reader = open(&database.url(READER)).await.unwrap();
    assert_eq!(reader.get(head.id).await.unwrap().unwrap().head, head);
    let error = reader.create(&models::run_head(2)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Precondition { why, .. } if why.contains("docs/postgres-roles.sql")),
        "{error}"
    );
    for (role, sql) in [
        ("lucihub_writer", "CREATE TABLE lucihub.t (n int)"),
        ("lucihub_writer", "DROP TABLE lucihub.runs"),
        ("lucihub_writer", "TRUNCATE lucihub.runs CASCADE"),
        ("lucihub_writer", "ALTER TABLE lucihub.runs ADD COLUMN x int"),
        ("lucihub_writer", "DELETE FROM lucihub.__diesel_schema_migrations"),
        ("lucihub_writer", "INSERT INTO lucihub.__diesel_schema_migrations (version) VALUES ('2027')"),
        ("lucihub_writer", "UPDATE lucihub.__diesel_schema_migrations SET version = '2027'"),
        ("lucihub_writer", "DELETE FROM lucihub.lucihub_migrations"),
        ("lucihub_writer", "INSERT INTO lucihub.lucihub_migrations SELECT * FROM lucihub.lucihub_migrations"),
        ("lucihub_writer", "UPDATE lucihub.lucihub_migrations SET oldest_generation = 1"),
        ("lucihub_reader", "DELETE FROM lucihub.runs"),
        ("lucihub_reader", "INSERT INTO lucihub.devices (id, device_type) VALUES ('a', 'b')"),
    ] {
        let refused = database.try_sql(&format!("SET ROLE {role}; {sql}")).unwrap_err();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{role}, {sql}: {refused}");
    }
    let error = migrate::up(&Database::empty().url(WRITER)).await.unwrap_err();
    assert!(matches!(error, StoreError::Precondition { .. }), "{error}");
}

/// The query of `docs/operations.md`, as the reader, beside labels that no function of the server turns into text.
#[tokio::test]
async fn labels_are_read_as_the_handbook_says() {
    const HANDBOOK: &str = include_str!("../../../../docs/operations.md");
    let query = HANDBOOK.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(query.contains("run_tags"), "{query}");
    let database = Database::new();
    let writer = open(&database.url(WRITER)).await.unwrap();
    for (n, value) in [(1, "pendulum"), (2, "a\0b"), (3, "")] {
        let mut head = models::run_head(n);
        head.labels = [("series", value), ("other", "\0")].map(|(k, v)| (k.into(), v.into())).into();
        if n == 3 {
            head.labels.remove("series");
        }
        writer.create(&head).await.unwrap();
    }
    let answer = database.sql(&format!("SET ROLE lucihub_reader; {query}"));
    let series: Vec<_> = answer.lines().filter_map(|line| line.rsplit('|').next()).collect();
    assert!(series.len() == 3 && ["pendulum", "a\u{2400}b", ""].iter().all(|one| series.contains(one)), "{answer}");
    database.try_sql("SELECT labels ->> 'series' FROM lucihub.runs").unwrap_err();
}

#[tokio::test]
async fn a_database_without_our_tables_says_what_to_do_and_is_left_alone() {
    let database = Database::empty();
    let (kind, text) = refused(&database.url(MIGRATOR)).await;
    assert!(kind == "Precondition" && text.contains("lucihub migrate up"), "{text}");
    assert_eq!(database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'lucihub'").trim(), "0");
}

#[tokio::test]
async fn what_is_made_read_only_stays_so() {
    let database = Database::new();
    let url = format!("{}?options=-c%20default_transaction_read_only%3Don", database.url(WRITER));
    let cold = open(&url).await.unwrap();
    let error = cold.create(&models::run_head(1)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Precondition { why, .. } if why.contains("default_transaction_read_only")),
        "{error}"
    );
    assert!(cold.list(&RunFilter::default(), &PageRequest::default()).await.unwrap().runs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_are_bounded() {
    let database = Database::new();
    let options = PostgresOptions::url(&database.url(WRITER))
        .unwrap()
        .with_connections(1)
        .with_wait(Duration::from_secs(2))
        .with_lock_timeout(Duration::from_secs(4));
    let cold = PostgresCold::open(options, std::sync::Arc::new(ManualClock::new())).await.unwrap();
    let url = database.url(MIGRATOR);
    let (locked, is_locked) = std::sync::mpsc::channel();
    let holder = std::thread::spawn(move || {
        let mut psql = std::process::Command::new("psql")
            .args(["-X", "-q", "-A", "-t", &url])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        use std::io::{BufRead, Write};
        let sql = "BEGIN; LOCK TABLE lucihub.runs IN ACCESS EXCLUSIVE MODE;\nSELECT 'locked';\nSELECT pg_sleep(9);\nROLLBACK;\n";
        psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let mut lines = std::io::BufReader::new(psql.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "locked");
        locked.send(()).unwrap();
        assert!(lines.count() < 5, "it has answered all");
        psql.wait().unwrap();
    });
    tokio::task::spawn_blocking(move || is_locked.recv().unwrap()).await.unwrap();
    let blocked = {
        let cold = cold.clone();
        tokio::spawn(async move { cold.create(&models::run_head(1)).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The only connection waits for the lock.
    let error = cold.list(&RunFilter::default(), &PageRequest::default()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("busy for 2s")), "{error}");
    let error = blocked.await.unwrap().unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("lock timeout")), "{error}");
    holder.join().unwrap();
    cold.create(&models::run_head(1)).await.unwrap();
}
