//! One PostgreSQL server.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use lucihub_testkit::servers::{PostgresDatabases, PostgresOptions, PostgresServer};

/// A server of the tests that break nothing.
pub(crate) fn shared() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| PostgresServer::start(PostgresOptions::new()))
}

/// `psql` by a way that the testkit's own look does not take; the rows, or what went wrong.
pub(crate) fn ask(url: &str, sql: &str) -> Result<String, String> {
    let output = psql(url).args(["-c", sql]).output().expect("psql is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

pub(crate) fn psql(url: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url]);
    command
}

pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: not in 30 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A client that runs statements and then waits for more.
fn client(url: &str, sql: &str) -> Child {
    let mut command = psql(url);
    let mut client =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("psql is installed");
    writeln!(client.stdin.as_mut().expect("it is piped"), "{sql}").expect("it reads");
    client
}

/// The processes of a server, from outside.
#[cfg(target_os = "linux")]
fn processes(of: u32) -> Vec<String> {
    let stat = |id: &str| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let parent = |stat: &str| Some(stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned());
    let all = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let ids = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ids = ids.filter(|id| id.parse::<u32>().is_ok());
    ids.filter(|id| *id == of.to_string() || parent(&stat(id)) == Some(of.to_string())).collect()
}

#[cfg(target_os = "linux")]
fn are_gone(processes: &[String]) -> bool {
    let state = |id: &String| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // Who adopts the orphans of a container may not wait for them.
    processes.iter().map(state).all(|stat| stat.is_empty() || stat.contains(") Z "))
}

#[test]
fn it_answers_on_its_port_and_to_its_superuser() {
    let server = shared();
    let database = server.fresh_database(None);
    server.sql(&database, "CREATE TABLE t (n int, s text);\nINSERT INTO t VALUES (1, 'a'), (2, NULL);");
    assert_eq!(server.sql(&database, "SELECT n, s FROM t ORDER BY n; SELECT 'more'"), "1|a\n2|\nmore");
    assert_eq!(ask(&server.admin_url(&database), "SELECT count(*) FROM t").as_deref(), Ok("2"));
    let why = server.try_sql(&database, "SELECT 1; SELECT no_such_column; SELECT 2").expect_err("there is none");
    assert!(why.contains("no_such_column") && !why.contains("PGPASSWORD"), "{why}");
    for (setting, value) in [("TimeZone", "UTC"), ("fsync", "off"), ("autovacuum", "on"), ("max_connections", "100")] {
        assert_eq!(server.sql(&database, &format!("SHOW {setting}")), value, "{setting}");
    }
    assert!(server.is_running());
}

#[test]
fn passwords_count_with_tls_and_without() {
    let server = shared();
    server.sql("postgres", "CREATE ROLE \"a role\" LOGIN PASSWORD 'p@ss/w:rd'");
    for mode in ["disable", "require"] {
        let url = |password: &str| server.url("a role", password, "postgres") + "?sslmode=" + mode;
        let sql = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let expected = if mode == "require" { "a role|t" } else { "a role|f" };
        assert_eq!(ask(&url("p@ss/w:rd"), sql).as_deref(), Ok(expected));
        let why = ask(&url("wrong"), sql).expect_err("another password");
        assert!(why.contains("password authentication failed"), "{why}");
    }
    let how = server.sql("postgres", "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'a role'");
    assert_eq!(how, "SCRAM-SHA-256$");
}

#[test]
fn tls_is_trusted_through_its_own_authority() {
    let only = PostgresServer::start(PostgresOptions::new().tls_only().max_connections(10).line("log_statement = all"));
    for server in [shared(), &only] {
        let authority = server.ca_file().to_str().expect("a path in UTF-8");
        for host in ["localhost", "127.0.0.1"] {
            let url = server.admin_url("postgres").replace("127.0.0.1", host) + "?sslmode=verify-full&sslrootcert=";
            assert_eq!(ask(&(url.clone() + authority), "SELECT 1").as_deref(), Ok("1"), "{}", server.last_lines());
            let why = ask(&(url + "/no/such/file"), "SELECT 1").expect_err("an authority that nobody knows");
            assert!(why.contains("root certificate"), "{why}");
        }
    }
    let why = ask(&(only.admin_url("postgres") + "?sslmode=disable"), "SELECT 1").expect_err("without TLS");
    assert!(why.contains("no pg_hba.conf entry") && why.contains("no encryption"), "{why}");
    assert_eq!(only.sql("postgres", "SHOW max_connections"), "10");
    assert!(only.last_lines().contains("SHOW max_connections"), "{}", only.last_lines());
}

#[test]
fn databases_come_from_a_template_and_go_with_their_connections() {
    let server = shared();
    let template = server.fresh_database(None);
    server.sql(&template, "CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
    let copies: Vec<String> = std::thread::scope(|scope| {
        let copying: Vec<_> = (0..4).map(|_| scope.spawn(|| server.fresh_database(Some(&template)))).collect();
        copying.into_iter().map(|copy| copy.join().expect("a copy")).collect()
    });
    server.sql(&copies[0], "DELETE FROM t");
    let counts = copies.iter().map(|copy| server.sql(copy, "SELECT count(*) FROM t"));
    assert_eq!(counts.collect::<Vec<_>>(), ["0", "1", "1", "1"]);

    let named = "it's \"named\"";
    server.create_database(named, Some(&copies[1]));
    assert_eq!(server.sql(named, "SELECT n FROM t"), "7");
    server.drop_database(named);

    assert_eq!(server.connections(&copies[2]), 0);
    let mut clients = [1, 2].map(|_| client(&server.admin_url(&copies[2]), "SELECT 1;"));
    wait_until("two clients are connected", || server.connections(&copies[2]) == 2);
    server.drop_database(&copies[2]);
    let left = server.sql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", copies[2]));
    assert_eq!(left, "0");
    for client in &mut clients {
        drop(client.kill());
        client.wait().expect("a child of this process");
    }
}

#[test]
fn a_given_server_serves_as_a_private_one_does() {
    let Some(databases) = PostgresDatabases::given() else {
        let program = std::env::current_exe().expect("the file of this test");
        let mut again = Command::new(program);
        again.args(["--exact", "servers::postgres::a_given_server_serves_as_a_private_one_does"]);
        // `postgres` is replaced by the names of databases.
        let url = shared().admin_url("postgres") + "?sslmode=disable";
        let output = again.env("LUCIHUB_TEST_POSTGRES_URL", url).output().expect("this test starts");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
        return;
    };
    let name = databases.fresh_database(None);
    databases.sql(&name, "CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
    let copy = databases.fresh_database(Some(&name));
    assert_eq!(ask(&databases.admin_url(&copy), "SELECT n FROM t").as_deref(), Ok("7"));
    assert_eq!(databases.connections(&copy), 0);
    databases.drop_database(&name);
    databases.drop_database(&copy);
    assert!(databases.try_sql(&copy, "SELECT 1").is_err(), "it is dropped");
    assert!(!format!("{databases:?}").contains("://"), "it may hold a password");
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_committed_survives_kills_and_their_processes_do_not() {
    let server = PostgresServer::start(PostgresOptions::new());
    let database = server.fresh_database(None);
    let url = server.admin_url(&database);
    server.sql(&database, "CREATE TABLE t (n int)");
    for round in 1..=3 {
        server.sql(&database, &format!("INSERT INTO t VALUES ({round})"));
        // One that waits, and one that never does, so that only a kill of its own ends it in time.
        let busy = "DO $$ BEGIN LOOP END LOOP; END $$;";
        let open = format!("BEGIN; INSERT INTO t VALUES ({});", -round);
        let clients = [client(&url, &open), client(&url, busy)];
        wait_until("the clients are at work", || {
            let states =
                server.sql("postgres", "SELECT state FROM pg_stat_activity WHERE datname <> 'postgres' ORDER BY 1");
            states == "active\nidle in transaction"
        });
        let (pid, before) = (server.pid(), processes(server.pid()));
        assert!(before.len() > 5, "{before:?}");
        match round {
            1 => {
                server.kill();
                assert!(!server.is_running());
                assert!(are_gone(&before), "{before:?}");
                server.restart();
            }
            2 => server.restart_immediate(),
            _ => server.restart(),
        }
        assert!(are_gone(&before), "{before:?}");
        assert_ne!(server.pid(), pid);
        assert_eq!(server.admin_url(&database), url);
        let expected: Vec<String> = (1..=round).map(|n| n.to_string()).collect();
        assert_eq!(server.sql(&database, "SELECT n FROM t ORDER BY n"), expected.join("\n"));
        for mut client in clients {
            drop(client.kill());
            client.wait().expect("a child of this process");
        }
    }
    assert_eq!(ask(&url, "SELECT count(*) FROM t").as_deref(), Ok("3"));
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_stays_of_a_server_that_is_dropped() {
    let memory = || std::fs::read_to_string("/proc/sysvipc/shm").expect("Linux has it");
    for how in ["running", "frozen", "killed"] {
        let server = PostgresServer::start(PostgresOptions::new());
        let pid = server.pid();
        let creator = |line: &str| line.split_whitespace().nth(4) == Some(pid.to_string().as_str());
        assert!(memory().lines().any(creator), "its memory");
        let (before, folder) = (processes(pid), server.ca_file().parent().expect("its folder").to_owned());
        match how {
            "frozen" => server.stop(),
            "killed" => server.kill(),
            _ => {}
        }
        drop(server);
        assert!(are_gone(&before), "{how}: {before:?}");
        assert!(!memory().lines().any(creator), "{how}: its memory");
        assert!(!folder.exists(), "{how}: its folder");
    }
}

#[test]
fn a_frozen_server_goes_on() {
    let server = PostgresServer::start(PostgresOptions::new());
    let mut slow = psql(&server.admin_url("postgres"));
    let slow = slow.args(["-c", "SELECT pg_sleep(0.2), 'awake'"]).stdout(Stdio::piped()).spawn().expect("psql");
    wait_until("it sleeps", || server.connections("postgres") == 1);
    server.stop();
    assert!(!server.is_running());
    let asked = ask(&(server.admin_url("postgres") + "?sslmode=disable&connect_timeout=2"), "SELECT 1")
        .expect_err("it is frozen");
    assert!(asked.contains("timeout"), "{asked}");
    server.cont();
    assert!(server.is_running());
    let output = slow.wait_with_output().expect("a child of this process");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "|awake\n");
    server.stop();
    server.restart_immediate();
    assert_eq!(server.sql("postgres", "SELECT 1"), "1");
}

#[test]
#[should_panic(expected = "no_such_setting")]
fn a_server_that_does_not_start_says_why() {
    drop(PostgresServer::start(PostgresOptions::new().line("no_such_setting = 1")));
}
