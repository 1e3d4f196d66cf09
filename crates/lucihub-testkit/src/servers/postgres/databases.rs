//! What a test does with the databases of a server, its own or one that somebody set up.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::place::random;
use super::psql::{Reach, ask};
use super::url::with_database;

/// How long statements through `psql` may take.
const STATEMENTS: Duration = Duration::from_secs(60);
/// Where one is while one makes and drops others.
const HOME: &str = "postgres";
const GIVEN: &str = "LUCIHUB_TEST_POSTGRES_URL";

/// A superuser's hand on the databases of a server: [`PostgresServer::databases`](super::PostgresServer::databases) of a private
/// one, [`PostgresDatabases::given`] of one that somebody set up. Nothing is dropped unless it is asked for.
///
/// ```no_run
/// use std::sync::OnceLock;
/// use lucihub_testkit::servers::{PostgresDatabases, PostgresOptions, PostgresServer};
///
/// static SERVER: OnceLock<PostgresServer> = OnceLock::new();
/// let private = || SERVER.get_or_init(|| PostgresServer::start(PostgresOptions::new())).databases();
/// let databases = PostgresDatabases::given().unwrap_or_else(private);
/// let name = databases.fresh_database(None);
/// let url = databases.admin_url(&name); // for the adapter under test
/// assert_eq!(databases.sql(&name, "SELECT 6 * 7"), "42");
/// databases.drop_database(&name);
/// ```
#[derive(Clone)]
pub struct PostgresDatabases {
    url: String,
    reach: Reach,
}

impl PostgresDatabases {
    /// Of the server that the variable `LUCIHUB_TEST_POSTGRES_URL` names, if it is set: a superuser's URL. Tests that stop or kill
    /// a server start their own even then.
    ///
    /// # Panics
    /// Where it is no URL of PostgreSQL.
    #[must_use]
    pub fn given() -> Option<Self> {
        let url = std::env::var(GIVEN).ok()?;
        with_database(&url, HOME).unwrap_or_else(|why| panic!("{GIVEN}: {why}"));
        Some(Self { reach: Reach::Url(url.clone()), url })
    }

    pub(super) fn new(url: String, reach: Reach) -> Self {
        Self { url, reach }
    }

    /// The superuser's URL of a database.
    ///
    /// # Panics
    /// Never: what is no URL was refused before.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        with_database(&self.url, database).expect("a URL that was looked at")
    }

    /// What `psql` prints for statements that a superuser runs one after the other: the rows, one a line with `|` between
    /// columns. Past TLS and passwords where the server is private.
    ///
    /// # Panics
    /// Where a statement fails, or all of them take more than a minute; with the server's answer.
    #[expect(clippy::must_use_candidate, reason = "most statements are run for what they change")]
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.try_sql(database, sql).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As [`PostgresDatabases::sql`], for statements that may fail.
    ///
    /// # Errors
    /// The server's answer to the first that failed, or why there is none.
    pub fn try_sql(&self, database: &str, sql: &str) -> Result<String, String> {
        ask(&self.reach, database, sql, STATEMENTS)
    }

    /// Makes a database, empty or as a copy of another one that nobody is connected to.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn create_database(&self, name: &str, template: Option<&str>) {
        let name = quoted(name);
        self.sql(HOME, &format!("CREATE DATABASE {name} TEMPLATE {}", quoted(template.unwrap_or("template0"))));
    }

    /// As [`PostgresDatabases::create_database`], under a name that no other test has, also on a server that others use:
    /// `lucihub_test_...`.
    ///
    /// # Panics
    /// As there.
    pub fn fresh_database(&self, template: Option<&str>) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("lucihub_test_{process}_{number}_{}", random());
        self.create_database(&name, template);
        name
    }

    /// Drops a database and ends the connections to it.
    ///
    /// # Panics
    /// Where there is none of that name.
    pub fn drop_database(&self, name: &str) {
        self.sql(HOME, &format!("DROP DATABASE {} WITH (FORCE)", quoted(name)));
    }

    /// How many clients are connected to a database; the one that asks does not count.
    ///
    /// # Panics
    /// Where the server does not answer.
    #[must_use]
    pub fn connections(&self, database: &str) -> usize {
        let database = database.replace('\'', "''");
        let count = self.sql(
            HOME,
            &format!(
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = '{database}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ),
        );
        count.parse().unwrap_or_else(|_| panic!("no count: {count}"))
    }
}

impl fmt::Debug for PostgresDatabases {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresDatabases").finish_non_exhaustive()
    }
}

/// A name as SQL reads it back.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
