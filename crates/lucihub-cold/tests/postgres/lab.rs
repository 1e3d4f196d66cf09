//! The servers, and a migrated database of its own for each test.

use std::sync::{Arc, OnceLock};

use lucihub_cold::{PostgresCold, PostgresOptions, migrate};
use lucihub_testkit::ManualClock;
use lucihub_testkit::servers::{PostgresDatabases, PostgresOptions as Config, PostgresServer};

/// The roles of `docs/postgres-roles.sql` and their passwords here, which need escapes in a URL.
pub(crate) const MIGRATOR: (&str, &str) = ("lucihub_migrator", "migr/tor");
pub(crate) const WRITER: (&str, &str) = ("lucihub_writer", "wr@ter:1");
pub(crate) const READER: (&str, &str) = ("lucihub_reader", "r%ader");

/// What makes them.
pub(crate) const ROLES: &str = include_str!("../../../../docs/postgres-roles.sql");

/// The server that tests share, unless they do something to it.
pub(crate) fn shared() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| PostgresServer::start(Config::new()))
}

/// The databases that the suite uses: of the shared server, or of a given one.
fn databases() -> &'static (PostgresDatabases, String) {
    static DATABASES: OnceLock<(PostgresDatabases, String)> = OnceLock::new();
    DATABASES.get_or_init(|| {
        let databases = PostgresDatabases::given().unwrap_or_else(|| shared().databases());
        let template = template(&databases);
        (databases, template)
    })
}

/// A migrated database that others are copied from, made as `docs/operations.md` says.
pub(crate) fn template(databases: &PostgresDatabases) -> String {
    let name = databases.fresh_database(None);
    databases.sql(&name, ROLES);
    for (role, password) in [MIGRATOR, WRITER, READER] {
        databases.sql(&name, &format!("ALTER ROLE {role} PASSWORD '{password}'"));
    }
    let url = as_role(&databases.admin_url(&name), MIGRATOR);
    // Not on the runtime of the test, which waits here.
    let migrated = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(migrate::up(&url)).unwrap();
    });
    migrated.join().unwrap();
    databases.sql(&name, ROLES);
    name
}

/// A URL with another user in it.
pub(crate) fn as_role(url: &str, (role, password): (&str, &str)) -> String {
    let (_, place) = url.rsplit_once('@').unwrap();
    let password: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("postgres://{role}:{password}@{place}")
}

/// A database that goes with its test.
pub(crate) struct Database {
    databases: PostgresDatabases,
    pub(crate) name: String,
}

impl Database {
    /// A copy of the template.
    pub(crate) fn new() -> Self {
        let (databases, template) = databases();
        Self::of(databases, Some(template))
    }

    /// The same on the suite's own server, whatever server was given.
    pub(crate) fn own() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let databases = shared().databases();
        let template = TEMPLATE.get_or_init(|| match PostgresDatabases::given() {
            Some(_) => template(&databases),
            None => self::databases().1.clone(),
        });
        Self::of(&databases, Some(template))
    }

    /// One without our tables, in which the roles may connect.
    pub(crate) fn empty() -> Self {
        Self::of(&databases().0, None)
    }

    /// The same on the server of another one.
    pub(crate) fn empty_beside(other: &Self) -> Self {
        Self::of(&other.databases, None)
    }

    /// The superuser's URL.
    pub(crate) fn admin_url(&self) -> String {
        self.databases.admin_url(&self.name)
    }

    pub(crate) fn of(databases: &PostgresDatabases, template: Option<&str>) -> Self {
        Self { databases: databases.clone(), name: databases.fresh_database(template) }
    }

    /// The URL of a role.
    pub(crate) fn url(&self, role: (&str, &str)) -> String {
        as_role(&self.databases.admin_url(&self.name), role)
    }

    pub(crate) fn try_sql(&self, sql: &str) -> Result<String, String> {
        self.databases.try_sql(&self.name, sql)
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.databases.sql(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.databases.drop_database(&self.name);
        }
    }
}

/// Cold storage by a URL.
pub(crate) async fn open(url: &str) -> lucihub_models_core::Result<PostgresCold> {
    PostgresCold::open(PostgresOptions::url(url)?, Arc::new(ManualClock::new())).await
}
