//! One `postgres`.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::place::Place;
use super::postmaster::Postmaster;
use super::psql::{Reach, ask};
use super::{PostgresDatabases, PostgresOptions, SUPERUSER, require, url};
use crate::servers::port::Port;
use crate::servers::process::Process;
use crate::servers::until::until;

/// For starting, which after a kill includes a walk through the log of what was written.
const START: Duration = Duration::from_secs(120);
/// How long a first `SELECT 1` may take.
const QUESTION: Duration = Duration::from_secs(20);
/// A port that was free may be taken before the server takes it; so often in a row it is something else.
const ATTEMPTS: usize = 5;

/// A `postgres` on 127.0.0.1 and on a unix socket; killed when it is dropped.
///
/// Starting one takes about two seconds, a database a few hundredths of one: let the tests of a process share a server in a
/// static, and give each a database of its own.
///
/// ```no_run
/// use lucihub_testkit::servers::{PostgresOptions, PostgresServer};
/// let server = PostgresServer::start(PostgresOptions::new());
/// let database = server.fresh_database(None);
/// server.sql(&database, "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)");
/// server.kill();
/// server.restart();
/// assert_eq!(server.sql(&database, "SELECT n FROM t ORDER BY n"), "1\n2");
/// ```
#[derive(Debug)]
pub struct PostgresServer {
    // Before the folder, so that it is killed before its folder goes.
    postmaster: Mutex<Option<Postmaster>>,
    port: Port,
    options: PostgresOptions,
    place: Place,
}

impl PostgresServer {
    /// Makes a server, starts it and waits until it answers. Where this process is root's, which PostgreSQL refuses, the server
    /// is run by the user `postgres`, or else `nobody`.
    ///
    /// # Panics
    /// Where a program is missing, the server's user cannot enter the temporary folder, or the server does not answer; with its
    /// log's last lines.
    #[must_use]
    pub fn start(options: PostgresOptions) -> Self {
        require("psql");
        let mut server = Self { postmaster: Mutex::new(None), port: Port::free(), options, place: Place::new() };
        for _ in 1..ATTEMPTS {
            match server.try_start() {
                Ok(()) => return server,
                Err(why) if why.contains("Address already in use") => server.port = Port::free(),
                Err(why) => panic!("{why}"),
            }
        }
        server.try_start().unwrap_or_else(|why| panic!("{why}"));
        server
    }

    fn try_start(&self) -> Result<(), String> {
        self.place.configure(&self.options, self.port());
        self.run(&mut self.postmaster())
    }

    /// Runs the process and waits until it answers.
    fn run(&self, running: &mut Option<Postmaster>) -> Result<(), String> {
        // What an earlier run said is no reason of this one's failure; and its socket is no sign of life.
        drop(fs::remove_file(self.place.log()));
        for socket in fs::read_dir(self.place.sockets()).into_iter().flatten().flatten() {
            drop(fs::remove_file(socket.path()));
        }
        let process = Process::run(self.place.server(), &self.place.log()).map_err(|error| error.to_string())?;
        let mut postmaster = Postmaster::new(process, &self.place.data());
        let socket = self.place.sockets().join(format!(".s.PGSQL.{}", self.port()));
        let answers = until(START, || match postmaster.process().ended() {
            Some(status) => Ok(Err(format!("it ended: {status}"))),
            None if !socket.exists() => Err("it has no socket yet".to_owned()),
            None => ask(&self.reach(), "postgres", "SELECT 1", QUESTION).map(|_| Ok(())),
        });
        match answers.and_then(|ended| ended) {
            Ok(()) => {
                *running = Some(postmaster);
                Ok(())
            }
            Err(why) => Err(format!("postgres does not answer: {why}\n{}", self.last_lines())),
        }
    }

    /// The port, which speaks TLS to those who ask for it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The file with the certificate authority that clients must trust, in PEM. The certificate is one of `localhost` and of
    /// 127.0.0.1.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.place.certificates.authority
    }

    /// `postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE`. It says nothing about TLS: append `?sslmode=...` where a client's
    /// own choice is not the one to test.
    #[must_use]
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        url::local(user, password, self.port(), database)
    }

    /// As [`PostgresServer::url`], the superuser's, who is called `postgres`.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        self.url(SUPERUSER, &self.place.password, database)
    }

    /// A superuser's hand on its databases, which may leave the server behind: for tests that also take a given server.
    #[must_use]
    pub fn databases(&self) -> PostgresDatabases {
        PostgresDatabases::new(self.admin_url("postgres"), self.reach())
    }

    /// [`PostgresDatabases::sql`].
    ///
    /// # Panics
    /// As there.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.databases().sql(database, sql)
    }

    /// [`PostgresDatabases::try_sql`].
    ///
    /// # Errors
    /// As there.
    pub fn try_sql(&self, database: &str, sql: &str) -> Result<String, String> {
        self.databases().try_sql(database, sql)
    }

    /// [`PostgresDatabases::create_database`].
    ///
    /// # Panics
    /// As there.
    pub fn create_database(&self, name: &str, template: Option<&str>) {
        self.databases().create_database(name, template);
    }

    /// [`PostgresDatabases::fresh_database`].
    ///
    /// # Panics
    /// As there.
    pub fn fresh_database(&self, template: Option<&str>) -> String {
        self.databases().fresh_database(template)
    }

    /// [`PostgresDatabases::drop_database`].
    ///
    /// # Panics
    /// As there.
    pub fn drop_database(&self, name: &str) {
        self.databases().drop_database(name);
    }

    /// [`PostgresDatabases::connections`].
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn connections(&self, database: &str) -> usize {
        self.databases().connections(database)
    }

    /// The id of the process that started the others of the server.
    ///
    /// # Panics
    /// Where it was killed and not started again.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.postmaster().as_ref().map(Postmaster::id).expect("a server that runs: restart() starts it")
    }

    /// Whether it was started, and neither killed nor stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.postmaster().as_mut().is_some_and(Postmaster::is_running)
    }

    /// Freezes all of its processes (SIGSTOP): it keeps its connections and answers nothing.
    pub fn stop(&self) {
        self.postmaster().as_mut().into_iter().for_each(Postmaster::stop);
    }

    /// Lets it go on after [`PostgresServer::stop`] (SIGCONT).
    pub fn cont(&self) {
        self.postmaster().as_mut().into_iter().for_each(Postmaster::cont);
    }

    /// Lets none of its files grow past so many bytes, as if the disk were full then; `None` lifts that. A segment of its
    /// log has 16 MiB.
    ///
    /// # Panics
    /// Where it is down.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let postmaster = self.postmaster();
        let postmaster = postmaster.as_ref().expect("a server that runs: restart() starts it");
        postmaster.limit_files(self.place.user(), bytes).unwrap_or_else(|why| panic!("{why}"));
    }

    /// Kills all of its processes (SIGKILL) and waits until they are gone. Its port stays its own.
    pub fn kill(&self) {
        *self.postmaster() = None;
    }

    /// Starts it again with the same port and files, after killing it if it runs; waits until it answers. What was committed
    /// is there.
    ///
    /// # Panics
    /// Where it does not answer; with its log's last lines.
    pub fn restart(&self) {
        let mut running = self.postmaster();
        *running = None;
        self.run(&mut running).unwrap_or_else(|why| panic!("{why}"));
    }

    /// As [`PostgresServer::restart`], after breaking it off as `pg_ctl restart -m immediate` does: it tells its clients.
    ///
    /// # Panics
    /// As there.
    pub fn restart_immediate(&self) {
        let mut running = self.postmaster();
        running.take().into_iter().for_each(Postmaster::quit);
        self.run(&mut running).unwrap_or_else(|why| panic!("{why}"));
    }

    /// The last lines of what the server printed since it was started.
    #[must_use]
    pub fn last_lines(&self) -> String {
        const LINES: usize = 20;
        let log = fs::read_to_string(self.place.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    fn reach(&self) -> Reach {
        Reach::Socket { folder: self.place.sockets(), port: self.port() }
    }

    fn postmaster(&self) -> MutexGuard<'_, Option<Postmaster>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
