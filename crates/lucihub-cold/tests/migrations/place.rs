//! A database of a test's own on either engine, looked at by plain SQL.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use tempfile::TempDir;

/// A new database; gone when it is dropped.
pub(crate) enum Place {
    Sqlite(TempDir),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Database),
}

/// One of each engine.
pub(crate) fn places() -> Vec<Place> {
    vec![
        Place::sqlite(),
        #[cfg(feature = "postgres")]
        Place::Postgres(postgres::Database::new()),
    ]
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("cold.db").display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.url.clone(),
        }
    }

    /// Runs statements, in our schema.
    pub(crate) fn sql(&self, statements: &str) {
        match self {
            Self::Sqlite(folder) => sqlite(folder).batch_execute(statements).unwrap(),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => drop(database.rows(statements)),
        }
    }

    /// The rows of a query with one column of text.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        match self {
            Self::Sqlite(folder) => {
                #[derive(QueryableByName)]
                struct Row {
                    #[diesel(sql_type = Nullable<Text>)]
                    text: Option<String>,
                }
                let query = format!("SELECT text FROM (SELECT NULL AS text WHERE false UNION ALL {query})");
                let rows: Vec<Row> = diesel::sql_query(query).load(&mut sqlite(folder)).unwrap();
                rows.into_iter().map(|row| row.text.unwrap_or_default()).collect()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.rows(query),
        }
    }

    /// Everything that the schema is made of, except the tables of migrations themselves.
    pub(crate) fn catalog(&self) -> Vec<String> {
        match self {
            Self::Sqlite(_) => self.rows(
                "SELECT * FROM (SELECT type || ' ' || name || ': ' || sql FROM sqlite_schema WHERE sql IS NOT NULL
                 AND tbl_name NOT IN ('lucihub_migrations', '__diesel_schema_migrations') ORDER BY 1)",
            ),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => self.rows(postgres::CATALOG),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

fn sqlite(folder: &TempDir) -> SqliteConnection {
    let mut raw = SqliteConnection::establish(folder.path().join("cold.db").to_str().unwrap()).unwrap();
    raw.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    raw
}

#[cfg(feature = "postgres")]
pub(crate) mod postgres {
    use std::sync::OnceLock;

    use lucihub_testkit::servers::{PostgresDatabases, PostgresOptions, PostgresServer};

    /// A database on the server of the tests.
    pub(crate) struct Database {
        pub(crate) url: String,
        name: String,
    }

    pub(super) const CATALOG: &str = "
        SELECT * FROM (
            SELECT format('column %s.%s: %s, null %s, default %s, collation %s, storage %s', c.table_name, c.column_name,
                c.data_type, c.is_nullable, c.column_default, c.collation_name, a.attstorage) AS text
            FROM information_schema.columns AS c
            JOIN pg_attribute AS a ON a.attname = c.column_name
                AND a.attrelid = to_regclass(format('lucihub.%I', c.table_name))
            WHERE c.table_schema = 'lucihub'
            UNION ALL
            SELECT format('index %s: %s', indexname, indexdef) FROM pg_indexes WHERE schemaname = 'lucihub'
            UNION ALL
            SELECT format('constraint %s of %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE connamespace = to_regnamespace('lucihub')
        ) AS found WHERE text !~ 'lucihub_migrations|__diesel_schema_migrations' ORDER BY 1";

    /// The server that tests may make databases on: a private one, or the one that `LUCIHUB_TEST_POSTGRES_URL` names.
    fn server() -> PostgresDatabases {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        let private = || SERVER.get_or_init(|| PostgresServer::start(PostgresOptions::new())).databases();
        PostgresDatabases::given().unwrap_or_else(private)
    }

    impl Database {
        pub(crate) fn new() -> Self {
            let name = server().fresh_database(None);
            Self { url: server().admin_url(&name), name }
        }

        /// The rows that statements answer with, one a line.
        pub(super) fn rows(&self, statements: &str) -> Vec<String> {
            // A path that is not there yet is no error.
            let answer = server().sql(&self.name, &format!("SET search_path = lucihub;\n{statements};"));
            answer.lines().map(str::to_owned).collect()
        }
    }

    impl Drop for Database {
        fn drop(&mut self) {
            server().drop_database(&self.name);
        }
    }
}
