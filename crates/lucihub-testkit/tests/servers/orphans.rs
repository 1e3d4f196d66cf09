//! What a test process that is killed leaves behind.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lucihub_testkit::servers::{PostgresOptions, PostgresServer, RedisOptions, RedisServer};

/// Where it is set, a test plays the process that is killed: it writes its server's port and process id to the file, and waits.
const VICTIM: &str = "LUCIHUB_TESTKIT_VICTIM";

#[test]
fn nothing_of_redis_outlives_a_killed_test_process_for_long() {
    check("nothing_of_redis_outlives_a_killed_test_process_for_long", |then| {
        let server = RedisServer::start(RedisOptions::new());
        then(server.port(), server.pid());
    });
}

#[test]
fn nothing_of_postgres_outlives_a_killed_test_process_for_long() {
    check("nothing_of_postgres_outlives_a_killed_test_process_for_long", |then| {
        let server = PostgresServer::start(PostgresOptions::new());
        then(server.port(), server.pid());
    });
}

#[test]
fn nothing_of_a_frozen_postgres_outlives_a_killed_test_process_for_long() {
    check("nothing_of_a_frozen_postgres_outlives_a_killed_test_process_for_long", |then| {
        let server = PostgresServer::start(PostgresOptions::new());
        server.stop();
        then(server.port(), server.pid());
    });
}

/// Kills a process that runs the test `name`, in which `start` starts a server and goes on with its port and process id.
fn check(name: &str, start: impl FnOnce(&dyn Fn(u16, u32))) {
    if let Some(file) = env::var_os(VICTIM) {
        return start(&|port, pid| be_the_victim(Path::new(&file), port, pid));
    }
    let place = tempfile::tempdir().expect("a temporary folder");
    // For the user of a server that root may not run.
    fs::set_permissions(place.path(), Permissions::from_mode(0o711)).expect("a folder of this process");
    let file = place.path().join("port");
    let mut victim = this_test(name, place.path(), &file);
    wait_until("it has started its server", || file.exists());
    let text = fs::read_to_string(&file).expect("its file");
    let (port, pid) = text.split_once(' ').expect("two numbers");
    let port: u16 = port.parse().expect("a port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "its server listens");
    victim.kill().expect("it waits to be killed");
    victim.wait().expect("a child of this process");
    wait_until("its server is gone", || TcpStream::connect(("127.0.0.1", port)).is_err());
    wait_until("its processes are gone", || !works_in(place.path()));
    assert_eq!(pieces_of_memory(pid), 0, "its shared memory is gone");
    assert_eq!(folders(place.path()), 1, "nobody could remove its folder");

    let end = this_test(name, place.path(), Path::new("")).wait().expect("a child of this process");
    assert!(end.success());
    assert_eq!(folders(place.path()), 0, "the next one has removed both");
}

fn be_the_victim(file: &Path, port: u16, pid: u32) {
    if file.as_os_str().is_empty() {
        return;
    }
    let whole = file.with_extension("new");
    fs::write(&whole, format!("{port} {pid}")).and_then(|()| fs::rename(&whole, file)).expect("a new file");
    thread::sleep(Duration::from_secs(60));
}

/// Whether a process has its working folder below a folder.
fn works_in(place: &Path) -> bool {
    let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
    processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok()).any(|cwd| cwd.starts_with(place))
}

/// How many pieces of System V shared memory a process has made that are still there.
fn pieces_of_memory(pid: &str) -> usize {
    let memory = fs::read_to_string("/proc/sysvipc/shm").expect("Linux has it");
    memory.lines().filter(|line| line.split_whitespace().nth(4) == Some(pid)).count()
}

/// A test in a process of its own, with another temporary folder.
fn this_test(name: &str, temporary: &Path, file: &Path) -> Child {
    let name = format!("servers::orphans::{name}");
    let program = env::current_exe().expect("the file of this test");
    let mut command = Command::new(program);
    command
        .args(["--exact", &name, "--quiet"])
        .env(VICTIM, OsStr::new(file))
        .env("TMPDIR", temporary)
        .stdout(Stdio::null());
    command.spawn().expect("this test starts")
}

fn folders(place: &Path) -> usize {
    let entries = fs::read_dir(place).expect("a folder").flatten();
    entries.filter(|entry| entry.path().is_dir()).count()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: not in 30 s");
        thread::sleep(Duration::from_millis(10));
    }
}
