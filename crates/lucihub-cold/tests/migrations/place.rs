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
            Self::Postgres(database) => drop(database.rows(statements).unwrap()),
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
            Self::Postgres(database) => database.rows(query).unwrap(),
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
    SqliteConnection::establish(folder.path().join("cold.db").to_str().unwrap()).unwrap()
}

#[cfg(feature = "postgres")]
pub(crate) mod postgres {
    use std::future::Future;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio_postgres::{NoTls, SimpleQueryMessage};

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
            FROM pg_constraint WHERE connamespace = 'lucihub'::regnamespace
        ) AS found WHERE text !~ 'lucihub_migrations|__diesel_schema_migrations' ORDER BY 1";

    /// The server that tests may make databases on.
    fn server() -> String {
        std::env::var("LUCIHUB_TEST_POSTGRES_URL").expect(
            "LUCIHUB_TEST_POSTGRES_URL names the PostgreSQL server of the tests, such as postgres://postgres@127.0.0.1/postgres",
        )
    }

    impl Database {
        pub(crate) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name = format!("mig_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let server = server();
            rows(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).unwrap();
            rows(&server, &format!("CREATE DATABASE {name}")).unwrap();
            let (bare, query) = server.split_once('?').map_or((&*server, String::new()), |(b, q)| (b, format!("?{q}")));
            let (host, _) = bare.rsplit_once('/').unwrap();
            Self { url: format!("{host}/{name}{query}"), name }
        }

        /// The first column of what statements answer with.
        pub(crate) fn rows(&self, statements: &str) -> Result<Vec<String>, tokio_postgres::Error> {
            rows(&self.url, statements)
        }
    }

    impl Drop for Database {
        fn drop(&mut self) {
            // A test that failed is told of already.
            let _ = rows(&server(), &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }

    fn rows(url: &str, statements: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let config: tokio_postgres::Config = url.parse()?;
        on_own_thread(async move {
            let (client, connection) = config.connect(NoTls).await?;
            let connection = tokio::spawn(connection);
            // A path that is not there yet is no error.
            client.batch_execute("SET search_path = lucihub").await?;
            let answers = client.simple_query(statements).await?;
            drop(client);
            let _ = connection.await;
            let row = |answer: &SimpleQueryMessage| match answer {
                SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            };
            Ok(answers.iter().filter_map(row).collect())
        })
    }

    /// Tests are asynchronous themselves, where no runtime can be waited for.
    fn on_own_thread<T: Send>(work: impl Future<Output = T> + Send) -> T {
        std::thread::scope(|threads| {
            let thread = threads
                .spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work));
            thread.join().unwrap()
        })
    }
}
